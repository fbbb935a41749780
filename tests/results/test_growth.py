"""Growth of the lag, from windows that are written down by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.numbering import Emission
from emulator.results.growth import Growth, lag_growth

Windows = dict[str, NDArray[np.int64]]
PERIOD = 100


def _windows(shot: list[int], emitted: list[int], lag: list[int], **columns: list[int]) -> Windows:
    count = len(shot)
    given = {
        "window": list(range(count)),
        "patch": [0] * count,
        "shot": shot,
        "first_round": [0] * count,
        "last_round": [4] * count,
        "emitted_ps": emitted,
        "applied_ps": [a + b for a, b in zip(emitted, lag, strict=True)],
        **columns,
    }
    return {name: np.array(column, dtype=np.int64) for name, column in given.items()}


def _shots(lags: list[int]) -> Windows:
    """One window a shot, with these lags."""
    shots = list(range(len(lags)))
    return _windows(shots, [PERIOD * (shot + 1) for shot in shots], lags)


def _emission(shots: int, **kwargs: int) -> Emission:
    return Emission(PERIOD // 5, 5, shots, **kwargs)


@pytest.mark.parametrize(("count", "size"), [(10, 1), (39, 1), (40, 2), (41, 2), (47, 2), (60, 3)])
def test_growth_is_that_between_the_means_of_the_last_blocks(count: int, size: int) -> None:
    lags = np.random.default_rng(count).integers(0, 1000, count).tolist()
    found = lag_growth(_shots(lags), _emission(count))
    blocks = count // size
    last = lags[count - size * blocks :]
    means = [sum(last[k * size : (k + 1) * size]) / size for k in range(blocks)]
    rates = [(after - before) / (size * PERIOD) for before, after in pairwise(means)]
    mean = sum(rates) / len(rates)
    variance = sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)
    assert found is not None
    assert found.rate == pytest.approx(mean)
    assert found.error == pytest.approx(math.sqrt(1.5 * variance / len(rates)))
    assert found.freedom == len(rates) - 1


def test_fewer_than_ten_points_have_no_growth() -> None:
    assert lag_growth(_shots([5] * 10), _emission(10)) is not None
    assert lag_growth(_shots([5] * 9), _emission(9)) is None
    assert lag_growth(_shots([]), _emission(1)) is None


def test_a_shot_is_one_point_whatever_its_patches_and_windows() -> None:
    # two windows of each of two patches in each of ten shots, late by 0, 1, 2 and 3 shots' lags
    shots = np.repeat(np.arange(10), 4)
    place = np.tile(np.arange(4), 10)
    emitted = PERIOD * shots + 10 * place
    windows = _windows(
        shots.tolist(), emitted.tolist(), (7 * shots * place).tolist(), patch=(place % 2).tolist()
    )
    order = np.random.default_rng(1).permutation(40)
    shuffled = {name: column[order] for name, column in windows.items()}
    for table in (windows, shuffled):
        found = lag_growth(table, _emission(10, patches=2, patch_offset_ps=10))
        assert found is not None
        # a shot later the mean lag is 7 * (0 + 1 + 2 + 3) / 4 more
        assert found.rate == pytest.approx(10.5 / PERIOD)
        assert found.error == pytest.approx(0, abs=1e-12)


def test_shots_at_one_instant_have_no_growth() -> None:
    emitted = [PERIOD * shot for shot in range(10)]
    emitted[4] = emitted[3]
    assert lag_growth(_windows(list(range(10)), emitted, [5] * 10), _emission(10)) is None


def _stream(windows: int, **columns: list[int]) -> Windows:
    """Windows of one shot, a period apart, each a picosecond later than the one before."""
    places = list(range(windows))
    return _windows([0] * windows, [PERIOD * k for k in places], places, **columns)


def test_of_a_single_shot_without_a_pause_a_window_is_one_point() -> None:
    found = lag_growth(_stream(10), Emission(PERIOD // 5, 50, 1))
    assert found is not None
    assert found.rate == pytest.approx(1 / PERIOD)
    assert found.freedom == 8
    assert lag_growth(_stream(9), Emission(PERIOD // 5, 45, 1)) is None
    for others in (
        Emission(PERIOD // 5, 50, 1, shot_period_ps=10 * PERIOD + 1),  # a pause
        Emission(PERIOD // 5, 50, 2),  # another shot of which nothing came
    ):
        assert lag_growth(_stream(10), others) is None


def test_windows_of_all_patches_that_end_together_are_one_point() -> None:
    # two patches 30 ps apart whose lags differ by 8 ps
    both = {name: np.concatenate([column, column]) for name, column in _stream(10).items()}
    both["patch"] = np.repeat([0, 1], 10)
    both["window"] = np.arange(20)
    both["emitted_ps"] = both["emitted_ps"] + 30 * both["patch"]
    both["applied_ps"] = both["applied_ps"] + 38 * both["patch"]
    found = lag_growth(both, Emission(PERIOD // 5, 50, 1, patches=2, patch_offset_ps=30))
    assert found is not None
    assert found.rate == pytest.approx(1 / PERIOD)
    assert found.freedom == 8


def test_windows_of_another_length_and_those_behind_a_window_of_the_same_round_are_left_out() -> (
    None
):
    regular = _stream(10)
    extra = _windows(
        [0, 0],
        # one that is shorter, and one that waits for the round of the last window
        [int(regular["emitted_ps"][4]) + 50, int(regular["emitted_ps"][-1])],
        [10**6, 10**6],
        window=[10, 11],
        last_round=[3, 4],
    )
    windows = {name: np.concatenate([regular[name], extra[name]]) for name in regular}
    for order in (np.arange(12), np.arange(12)[::-1]):
        shuffled = {name: column[order] for name, column in windows.items()}
        found = lag_growth(shuffled, Emission(PERIOD // 5, 50, 1))
        assert found is not None
        assert found.rate == pytest.approx(1 / PERIOD)
        assert found.freedom == 8


def test_a_lag_that_grows_lets_the_backlog_grow_by_what_is_not_done() -> None:
    growth = Growth(1.0, 0.1, 9)
    assert growth.backlog_slope(1.0, 1000.0) == 500  # half of the rounds get done
    assert growth.backlog_slope(0.25, 1000.0) == 200
    assert growth.backlog_slope(-0.2, 1000.0) == -250
    # no loop empties its queue faster than it is given rounds
    assert growth.backlog_slope(-0.9, 1000.0) == growth.backlog_slope(-0.5, 1000.0) == -1000
