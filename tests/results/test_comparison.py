import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.loop.records import TIMESTAMPS, Record
from emulator.results import Budget
from emulator.results.comparison import Arm, PairedErrors, compare
from emulator.results.rates import PairedCount
from tests.results.made import judged
from tests.results.queue import ROUND_PS, run_of

SHOTS = 200


def wrong(*shots: int) -> NDArray[np.bool_]:
    found = np.zeros(SHOTS, dtype=np.bool_)
    found[list(shots)] = True
    return found


def record(service_ps: int, *, predecode_ps: int = 0) -> Record:
    run = run_of(np.full(SHOTS, service_ps, dtype=np.int64))
    before = TIMESTAMPS[: TIMESTAMPS.index("predecode_end_ps")]
    early = {name: run.windows[name] - predecode_ps for name in before}
    return replace(run, windows={**run.windows, **early})


def arm(run: Record, answers: NDArray[np.bool_] | None = None, *, confidence: float = 0.95) -> Arm:
    return Arm(judged(run, Budget(confidence=confidence)), run, answers)


def paired(first: Arm, second: Arm) -> PairedErrors:
    found = compare(first, second).logical
    assert found is not None
    return found


def test_ratios_say_how_much_better_the_first_arm_is() -> None:
    first, second = arm(record(ROUND_PS)), arm(record(3 * ROUND_PS, predecode_ps=ROUND_PS))
    found = compare(first, second)
    mine, other = found.arms
    assert mine.decoding_ps_per_round == ROUND_PS / 5
    assert other.decoding_ps_per_round == 4 * ROUND_PS / 5
    assert found.speedup == 4
    assert (mine.reaction_p50_ps, other.reaction_p50_ps) == (ROUND_PS, 4 * ROUND_PS)
    assert found.reaction_ratio == 4
    assert compare(second, first).speedup == 0.25


def test_waiting_is_no_decoding() -> None:
    run = record(7 * ROUND_PS)  # a window every 5 rounds: the queue grows
    [mine, _] = compare(arm(run), arm(run)).arms
    assert mine.decoding_ps_per_round == 7 * ROUND_PS / 5
    assert mine.reaction_p50_ps is not None
    assert mine.reaction_p50_ps > 50 * ROUND_PS


def test_logical_errors_are_paired_shot_by_shot() -> None:
    mine, other = wrong(1, 2), wrong(2, 3, 4, 5, 6, 7, 8, 9)
    run = record(ROUND_PS)
    found = paired(arm(run, mine, confidence=0.9), arm(run, other))
    assert found.errors == (2, 8)
    assert (found.only_first, found.only_second, found.shots) == (1, 7, SHOTS)
    assert found.ratio == 4
    count = PairedCount.of(other, mine)
    assert found.ratio_ci == count.ratio_interval(0.9)
    assert found.ratio_ci is not None
    low, high = found.ratio_ci
    assert high is not None
    assert low < 4 < high
    # exact binomial: 1 or fewer, or 7 or more, of 8 tosses
    assert found.p_value == pytest.approx(2 * 9 / 256)
    swapped = paired(arm(run, other), arm(run, mine))
    assert swapped.errors == (8, 2)
    assert swapped.ratio == 0.25
    assert swapped.p_value == found.p_value


@pytest.mark.parametrize("first", [None, wrong(1)])
def test_errors_that_one_arm_does_not_know_are_not_compared(
    first: NDArray[np.bool_] | None,
) -> None:
    run = record(ROUND_PS)
    assert compare(arm(run, first), arm(run, None)).logical is None


def test_without_errors_there_is_no_ratio() -> None:
    run = record(ROUND_PS)
    none = paired(arm(run, wrong()), arm(run, wrong()))
    assert (none.ratio, none.ratio_ci, none.p_value) == (None, None, 1.0)
    assert paired(arm(run, wrong()), arm(run, wrong(3))).ratio is None


def test_arms_on_other_shots_are_refused() -> None:
    run = record(ROUND_PS)
    with pytest.raises(ValueError, match="not paired"):
        compare(arm(run, wrong()), arm(run, wrong()[1:]))


def test_no_window_and_no_time_give_no_ratio() -> None:
    run = record(ROUND_PS)
    empty = replace(run, windows={name: column[:0] for name, column in run.windows.items()})
    found = compare(arm(run), arm(empty))
    assert found.arms[1].decoding_ps_per_round is None
    assert found.arms[1].reaction_p50_ps is None
    assert found.speedup is None
    assert found.reaction_ratio is None
    instant = record(0)
    assert compare(arm(instant), arm(run)).speedup is None
    assert compare(arm(run), arm(instant)).speedup == 0


def test_a_comparison_is_a_value() -> None:
    run = record(ROUND_PS)
    found = compare(arm(run, wrong(1)), arm(run, wrong(1, 2)))
    assert pickle.loads(pickle.dumps(found)) == found
