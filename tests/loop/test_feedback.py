"""Idle rounds of programs on several patches."""

import numpy as np
import pytest

from emulator.loop.config import LinkSpec, PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.feedback import idle_rounds
from emulator.windows import sliding_windows
from tests.loop.build import ROUND_PS, Fixed, Listed, loop_config

EVERY = 3


def test_patches_wait_each_for_its_own_results_one_after_the_other() -> None:
    times = np.random.default_rng(3).integers(0, 9 * ROUND_PS, 31).tolist()
    config = loop_config(
        rounds=12,
        shots=6,
        patches=3,
        plan=sliding_windows(12, 2, 1),
        decode=PoolSpec(4, Listed(times)),
        patch_offset_ps=ROUND_PS // 3,
        feedback_every=EVERY,
    )
    record, emission = run_loop(config), config.emission
    waits: list[int] = []
    for patch in range(3):
        rounds = {
            int(shot) * 12 + number: int(applied)
            for shot, first, last, applied, whose in zip(
                *(record.windows[name] for name in ("shot", "first_round", "last_round")),
                record.windows["applied_ps"],
                record.windows["patch"],
                strict=True,
            )
            if whose == patch
            for number in range(first, last + 1)
        }
        end = EVERY
        while end <= len(rounds):
            known = max(rounds[number] for number in range(end))
            ended = emission.round_end_ps(patch, 0, end - 1)
            waits.append(max(0, -(-(known - ended) // ROUND_PS)))
            end += waits[-1] + EVERY
    assert record.idle_rounds is not None
    assert record.idle_rounds.tolist() == waits
    assert len(set(waits)) > 3
    shuffled = np.random.default_rng(1).permutation(len(record.windows["window"]))
    mixed = {name: column[shuffled] for name, column in record.windows.items()}
    assert idle_rounds(mixed, emission, EVERY).tolist() == waits


def test_an_operation_has_a_round() -> None:
    record = run_loop(loop_config(rounds=1))
    with pytest.raises(ValueError, match=r"every\(=0\) must be >= 1"):
        idle_rounds(record.windows, record.emission, 0)


def test_an_operation_of_a_round_waits_for_every_round() -> None:
    # a correction comes 2.5 rounds behind its round: an operation idles for three
    down = LinkSpec(None, Fixed(5 * ROUND_PS // 2))
    record = run_loop(loop_config(rounds=1, shots=10, down=down))
    assert idle_rounds(record.windows, record.emission, 1).tolist() == [3, 3, 3]
