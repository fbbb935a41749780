import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.correlation import (
    Memory,
    Series,
    autocorrelation_time,
    binomial_interval,
    correlated_interval,
    effective_samples,
    proportion_interval,
    relative_memory,
    share_bounds,
)
from tests.results.queue import md1_latencies


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


def _summed_lag_by_lag(values: np.ndarray, *, quick: bool) -> float:
    """The autocorrelation time by its definition, one lag after the other."""
    count, limit = len(values), 1 if quick else 3
    size = math.ceil(math.sqrt(count) / (16 if quick else 4))
    bins = count // size
    means = np.array([np.mean(values[k * size : (k + 1) * size]) for k in range(bins)])
    means = means - np.mean(values)
    gaps = means - np.mean(means)
    lags = [float(gaps[: bins - k] @ gaps[k:]) / bins for k in range(max(2, bins // 2))]
    for last in range(len(lags)):
        time = 1 + 2 * sum(lags[1 : last + 1]) / lags[0]
        if last >= limit * time:
            break
    bias = max(0.1, 1 - (2 * last + 1) / bins)  # of a mean over the same series
    return float(min(count, max(1.0, time * lags[0] * size / np.var(values) / bias)))


def _walk(count: int, memory: float) -> np.ndarray:
    kicks = np.random.default_rng((count, round(100 * memory) + 100)).normal(size=count)
    weights = memory ** np.arange(count)
    return (1e6 * np.convolve(kicks, weights)[:count]).astype(np.int64)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("memory", [-0.5, 0.3, 0.8, 0.97, 1.0])
def test_autocorrelation_time_is_the_sum_over_lags(memory: float, quick: bool) -> None:
    for count in (*range(2, 30), 33, 64, 100, 401, 1000):
        values = _walk(count, memory)
        found = autocorrelation_time(values, quick=quick)
        assert found == pytest.approx(_summed_lag_by_lag(values, quick=quick), rel=1e-9)
        above = values > np.median(values)  # events count as 0 and 1
        found = autocorrelation_time(above.astype(np.int64), quick=quick)
        assert autocorrelation_time(above, quick=quick) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("count", [2, 3, 4, 20, 100])
def test_autocorrelation_time_of_a_rise_is_at_most_the_series(count: int) -> None:
    values = np.arange(count, dtype=np.int64)
    assert autocorrelation_time(values) == pytest.approx(_summed_lag_by_lag(values, quick=False))


def test_one_sample_and_a_constant_show_no_correlation() -> None:
    assert autocorrelation_time(np.array([], dtype=np.int64)) == 1.0
    assert autocorrelation_time(np.array([5], dtype=np.int64)) == 1.0
    assert autocorrelation_time(np.ones(1000, dtype=np.bool_)) == 1.0
    assert autocorrelation_time(np.full(1000, 10**15 + 1, dtype=np.int64)) == 1.0


def test_a_trend_is_worth_next_to_nothing() -> None:
    tau = autocorrelation_time(np.arange(10_000, dtype=np.int64))
    assert tau > 1000


def test_a_memory_is_seen_beneath_noise_and_a_periodic_pattern() -> None:
    rng = np.random.default_rng(3)
    kicks = rng.normal(size=200_199)
    slow = np.convolve(kicks, np.ones(200), mode="valid") / np.sqrt(200)
    noise = 2 * rng.normal(size=200_000)
    pattern = np.where(np.arange(200_000) % 2, 3.0, -3.0)
    for hidden, variance in ((noise, 4.0), (pattern, 9.0)):
        tau = autocorrelation_time(((slow + hidden) * 1e6).astype(np.int64))
        # The pattern has no long-run variance of its own, the noise that of independent samples.
        expected = (200 + (4 if hidden is noise else 0)) / (1 + variance)
        assert tau == pytest.approx(expected, rel=0.2)


def test_the_quick_estimate_is_lower() -> None:
    rng = np.random.default_rng(4)
    slow = np.convolve(rng.normal(size=20_000), np.exp(-np.arange(400) / 40), mode="valid")
    values = (slow * 1e6).astype(np.int64)
    full, quick = autocorrelation_time(values), autocorrelation_time(values, quick=True)
    assert 0.5 * full < quick < 0.9 * full


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_relative_memory_is_that_of_a_reflected_walk(share: float) -> None:
    # A birth-death chain of steps h with drift -1 and variance 1. The asymptotic variance of f is
    # 2 sum over k of (sum over j <= k of pi_j f_j)^2 / (pi_k up).
    step = 0.002
    up, down = (1 / step**2 - 1 / step) / 2, (1 / step**2 + 1 / step) / 2
    level = np.arange(0, 12, step)
    weight = np.cumprod(np.concatenate([[1.0], np.full(len(level) - 1, up / down)]))
    weight /= weight.sum()

    def time(values: np.ndarray) -> float:
        centred = values - weight @ values
        flow = np.cumsum(weight * centred)[:-1]
        return float(2 * np.sum(flow**2 / (weight[:-1] * up)) / (weight @ centred**2))

    beyond = (np.cumsum(weight) > 1 - share).astype(float)
    assert relative_memory(share) == pytest.approx(time(beyond) / time(level), rel=0.01)


def test_relative_memory_ends_at_that_of_the_level_and_at_none() -> None:
    assert (relative_memory(0.0), relative_memory(1.0)) == (1.0, 0.0)
    assert relative_memory(1e-9) == pytest.approx(1.0)


def test_the_memory_of_a_queue_ties_its_levels_together() -> None:
    values = md1_latencies(np.random.default_rng(5), 0.8, 400_000, 1)[0]
    memory = Series(values).memory
    assert memory is not None
    for share in (0.5, 0.1, 0.02):
        own = autocorrelation_time(values > np.quantile(values, 1 - share))
        assert memory.implied(share) == pytest.approx(own, rel=0.2)


def test_an_event_of_many_bursts_has_its_own_memory() -> None:
    memory = Memory(count=100_000, level=40.0, median=13.0, short=9.0, above=0.5)
    assert memory.of_event(20.0, 0.1) == 20.0  # 500 bursts
    assert memory.of_event(20.0, 0.01) == memory.implied(0.01) > 35  # 50 bursts
    assert memory.of_event(90.0, 0.01) == 90.0


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_hundred_bursts_are_many(share: float) -> None:
    memory = Memory(count=40_000, level=1000.0, median=13.0, short=9.0, above=0.5)
    assert memory.of_event(100.0, share) == 100.0  # 10,000 samples on the rarer side
    assert memory.of_event(100.1, share) == memory.implied(share) > 130


def test_the_larger_of_two_memories_is_implied() -> None:
    memory = Memory(count=100_000, level=41.0, median=13.0, short=9.0, above=0.5)
    assert memory.bulk(0.5) == pytest.approx(13.0)
    scale, half = relative_memory(0.1), relative_memory(0.5)
    assert memory.bulk(0.1) == pytest.approx(1 + 12 * scale / half)
    assert memory.implied(0.1) == pytest.approx(1 + 40 * scale)
    other = Memory(count=100_000, level=11.0, median=13.0, short=9.0, above=0.5)
    assert other.implied(0.1) == other.bulk(0.1)


def test_the_level_that_is_called_the_median_may_lie_above_it() -> None:
    # where many latencies are equal; an event that is rarer than half has more of the memory
    rare, common = (Memory(10**5, 1.0, 13.0, 9.0, above) for above in (0.2, 0.8))
    half, tenth = relative_memory(0.5), relative_memory(0.1)
    assert rare.bulk(0.1) == pytest.approx(1 + 12 * tenth / relative_memory(0.2))
    assert common.bulk(0.1) == pytest.approx(1 + 12 * tenth / half)


def test_rare_events_need_longer_series() -> None:
    memory = Memory(count=1000, level=40.0, median=13.0, short=9.0, above=0.5)
    assert memory.needed(0.5) == memory.needed(0.01) == memory.needed(0.99)
    assert memory.needed(0.001) == 10 * memory.needed(0.01)
    # one of a thousand is the rarest that such a series can have seen
    assert memory.needed(0.0) == memory.needed(1.0) == memory.needed(0.001)
    independent = Memory(count=1000, level=1.0, median=1.0, short=1.0, above=0.5)
    assert independent.needed(0.5) == 300
    assert memory.needed(0.5) == 300 + 570 * 8


def test_groups_of_samples_remember_fewer_of_each_other() -> None:
    grouped = Memory(count=1000, level=40.0, median=13.0, short=9.0, above=0.5).grouped(10)
    assert grouped == Memory(count=100, level=4.0, median=1.3, short=1.0, above=0.5)


def test_memory_of_a_series_that_is_mostly_at_its_largest() -> None:
    rng = np.random.default_rng(6)
    memory = Series((rng.random(10_000) < 0.8).astype(np.int64)).memory
    assert memory is not None
    assert memory.above == pytest.approx(0.8, abs=0.02)
    assert memory.median == pytest.approx(1.0, abs=0.3)
    assert Series(np.array([1], dtype=np.int64)).memory is None
    assert Series(np.array([1, 2], dtype=np.int64)).memory is not None


def test_memory_of_a_series_is_that_of_its_level_and_of_its_median() -> None:
    slow = np.convolve(np.random.default_rng(8).normal(size=2099), np.ones(100), mode="valid")
    values = (slow * 1e6).astype(np.int64)
    above = values > np.sort(values)[1000]  # the median and those below it are not above it
    expected = Memory(
        2000,
        autocorrelation_time(values),
        autocorrelation_time(above),
        autocorrelation_time(above, quick=True),
        999 / 2000,
    )
    assert expected.level != expected.median != expected.short
    assert Series(values).memory == expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200), st.data())
def test_ranked_samples_are_those_of_a_sort(values: list[int], data: st.DataObject) -> None:
    series = Series(np.array(values, dtype=np.int64))
    ranks = st.lists(st.integers(0, len(values) - 1), max_size=20)
    for rank in data.draw(ranks):
        assert series.ranked(rank) == sorted(values)[rank]
    assert series.values.tolist() == values


def test_few_correlation_times_are_worth_fewer_samples() -> None:
    assert effective_samples(1000, 1.0, 0.95) == 1000
    long, short = effective_samples(10**7, 10.0, 0.95), effective_samples(2000, 10.0, 0.95)
    assert long == pytest.approx(10**6, rel=1e-3)
    # 10 degrees of freedom: t is 2.228 where z is 1.960
    assert short == pytest.approx(200 * (1.95996 / 2.22814) ** 2, rel=1e-4)
    # at least one degree, of which t is 1 at 75 %, and at least one sample
    assert effective_samples(100, 10.0, 0.5) == pytest.approx(10 * 0.67449**2, rel=1e-4)
    assert effective_samples(100, 80.0, 0.95) == 1.0


def test_repeating_every_sample_does_not_add_information() -> None:
    hits = np.random.default_rng(2).random(20_000) < 0.1
    widths = []
    for series in (hits, np.repeat(hits, 10)):
        memory = Series(series.astype(np.int64)).memory
        assert memory is not None
        interval = proportion_interval(series, memory, 0.95)
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


def test_too_short_a_series_gives_no_interval() -> None:
    hits = np.array([True, False] * 500)
    memory = Memory(count=1000, level=20.0, median=10.0, short=8.0, above=0.5)
    assert proportion_interval(hits, memory, 0.95) is None
    assert proportion_interval(np.tile(hits, 10), memory, 0.95) is not None


def test_an_interval_is_given_from_the_needed_length_on_with_the_time_of_the_event() -> None:
    memory = Memory(count=1000, level=30.0, median=2.0, short=2.0, above=0.5)
    hits = np.random.default_rng(9).random(870) < 0.05
    own = autocorrelation_time(hits)
    assert memory.needed(0.5) == 870
    assert proportion_interval(hits[1:], memory, 0.9) is None
    tau = memory.of_event(own, hits.sum() / 870)
    assert tau > own
    expected = correlated_interval(int(hits.sum()), 870, tau, 0.9)
    assert proportion_interval(hits, memory, 0.9) == expected


def test_shares_of_three_samples() -> None:
    # Beta(1, 1) is uniform, and Beta(1, 2) has the distribution 1 - (1 - x)^2
    assert share_bounds(0.5, 2.0, 0.9) == pytest.approx((0.05, 0.95))
    ends = 1 - math.sqrt(0.95), 1 - math.sqrt(0.05)
    assert share_bounds(1 / 3, 3.0, 0.9) == pytest.approx(ends)


@given(st.integers(0, 1000), st.floats(1.0, 300.0))
def test_a_correlated_interval_holds_the_exact_one_and_its_mirror_image(
    hits: int, tau: float
) -> None:
    interval = correlated_interval(hits, 1000, tau, 0.95)
    mirrored = correlated_interval(1000 - hits, 1000, tau, 0.95)
    exact = binomial_interval(hits, 1000, 0.95)
    assert interval is not None
    assert mirrored is not None
    assert exact is not None
    assert 0 <= interval[0] <= exact[0] <= exact[1] <= interval[1] <= 1
    assert interval == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-8)


