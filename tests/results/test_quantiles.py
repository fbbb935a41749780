from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaincinv

from emulator.results.correlation import (
    Memory,
    Series,
    autocorrelation_time,
    effective_samples,
)
from emulator.results.quantiles import (
    _most,
    _order_bounds,
    _refusal,
    _time_beyond,
    order_statistic,
    quantile_interval,
)
from tests.results.queue import md1_latencies


def _independent_interval(values: np.ndarray, quantile: float) -> tuple[int, int]:
    """The textbook interval that takes the latencies for independent."""
    half = 1.96 * np.sqrt(quantile * (1 - quantile) / len(values))
    low, high = np.quantile(values, [quantile - half, quantile + half], method="inverted_cdf")
    return int(low), int(high)


def test_interval_covers_the_quantile_of_a_loaded_queue_and_the_independent_one_does_not() -> None:
    rng = np.random.default_rng(7)
    quantile, runs = 0.95, 150
    truth = np.quantile(md1_latencies(rng, 0.9, 200_000, 20), quantile)
    covered, naive, given_up = 0, 0, 0
    for values in md1_latencies(rng, 0.9, 60_000, runs):
        estimate = quantile_interval(values, quantile, 0.95)
        low, high = _independent_interval(values, quantile)
        naive += bool(low <= truth <= high)
        if estimate.ci_ps is None:
            given_up += 1
        else:
            covered += bool(estimate.ci_ps[0] <= truth <= estimate.ci_ps[1])
    assert given_up < 0.1 * runs
    assert covered / (runs - given_up) >= 0.85
    assert naive / runs < 0.6


def test_interval_of_independent_latencies_is_the_exact_one() -> None:
    rng = np.random.default_rng(3)
    covered, widths = 0, []
    truth = -np.log(0.01) * 1e6
    for _ in range(200):
        values = rng.exponential(1e6, 4000).astype(np.int64)
        estimate = quantile_interval(values, 0.99, 0.95)
        assert estimate.ci_ps is not None
        covered += estimate.ci_ps[0] <= truth <= estimate.ci_ps[1]
        widths.append(estimate.ci_ps[1] - estimate.ci_ps[0])
    assert 0.88 <= covered / 200 <= 1.0
    # Of p99 of an exponential: sd = scale * sqrt(0.99 / 0.01 / n).
    assert np.median(widths) == pytest.approx(2 * 1.96 * 1e6 * np.sqrt(99 / 4000), rel=0.35)


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=300),
    st.sampled_from([0.25, 0.5, 0.9, 0.99, 0.999]),
)
def test_order_statistic_is_numpys_inverted_cdf(values: list[int], quantile: float) -> None:
    ordered = np.sort(np.array(values, dtype=np.int64))
    found = order_statistic(ordered, quantile)
    if found is None:
        assert len(values) * (1 - quantile) < 1
    else:
        share = np.mean(ordered <= found)
        assert share >= quantile - 1e-12
        assert np.mean(ordered < found) < quantile
        assert found in values


def test_quantile_is_not_shifted_by_rounding() -> None:
    ordered = np.arange(1, 1001, dtype=np.int64)
    assert order_statistic(ordered, 0.999) == 999
    assert order_statistic(ordered, 0.99) == 990
    assert order_statistic(ordered, 0.29) == 290


@pytest.mark.parametrize("count", [0, 1, 99])
def test_too_few_samples_for_the_quantile_have_no_value(count: int) -> None:
    estimate = quantile_interval(np.arange(count, dtype=np.int64), 0.99)
    assert estimate.value_ps is None
    assert estimate.ci_ps is None
    assert estimate.note is not None
    assert f"{count} windows do not reach p99, which needs at least 100" in estimate.note
    assert estimate.more_windows == 3000 - count  # 30 of them beyond
    memory = Series(np.arange(count, dtype=np.int64)).memory
    assert estimate.autocorrelation_windows == (memory.level if memory else None)


def test_a_low_quantile_has_few_samples_below_it() -> None:
    estimate = quantile_interval(np.array([7], dtype=np.int64), 0.25)
    assert (estimate.value_ps, estimate.more_windows) == (None, 119)
    assert "needs at least 2" in (estimate.note or "")


def test_few_samples_beyond_the_quantile_have_no_interval() -> None:
    rng = np.random.default_rng(4)
    estimate = quantile_interval(rng.integers(0, 10**6, 500), 0.99)
    assert estimate.value_ps is not None
    assert estimate.ci_ps is None
    assert estimate.note is not None
    assert "5 samples beyond the quantile, needs 30" in estimate.note
    assert estimate.more_windows == 2500


