import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.results.comparison import Arm, compare
from emulator.results.rates import PairedCount
from tests.results.queue import ROUND_PS, run_of

SHOTS = 200


def wrong(*shots: int) -> NDArray[np.bool_]:
    found = np.zeros(SHOTS, dtype=np.bool_)
    found[list(shots)] = True
    return found


def record(service_ps: int, *, predecode_ps: int = 0) -> Record:
    run = run_of(np.full(SHOTS, service_ps, dtype=np.int64))
    early = {
        name: run.windows[name] - shift
        for name, shift in (("predecode_start_ps", predecode_ps), ("emitted_ps", predecode_ps))
    }
    return replace(run, windows={**run.windows, **early})


def arm(run: Record, answers: NDArray[np.bool_] | None = None, *, confidence: float = 0.95) -> Arm:
    verdict = {
        "meets_budget": True,
        "confidence": confidence,
        "reaction": {"value_ps": 1, "quantile": 0.99},
        "throughput": {"stable": None},
        "logical": {"rate": None},
    }
    return Arm({"verdict": verdict}, run, answers)


def test_ratios_say_how_much_better_the_first_arm_is() -> None:
    first, second = arm(record(ROUND_PS)), arm(record(3 * ROUND_PS, predecode_ps=ROUND_PS))
    found = compare(first, second)
    mine, other = found["arms"]
    assert mine["decoding_ps_per_round"] == ROUND_PS / 5
    assert other["decoding_ps_per_round"] == 4 * ROUND_PS / 5
    assert found["speedup"] == 4
    assert (mine["reaction_p50_ps"], other["reaction_p50_ps"]) == (ROUND_PS, 4 * ROUND_PS)
    assert found["reaction_ratio"] == 4
    assert compare(second, first)["speedup"] == 0.25


def test_waiting_is_no_decoding() -> None:
    run = record(7 * ROUND_PS)  # a window every 5 rounds: the queue grows
    [mine, _] = compare(arm(run), arm(run))["arms"]
    assert mine["decoding_ps_per_round"] == 7 * ROUND_PS / 5
    assert mine["reaction_p50_ps"] > 50 * ROUND_PS


def test_logical_errors_are_paired_shot_by_shot() -> None:
    mine, other = wrong(1, 2), wrong(2, 3, 4, 5, 6, 7, 8, 9)
    run = record(ROUND_PS)
    found = compare(arm(run, mine, confidence=0.9), arm(run, other))["logical"]
    assert found["errors"] == [2, 8]
    assert (found["only_first"], found["only_second"], found["shots"]) == (1, 7, SHOTS)
    assert found["ratio"] == 4
    paired = PairedCount.of(other, mine)
    assert found["ratio_ci"] == paired.ratio_interval(0.9)
    assert found["ratio_ci"][0] < 4 < found["ratio_ci"][1]
    # exact binomial: 1 or fewer, or 7 or more, of 8 tosses
    assert found["p_value"] == pytest.approx(2 * 9 / 256)
    swapped = compare(arm(run, other), arm(run, mine))["logical"]
    assert swapped["errors"] == [8, 2]
    assert swapped["ratio"] == 0.25
    assert swapped["p_value"] == found["p_value"]


@pytest.mark.parametrize("first", [None, wrong(1)])
def test_errors_that_one_arm_does_not_know_are_not_compared(
    first: NDArray[np.bool_] | None,
) -> None:
    run = record(ROUND_PS)
    assert compare(arm(run, first), arm(run, None))["logical"] is None


def test_without_errors_there_is_no_ratio() -> None:
    run = record(ROUND_PS)
    none = compare(arm(run, wrong()), arm(run, wrong()))["logical"]
    assert (none["ratio"], none["ratio_ci"], none["p_value"]) == (None, None, 1.0)
    assert compare(arm(run, wrong()), arm(run, wrong(3)))["logical"]["ratio"] is None


def test_arms_on_other_shots_are_refused() -> None:
    run = record(ROUND_PS)
    with pytest.raises(ValueError, match="not paired"):
        compare(arm(run, wrong()), arm(run, wrong()[1:]))


def test_no_window_and_no_time_give_no_ratio() -> None:
    run = record(ROUND_PS)
    empty = replace(run, windows={name: column[:0] for name, column in run.windows.items()})
    found = compare(arm(run), arm(empty))
    assert found["arms"][1]["decoding_ps_per_round"] is None
    assert found["arms"][1]["reaction_p50_ps"] is None
    assert found["speedup"] is None
    assert found["reaction_ratio"] is None
    instant = record(0)
    assert compare(arm(instant), arm(run))["speedup"] is None
    assert compare(arm(run), arm(instant))["speedup"] == 0


def test_a_comparison_is_plain_data() -> None:
    def refuse(value: Any) -> None:
        raise AssertionError(type(value))

    run = record(ROUND_PS)
    found = compare(arm(run, wrong(1)), arm(run, wrong(1, 2)))
    json.dumps(found, default=refuse, allow_nan=False)