def test_a_correlated_interval_ends_where_what_was_seen_becomes_unlikely() -> None:
    interval = correlated_interval(3000, 100_000, 40.0, 0.95)
    assert interval is not None
    samples = effective_samples(100_000, 40.0, 0.95)
    assert share_bounds(interval[0], samples, 0.95)[1] == pytest.approx(0.03, rel=1e-6)
    assert share_bounds(interval[1], samples, 0.95)[0] == pytest.approx(0.03, rel=1e-6)
    assert correlated_interval(30, 1000, 1.0, 0.95) == binomial_interval(30, 1000, 0.95)
    assert correlated_interval(0, 0, 5.0, 0.95) is None


def test_one_hit_in_a_burst_does_not_bound_the_rate_more_than_none() -> None:
    none, one = (correlated_interval(hits, 10_000, 200.0, 0.95) for hits in (0, 1))
    assert none is not None
    assert one is not None
    assert one[1] >= none[1]
    every, but_one = (correlated_interval(hits, 10_000, 200.0, 0.95) for hits in (10_000, 9999))
    assert every is not None
    assert but_one is not None
    assert but_one[0] <= every[0]


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
    # one of two: the roots of 1 - (1 - p)^2 and of 1 - p^2 at 5 %
    ends = 1 - math.sqrt(0.95), math.sqrt(0.95)
    assert binomial_interval(1, 2, 0.9) == pytest.approx(ends)
    assert binomial_interval(0, 1, 0.9) == pytest.approx((0, 0.9))
    assert binomial_interval(1, 1, 0.9) == pytest.approx((0.1, 1))


def test_without_hits_the_rule_of_three_holds() -> None:
    interval = binomial_interval(0, 10_000, 0.95)
    assert interval is not None
    assert interval[0] == 0
    assert interval[1] == pytest.approx(3 / 10_000, rel=0.01)
    mirrored = binomial_interval(10_000, 10_000, 0.95)
    assert mirrored == pytest.approx((1 - interval[1], 1.0))
    assert binomial_interval(0, 0, 0.95) is None


def test_without_hits_correlated_samples_bound_the_rate_less() -> None:
    free, tied = correlated_interval(0, 10_000, 1.0, 0.95), correlated_interval(0, 10_000, 20, 0.95)
    assert free is not None
    assert tied is not None
    assert tied[0] == 0
    # 25 degrees of freedom: t is 2.060
    assert tied[1] == pytest.approx(20 * free[1] * (2.0595 / 1.95996) ** 2, rel=0.01)


def test_a_little_memory_costs_samples() -> None:
    assert effective_samples(1000, 1.0, 0.95) == 1000
    assert effective_samples(1000, 1.5, 0.95) < 1000 / 1.5
