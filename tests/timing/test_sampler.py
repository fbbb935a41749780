"""Moments and quantiles of every random model against their closed forms."""

from math import exp, log, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from tests.timing.helpers import constant, draws, lognormal, service

N = 100_000


def test_normal_has_its_mean_and_sd() -> None:
    times = draws(service({"kind": "normal", "mean": "3.839 us", "sd": "35 ns"}))
    assert times.mean() == pytest.approx(3_839_000, abs=5 * 35_000 / sqrt(N))
    assert times.std() == pytest.approx(35_000, rel=5 / sqrt(2 * N))


def test_normal_stops_at_its_floor() -> None:
    table = {"kind": "normal", "mean": "1 us", "sd": "1 us", "floor": "0.5 us"}
    times = draws(service(table))
    below = norm.cdf(-0.5)
    assert times.min() == 500_000
    assert (times == 500_000).mean() == pytest.approx(below, abs=5 * sqrt(below / N))


def test_normal_without_a_floor_is_never_negative() -> None:
    times = draws(service({"kind": "normal", "mean": "1 ns", "sd": "1 us"}), 10_000)
    assert times.min() == 0


def test_shifted_lognormal_has_its_moments() -> None:
    median, sigma, shift = 60e6, 0.5, 20e6
    times = draws(service(lognormal("60 us", sigma, "20 us")))
    mean = median * exp(sigma**2 / 2)
    sd = mean * sqrt(exp(sigma**2) - 1)
    assert times.mean() == pytest.approx(shift + mean, abs=5 * sd / sqrt(N))
    assert times.std() == pytest.approx(sd, rel=0.03)
    assert np.median(times) == pytest.approx(shift + median, rel=0.01)
    assert times.min() > shift


def test_mixture_mixes_by_relative_weight() -> None:
    components = [
        {"weight": 3, "delay": constant("10 us")},
        {"weight": 1, "delay": lognormal("100 us", 0.2)},
    ]
    times = draws(service({"kind": "mixture", "components": components}))
    assert (times == 10_000_000).mean() == pytest.approx(0.75, abs=5 * sqrt(0.75 * 0.25 / N))
    mean = 0.75 * 10e6 + 0.25 * 100e6 * exp(0.02)
    assert times.mean() == pytest.approx(mean, rel=0.02)


def test_quantiles_are_met_and_not_exceeded() -> None:
    points = {"0.1": "100 us", "0.5": "200 us", "0.99": "1200 us"}
    times = draws(service({"kind": "quantiles", "points": points}))
    assert times.min() == 100_000_000
    assert times.max() == 1_200_000_000
    assert (times == 100_000_000).mean() == pytest.approx(0.1, abs=0.005)
    assert np.median(times) == pytest.approx(200e6, rel=0.01)
    # half-way between two quantiles lies the geometric mean of their times
    assert np.quantile(times, 0.3) == pytest.approx(exp(log(100e6 * 200e6) / 2), rel=0.01)