def test_a_series_correlated_over_its_length_has_no_interval() -> None:
    estimate = quantile_interval(np.arange(5000, dtype=np.int64), 0.9)
    assert estimate.value_ps == 4499
    assert estimate.ci_ps is None
    assert estimate.note is not None
    assert "too few for latencies as correlated as these" in estimate.note
    assert estimate.more_windows is not None
    assert estimate.more_windows > 5000


def test_a_run_too_short_for_its_load_has_no_interval_and_a_longer_one_has() -> None:
    values = md1_latencies(np.random.default_rng(8), 0.8, 60_000, 1)[0]
    short = quantile_interval(values[:1000], 0.5)
    assert short.value_ps is not None
    assert short.ci_ps is None
    assert short.more_windows is not None
    assert short.more_windows > 1000
    found = quantile_interval(values[:20_000], 0.5)
    assert found.ci_ps is not None
    assert found.more_windows is None


def test_a_few_bursts_beyond_the_quantile_give_no_interval_and_many_do() -> None:
    values = np.random.default_rng(9).integers(0, 10**6, 60_000)
    values[3000:3500] += 10**7  # of the 600 beyond p99
    assert quantile_interval(values, 0.9).ci_ps is not None
    estimate = quantile_interval(values, 0.99)
    assert estimate.ci_ps is None
    assert estimate.more_windows is not None
    assert 60_000 < estimate.more_windows < 300_000
    for start in range(0, 60_000, 2000):
        values[start : start + 30] += 10**7
    assert quantile_interval(values, 0.99).ci_ps is not None


def test_the_interval_ends_at_the_ranks_of_the_share_bounds() -> None:
    values = np.random.default_rng(10).permutation(2000)
    low, high = _order_bounds(Series(values), 0.9, 500.0, 0.95)
    bounds = betaincinv(450.0, 50.0, (0.025, 0.975))
    assert low == np.floor(2000 * bounds[0]) - 1
    assert high == np.ceil(2000 * bounds[1])
    assert _order_bounds(Series(values), 0.5, 0.1, 0.95) == (0, 1999)


def test_bursts_of_a_long_series_leave_windows_beyond_the_interval() -> None:
    memory = Memory(count=10_000, level=300.0, median=13.0, short=9.0, above=0.5)
    for quantile in (0.99, 0.01):
        assert _most(memory, quantile) == pytest.approx(100 / 1.2)
    assert _most(Memory(count=10, level=1.0, median=1.0, short=1.0, above=0.5), 0.99) == 1


def test_a_series_gives_the_intervals_of_its_values() -> None:
    values = md1_latencies(np.random.default_rng(10), 0.5, 20_000, 1)[0]
    series = Series(values)
    for quantile in (0.99, 0.5, 0.9):
        assert quantile_interval(series, quantile) == quantile_interval(values, quantile)


def test_a_constant_latency_is_known_exactly() -> None:
    estimate = quantile_interval(np.full(5000, 3_960_000, dtype=np.int64), 0.99)
    assert estimate.value_ps == 3_960_000
    assert estimate.ci_ps == (3_960_000, 3_960_000)
    assert estimate.note is None


def test_ties_at_the_quantile_do_not_hide_the_correlation() -> None:
    rng = np.random.default_rng(5)
    values = np.zeros(80_000, dtype=np.int64)
    for start in rng.integers(0, 79_000, 24):
        values[start : start + 100] = 10**6
    values[rng.random(80_000) < 0.005] = 2 * 10**6  # beyond the quantile all is independent
    estimate = quantile_interval(values, 0.97)  # 3.5 % are beyond, in 24 bursts
    assert estimate.value_ps == 10**6
    assert estimate.ci_ps is not None
    assert estimate.ci_ps[0] == 0


