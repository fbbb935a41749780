"""Quantiles of Student's t against those of SciPy."""

import math

import pytest
from scipy.special import stdtrit

from emulator.results.growth import Growth
from emulator.results.loads import LoadEstimate
from emulator.results.student import student_quantile

PROBABILITIES = (1e-6, 0.001, 0.025, 0.3, 0.45, 0.5, 0.6, 0.95, 0.975, 0.9999, 1 - 1e-6)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 9, 38, 99, 400, 999, 1000, 1001, 10**6])
def test_quantiles_are_those_of_scipy(freedom: int) -> None:
    found = [student_quantile(freedom, probability) for probability in PROBABILITIES]
    assert found == pytest.approx(stdtrit(freedom, PROBABILITIES), rel=1e-9, abs=1e-15)


def test_the_law_of_one_degree_is_cauchys() -> None:
    assert student_quantile(1, 0.75) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("probability", [1e-300, 1e-9, 1 - 1e-9, math.nextafter(1.0, 0.0)])
def test_far_tails_are_scipys(probability: float) -> None:
    assert student_quantile(9, probability) == float(stdtrit(9, probability))


def test_bounds_of_growth_and_load_are_students() -> None:
    t = 2.262157  # 9 degrees of freedom, 97.5 %, of any printed table
    growth, load = Growth(1.0, 0.1, freedom=9), LoadEstimate(1.0, 0.1, freedom=9)
    assert growth.bound(0.975) == pytest.approx(1 + 0.1 * t)
    assert growth.bound(0.025) == pytest.approx(1 - 0.1 * t)
    assert load.high(0.975) == pytest.approx(math.exp(0.1 * t))
    assert load.low(0.975) == pytest.approx(math.exp(-0.1 * t))
