"""Exact schedules, tick for tick: windows and feedback as in SWIPER (ISCA'25)."""

import pytest

from emulator.loop.config import PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.feedback import idle_rounds
from emulator.windows import Tail, parallel_process_count, sliding_windows
from tests.loop.build import ROUND_PS, Fixed, Listed, loop_config

DECODE = PoolSpec(1, Fixed(14 * ROUND_PS))


@pytest.mark.parametrize(
    ("tail", "rounds", "total", "windows"),
    [
        ("truncate", 7, 21, 1),
        ("truncate", 14, 42, 2),
        ("truncate", 21, 56, 3),
        ("truncate", 35, 84, 5),
        ("truncate", 70, 154, 10),
        ("truncate", 100, 224, 15),
        ("absorb", 7, 21, 1),
        ("absorb", 14, 28, 1),
        ("absorb", 21, 42, 2),
        ("absorb", 35, 70, 4),
        ("absorb", 70, 140, 9),
        ("absorb", 100, 196, 13),
    ],
)
def test_sliding_windows_finish_in_the_published_round(
    tail: Tail, rounds: int, total: int, windows: int
) -> None:
    plan = sliding_windows(rounds, 7, 7, tail)
    record = run_loop(loop_config(rounds=rounds, plan=plan, decode=DECODE))
    assert len(record.windows["window"]) == windows
    assert record.windows["applied_ps"].max() == total * ROUND_PS


def test_each_sliding_window_starts_when_its_data_and_its_predecessor_are_there() -> None:
    record = run_loop(loop_config(rounds=35, plan=sliding_windows(35, 7, 7), decode=DECODE))
    columns = record.windows
    assert [t // ROUND_PS for t in columns["dispatched_ps"]] == [14, 21, 28, 35, 35]
    assert [t // ROUND_PS for t in columns["decode_start_ps"]] == [14, 28, 42, 56, 70]
    assert [t // ROUND_PS for t in columns["decode_end_ps"]] == [28, 42, 56, 70, 84]


def test_a_gate_that_needs_its_result_waits_28_rounds() -> None:
    # the gate's 14 rounds end at 14, window [7, 21) is decoded at 42, 12 rounds follow
    plan = sliding_windows(70, 7, 7)
    config = loop_config(rounds=70, plan=plan, decode=DECODE)
    record = run_loop(config)
    waits = idle_rounds(record.windows, config.emission, 14)
    assert waits[0] == 28
    resumed = 14 + waits[0]
    assert (resumed, resumed + 12) == (42, 54)


@pytest.mark.parametrize(("factor", "every", "gates"), [(2, 5, 6), (3, 4, 4), (4, 10, 3)])
def test_waits_grow_exponentially_when_decoding_is_slower_than_the_rounds(
    factor: int, every: int, gates: int
) -> None:
    # Terhal: decoding at factor f rounds per round, gate k waits every * (f**k - 1)
    expected = [every * (factor**k - 1) for k in range(1, gates + 1)]
    rounds = sum(expected) + every * gates
    # the law counts from the first round's end, when there is something to decode at all
    times = [(factor - 1) * ROUND_PS] + [factor * ROUND_PS] * (rounds - 1)
    config = loop_config(
        rounds=rounds,
        plan=sliding_windows(rounds, 1, 0),
        decode=PoolSpec(1, Listed(times)),
        feedback_every=every,
    )
    record = run_loop(config)
    assert record.idle_rounds is not None
    assert record.idle_rounds[:gates].tolist() == expected


def test_parallel_window_count_matches_the_published_formula() -> None:
    for window_rounds in range(1, 40, 3):
        for commit in (1, 3, 7):
            for buffer in (1, 4, 7):
                span = commit + (commit + 2 * buffer)
                expected = next(n for n in range(1, 200) if n * span >= 2 * window_rounds)
                assert parallel_process_count(window_rounds * 7, 7, commit, buffer) == expected