@pytest.mark.parametrize(("quantile", "confidence"), [(0.0, 0.95), (1.0, 0.95), (0.99, 1.0)])
def test_shares_outside_zero_and_one_are_refused(quantile: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        quantile_interval(np.arange(10, dtype=np.int64), quantile, confidence)


def test_higher_confidence_widens_the_interval() -> None:
    values = np.random.default_rng(6).integers(0, 10**9, 20_000)
    narrow, wide = (quantile_interval(values, 0.9, level).ci_ps for level in (0.5, 0.99))
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_series_of_just_the_needed_length_is_answered() -> None:
    memory = Memory(count=300, level=1.0, median=1.0, short=1.0, above=0.5)
    assert _refusal(memory, 0.5, 1.0) == (None, None)
    assert _refusal(replace(memory, count=299), 0.5, 1.0)[1] == 1
    # 30 samples beyond, on whichever side is rarer
    for quantile in (0.99, 0.01):
        assert _refusal(replace(memory, count=3000), quantile, 1.0) == (None, None)
        assert _refusal(replace(memory, count=2999), quantile, 1.0)[1] == 1


def test_bursts_with_a_cause_of_their_own_must_be_seen_five_times() -> None:
    # independent otherwise: bursts of more than 8 windows beyond p99 have another cause
    memory = Memory(count=3000, level=1.0, median=1.0, short=1.0, above=0.5)
    assert _refusal(memory, 0.99, 8.0) == (None, None)
    assert _refusal(memory, 0.99, 9.0)[1] == 4500 - 3000
    assert _refusal(memory, 0.01, 9.0)[1] == 4500 - 3000
    assert _refusal(replace(memory, count=4500), 0.99, 9.0) == (None, None)
    # whose windows remember 13 at the median, and thus about 30 at p99
    tied = replace(memory, median=13.0, count=10**6)
    assert _refusal(tied, 0.99, 8 * tied.bulk(0.01)) == (None, None)
    needed = 500 * 9 * tied.bulk(0.01)
    assert _refusal(replace(tied, count=4000), 0.99, 9 * tied.bulk(0.01))[1] == pytest.approx(
        needed - 4000, abs=1
    )


def test_what_is_missing_is_said_first_in_samples_beyond_then_in_memory() -> None:
    memory = Memory(count=2999, level=1.0, median=9.0, short=9.0, above=0.5)  # needs 4860
    few, tied = (_refusal(replace(memory, count=count), 0.99, 1.0) for count in (2999, 3000))
    assert "30 samples beyond the quantile, needs 30" in (few[0] or "")
    assert few[1] == 4860 - 2999
    assert "3000 windows are too few" in (tied[0] or "")
    assert "needs about 4900" in (tied[0] or "")


def test_the_interval_is_that_of_the_effective_samples() -> None:
    values = md1_latencies(np.random.default_rng(11), 0.6, 12_000, 1)[0]
    series = Series(values)
    memory = series.memory
    assert memory is not None
    for quantile in (0.5, 0.98):
        found = quantile_interval(series, quantile, 0.9)
        assert found.value_ps is not None
        own = autocorrelation_time(values > found.value_ps)
        tau = memory.of_event(own, 1 - quantile)
        assert (tau > own) is (quantile == 0.98)
        samples = effective_samples(12_000, tau, 0.9)
        assert found.ci_ps == _order_bounds(series, quantile, samples, 0.9)
        assert found.autocorrelation_windows == memory.level
        assert found.samples == 12_000


def test_a_memory_that_leaves_no_window_beyond_is_not_believed() -> None:
    series = Series(np.random.default_rng(12).permutation(4000))
    memory = Memory(count=4000, level=1e5, median=1.0, short=1.0, above=0.5)
    series.memory = memory
    found = quantile_interval(series, 0.99)
    samples = effective_samples(4000, _most(memory, 0.99), 0.95)
    assert found.ci_ps == _order_bounds(series, 0.99, samples, 0.95)


def test_of_equal_latencies_the_worse_side_counts() -> None:
    steps = np.cumsum(np.random.default_rng(13).normal(size=400))
    for equal in (1, 2, 40):
        values = 2 * (steps > np.median(steps)).astype(np.int64)
        values[100 : 100 + equal] = 1
        beyond, within = (autocorrelation_time(values >= edge) for edge in (2, 1))
        assert beyond != within
        if within < beyond:  # seen in a mirror, the sides change places
            values, beyond, within = 2 - values, within, beyond
        # one latency is its own quantile, however much it would add
        assert _time_beyond(values, 1) == (beyond if equal == 1 else within)


@pytest.mark.parametrize("confidence", [1e-6, 0.01])
def test_an_interval_holds_its_value_however_little_it_is_asked_to_cover(
    confidence: float,
) -> None:
    rng = np.random.default_rng(1)
    answered = 0
    for _ in range(200):
        noise = rng.standard_normal(1002)
        values = (1e6 * np.exp(noise[2:] + noise[1:-1] + noise[:-2])).astype(np.int64)
        for quantile in (0.1, 0.5, 0.9):
            found = quantile_interval(values, quantile, confidence)
            if found.value_ps is not None and found.ci_ps is not None:
                answered += 1
                assert found.ci_ps[0] <= found.value_ps <= found.ci_ps[1]
    assert answered > 100
