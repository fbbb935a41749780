"""Every distribution against its exact mean and quantiles, and at the ends of the possible."""

from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import norm

from emulator.timing.distribution import (
    Distribution,
    Gaussian,
    Interpolated,
    Resampled,
    ShiftedLognormal,
)
from emulator.timing.normal import normal_quantile
from emulator.timing.stream import LAST_LUCK
from tests.timing.helpers import constant, draws, lognormal, service

N = 100_000

BODY = {"kind": "normal", "mean": "3.839 us", "sd": "35 ns"}
TAIL = [{"weight": 3, "delay": BODY}, {"weight": 1, "delay": lognormal("100 us", 0.2)}]
QUANTILES = {"0.1": "100 us", "0.5": "200 us", "0.99": "1200 us"}

RANDOM: dict[str, dict[str, Any]] = {
    "normal": BODY,
    "floored": {"kind": "normal", "mean": "1 us", "sd": "1 us", "floor": "0.5 us"},
    "lognormal": lognormal("60 us", 0.5, "20 us"),
    "quantiles": {"kind": "quantiles", "points": QUANTILES},
    "mixture": {"kind": "mixture", "components": TAIL},
}


def exact_cdf(kind: str, time_ps: float) -> float:
    """Probability that a time of ``kind`` is at most ``time_ps``, in closed form."""
    body = norm.cdf(time_ps, 3_839_000, 35_000)
    if kind == "normal":
        return float(body)
    if kind == "floored":
        return float(norm.cdf(time_ps, 1e6, 1e6)) if time_ps >= 500_000 else 0.0
    if kind == "lognormal":
        return float(norm.cdf(log((time_ps - 20e6) / 60e6) / 0.5))
    if kind == "quantiles":
        times = [log(100e6), log(200e6), log(1200e6)]
        return float(np.interp(log(time_ps), times, [0.1, 0.5, 0.99]))
    return float(0.75 * body + 0.25 * norm.cdf(log(time_ps / 100e6) / 0.2))


@pytest.mark.parametrize("kind", RANDOM)
def test_draws_have_the_exact_quantiles(kind: str) -> None:
    times = draws(service(RANDOM[kind]), N)
    for share in (0.01, 0.1, 0.3, 0.5, 0.76, 0.9, 0.98):
        time_ps = float(np.quantile(times, share))
        error = 5 * sqrt(share * (1 - share) / N)
        # the floor and the first quantile hold more than their own share
        at_most, less = exact_cdf(kind, time_ps), exact_cdf(kind, time_ps * (1 - 1e-9))
        assert at_most >= share - error
        if kind in {"floored", "quantiles"} and time_ps == times.min():
            continue
        assert less <= share + error


@pytest.mark.parametrize(
    ("kind", "mean", "sd"),
    [
        ("normal", 3_839_000, 35_000),
        ("lognormal", 20e6 + 60e6 * exp(0.125), 60e6 * exp(0.125) * sqrt(exp(0.25) - 1)),
        ("mixture", 0.75 * 3_839_000 + 25e6 * exp(0.02), None),
    ],
)
def test_draws_have_the_exact_moments(kind: str, mean: float, sd: float | None) -> None:
    times = draws(service(RANDOM[kind]), N)
    assert times.mean() == pytest.approx(mean, abs=5 * float(times.std()) / sqrt(N))
    if sd is not None:
        assert times.std() == pytest.approx(sd, rel=0.03)


def test_normal_stops_at_its_floor() -> None:
    times = draws(service(RANDOM["floored"]), N)
    below = norm.cdf(-0.5)
    assert times.min() == 500_000
    assert (times == 500_000).mean() == pytest.approx(below, abs=5 * sqrt(below / N))


def test_normal_without_a_floor_is_never_negative() -> None:
    times = draws(service({"kind": "normal", "mean": "1 ns", "sd": "1 us"}), 10_000)
    assert times.min() == 0


def test_mixture_mixes_by_relative_weight() -> None:
    components = [
        {"weight": 3e300, "delay": constant("10 us")},
        {"weight": 1e300, "delay": lognormal("100 us", 0.2)},
        {"weight": 1e-300, "delay": constant("9 s")},
    ]
    times = draws(service({"kind": "mixture", "components": components}), N)
    assert (times == 10_000_000).mean() == pytest.approx(0.75, abs=5 * sqrt(0.75 * 0.25 / N))
    assert times.max() < 9e12


