import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.correlation import (
    autocorrelation_time,
    binomial_interval,
    effective_samples,
    proportion_interval,
)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_autoregressive_series(memory: float) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=200_000)
    series = np.empty_like(noise)
    state = 0.0
    for k, kick in enumerate(noise):
        state = memory * state + kick
        series[k] = state
    tau = autocorrelation_time((series * 1e6).astype(np.int64))
    assert tau == pytest.approx((1 + memory) / (1 - memory), rel=0.1)


def test_autocorrelation_time_needs_two_samples_and_is_one_for_a_constant() -> None:
    assert autocorrelation_time(np.array([], dtype=np.int64)) is None
    assert autocorrelation_time(np.array([5], dtype=np.int64)) is None
    assert autocorrelation_time(np.full(1000, 10**15 + 1, dtype=np.int64)) == 1.0


def test_a_trend_is_worth_next_to_nothing() -> None:
    tau = autocorrelation_time(np.arange(10_000, dtype=np.int64))
    assert tau is not None
    assert tau > 1000


def test_repeating_every_sample_does_not_add_information() -> None:
    rng = np.random.default_rng(2)
    hits = rng.random(20_000) < 0.1
    alone = effective_samples(hits, 1.0, 0.95)
    repeated = effective_samples(np.repeat(hits, 10), 10.0, 0.95)
    assert alone is not None
    assert repeated is not None
    assert repeated == pytest.approx(alone, rel=0.35)


def test_too_short_a_series_gives_no_interval() -> None:
    hits = np.array([True, False] * 50)
    assert effective_samples(hits, 10.0, 0.95) is None
    assert proportion_interval(hits, 10.0, 0.95) is None


@given(st.integers(1, 10_000), st.data())
def test_binomial_interval_encloses_the_rate(samples: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, samples))
    interval = binomial_interval(hits, samples, 0.95)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= hits / samples <= high <= 1


def test_binomial_interval_is_the_exact_one_of_scipy() -> None:
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to import

    exact = binomtest(7, 300).proportion_ci(0.9, "exact")
    assert binomial_interval(7, 300, 0.9) == pytest.approx((exact.low, exact.high))


def test_without_hits_the_rule_of_three_holds() -> None:
    interval = binomial_interval(0, 10_000, 0.95)
    assert interval is not None
    assert interval[0] == 0
    assert interval[1] == pytest.approx(3 / 10_000, rel=0.01)
    mirrored = binomial_interval(10_000, 10_000, 0.95)
    assert mirrored == pytest.approx((1 - interval[1], 1.0))
    assert binomial_interval(0, 0, 0.95) is None


def test_without_hits_correlated_samples_bound_the_rate_less() -> None:
    none = np.zeros(10_000, dtype=np.bool_)
    free, tied = proportion_interval(none, 1.0, 0.95), proportion_interval(none, 50.0, 0.95)
    assert free is not None
    assert tied is not None
    assert tied[1] == pytest.approx(50 * free[1], rel=0.05)