def test_a_mixture_of_mixtures_divides_the_share_of_its_part() -> None:
    inner = [{"weight": 1, "delay": constant("1 us")}, {"weight": 1, "delay": constant("2 us")}]
    components = [
        {"weight": 1, "delay": constant("3 us")},
        {"weight": 1, "delay": {"kind": "mixture", "components": inner}},
    ]
    times = draws(service({"kind": "mixture", "components": components}), N)
    for time_ps, share in ((1_000_000, 0.25), (2_000_000, 0.25), (3_000_000, 0.5)):
        assert (times == time_ps).mean() == pytest.approx(share, abs=0.01)


def test_quantiles_are_met_and_not_exceeded() -> None:
    times = draws(service(RANDOM["quantiles"]), N)
    assert times.min() == 100_000_000
    assert times.max() == 1_200_000_000
    assert (times == 100_000_000).mean() == pytest.approx(0.1, abs=0.005)
    # half-way between two quantiles lies the geometric mean of their times
    assert np.quantile(times, 0.3) == pytest.approx(exp(log(100e6 * 200e6) / 2), rel=0.01)


@given(low=st.integers(1, 10**18), rise=st.integers(0, 10**18), luck=st.floats(0.001, 0.999))
def test_no_time_is_beyond_the_listed_quantiles(low: int, rise: int, luck: float) -> None:
    made = Interpolated((0.1, 0.5), (low, low + rise))
    times = made.quantiles(np.array([2.0**-53, luck, 0.9]))
    assert low == times[0] <= times[1] <= times[2] == low + rise == made.longest_ps


def test_each_recorded_time_has_its_share_of_luck() -> None:
    made = Resampled(np.array([30, 10, 20, 40], dtype=np.int64))
    luck = np.array([1 - LAST_LUCK, 0.2499, 0.2501, 0.5, 0.7499, 0.7501, LAST_LUCK])
    assert made.quantiles(luck).tolist() == [10, 10, 20, 30, 30, 40, 40]
    assert made.longest_ps == 40
    assert made == Resampled(np.array([10, 20, 30, 40], dtype=np.int64))
    assert made != Resampled(np.array([10, 20, 30, 41], dtype=np.int64))


@given(count=st.integers(1, 2**50), small=st.integers(1, 3000))
def test_the_last_luck_has_the_last_rank_of_any_number_of_times(count: int, small: int) -> None:
    assert int(np.float64(LAST_LUCK) * count) == count - 1
    assert Resampled(np.arange(small, dtype=np.int64)).longest_ps == small - 1


TIMES = st.integers(1, 10**15)
DISTRIBUTIONS = st.one_of(
    st.builds(Gaussian, TIMES, TIMES, st.integers(0, 10**15)),
    st.builds(ShiftedLognormal, st.integers(0, 10**15), TIMES, st.floats(0.01, 1)),
    st.builds(lambda a, b: Interpolated((0.2, 0.9), (min(a, b), max(a, b))), TIMES, TIMES),
    st.builds(
        lambda times: Resampled(np.array(times, dtype=np.int64)), st.lists(TIMES, min_size=1)
    ),
)


@given(made=DISTRIBUTIONS, seed=st.integers(0, 1000))
def test_more_luck_is_never_a_shorter_time(made: Distribution, seed: int) -> None:
    luck: NDArray[np.float64] = np.sort(np.random.default_rng(seed).random(100))
    luck = np.concatenate([[1 - LAST_LUCK], np.maximum(luck, 1 - LAST_LUCK), [LAST_LUCK]])
    times = made.quantiles(luck)
    assert times.dtype == np.int64
    assert times[0] >= 0
    assert (np.diff(times) >= 0).all()
    assert times[-1] <= made.longest_ps


def test_normal_quantiles_are_those_of_other_implementations() -> None:
    middle = np.random.default_rng(1).random(10_000)
    ends = 2.0 ** -np.arange(2, 54)
    probability = np.concatenate([middle, ends, 1 - ends])
    found = normal_quantile(probability)
    assert found == pytest.approx(ndtri(probability), rel=1e-13)
    exact = NormalDist().inv_cdf
    assert found == pytest.approx([exact(p) for p in probability], rel=1e-13)
    assert normal_quantile(np.array([0.5])) == 0
