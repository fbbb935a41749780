import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.correlation import Memory, Series
from emulator.results.rates import (
    ErrorCount,
    PairedCount,
    _either,
    deadline_misses,
    failure_rate,
    per_round,
)
from tests.results.queue import md1_latencies

BITS = st.lists(st.booleans(), max_size=50)
PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=50)


@given(BITS, BITS)
def test_error_counts_of_parts_add_up(first: list[bool], second: list[bool]) -> None:
    parts = ErrorCount.of(np.array(first, dtype=bool)) + ErrorCount.of(np.array(second, dtype=bool))
    assert parts == ErrorCount.of(np.array(first + second, dtype=bool))


@given(PAIRS, PAIRS)
def test_paired_counts_of_parts_add_up(
    first: list[tuple[bool, bool]], second: list[tuple[bool, bool]]
) -> None:
    def count(pairs: list[tuple[bool, bool]]) -> PairedCount:
        arms = np.array(pairs, dtype=bool).reshape(-1, 2)
        return PairedCount.of(arms[:, 0], arms[:, 1])

    assert count(first) + count(second) == count(first + second)


def test_intervals_enclose_the_rate() -> None:
    count = ErrorCount(12, 1000)
    assert count.rate == 0.012
    exact, likely = count.interval(0.95), count.likelihood_interval()
    assert exact is not None
    assert likely is not None
    assert likely[0] < exact[0] < 0.012 < exact[1] < likely[1]


def test_likelihood_interval_ends_are_a_thousand_times_less_likely() -> None:
    interval = ErrorCount(12, 1000).likelihood_interval()
    assert interval is not None

    def log_likelihood(rate: float) -> float:
        return float(12 * np.log(rate) + 988 * np.log1p(-rate))

    for end in interval:
        assert log_likelihood(0.012) - log_likelihood(end) == pytest.approx(np.log(1000), rel=0.02)


def test_no_shots_have_no_rate() -> None:
    empty = ErrorCount(0, 0)
    assert (empty.rate, empty.interval(0.95), empty.likelihood_interval()) == (None, None, None)
    with pytest.raises(ValueError, match=r"errors\(=-1\) must be between 0"):
        ErrorCount(-1, 2)
    with pytest.raises(ValueError, match=r"errors\(=3\) must be between 0 and shots\(=2\)"):
        ErrorCount(3, 2)


def test_rate_per_round_combines_to_that_of_the_shot() -> None:
    piece = per_round(0.1, 25)
    assert piece is not None
    assert (1 - (1 - 2 * piece) ** 25) / 2 == pytest.approx(0.1)
    assert per_round(0.0, 25) == 0
    assert per_round(0.5, 1) == 0.5
    assert per_round(0.6, 25) is None


def test_deadline_interval_allows_for_correlation() -> None:
    rng = np.random.default_rng(1)
    values = md1_latencies(rng, 0.9, 50_000, 60)
    limit = int(np.quantile(values, 0.95))
    truth = float(np.mean(md1_latencies(rng, 0.9, 200_000, 10) > limit))
    covered = naive = 0
    for run in values:
        found = deadline_misses(run, limit, 0.95)
        assert found.ci is not None
        assert found.rate == found.misses / found.samples
        covered += found.ci[0] <= truth <= found.ci[1]
        exact = ErrorCount(found.misses, found.samples).interval(0.95)
        assert exact is not None
        naive += exact[0] <= truth <= exact[1]
    assert covered >= 0.85 * 60
    assert naive < 0.6 * 60


def test_a_latency_equal_to_the_limit_is_in_time() -> None:
    values = np.tile(np.array([10, 11], dtype=np.int64), 500)
    assert deadline_misses(values, 10, 0.95).misses == 500
    assert deadline_misses(values, 11, 0.95).misses == 0


@pytest.mark.parametrize(("count", "rate"), [(0, None), (1, 1.0)])
def test_deadline_of_hardly_any_window_has_no_interval(count: int, rate: float | None) -> None:
    found = deadline_misses(np.full(count, 5, dtype=np.int64), 1, 0.95)
    assert (found.rate, found.ci) == (rate, None)


def test_paired_arms_differ_by_their_discordant_shots_alone() -> None:
    few, many = PairedCount(1000, 5, 30, 10), PairedCount(10**6, 5, 30, 10)
    assert few.p_value() == many.p_value() == pytest.approx(0.0022, abs=2e-4)
    assert few.ratio == 35 / 15
    interval = few.ratio_interval(0.95)
    assert interval is not None
    assert interval[1] is not None
    assert 1 < interval[0] < 35 / 15 < interval[1]


def test_ratio_interval_covers_the_ratio_of_correlated_arms() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(100):
        hard = rng.random(20_000) < 0.01
        first, second = hard | (rng.random(20_000) < 0.005), hard | (rng.random(20_000) < 0.002)
        interval = PairedCount.of(first, second).ratio_interval(0.95)
        assert interval is not None
        assert interval[1] is not None
        covered += interval[0] <= 0.01495 / 0.01198 <= interval[1]
    assert covered >= 87


def test_arms_without_a_difference() -> None:
    same = PairedCount(100, 4, 0, 0)
    assert (same.p_value(), same.ratio) == (1.0, 1.0)
    interval = same.ratio_interval(0.95)
    assert interval is not None
    assert interval[1] is not None
    assert interval[0] < 0.6  # four alike shots are no proof
    assert interval[1] > 1.7
    clean = PairedCount(100, 0, 0, 0)
    assert (clean.p_value(), clean.ratio, clean.ratio_interval(0.95)) == (1.0, None, None)
    one_sided = PairedCount(100, 0, 6, 0)
    interval = one_sided.ratio_interval(0.95)
    assert one_sided.ratio is None
    assert interval is not None
    assert interval[0] > 1
    assert interval[1] is None
    with pytest.raises(ValueError, match="not paired"):
        PairedCount.of(np.zeros(3, dtype=bool), np.zeros(4, dtype=bool))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_ratio_of_swapped_arms_is_the_reciprocal(both: int, first: int, second: int) -> None:
    pair, swapped = PairedCount(500, both, first, second), PairedCount(500, both, second, first)
    ends, other = pair.ratio_interval(0.9), swapped.ratio_interval(0.9)
    if ends is None or other is None:
        assert both + first + second == 0
        return
    low, high = (None if end is None else end for end in other)
    assert ends[0] == pytest.approx(0.0 if high is None else 1 / high, rel=1e-5)
    assert ends[1] == (None if low == 0 else pytest.approx(1 / (low or 1), rel=1e-5))
    if pair.ratio is not None:
        assert ends[0] <= pair.ratio
        assert ends[1] is None or pair.ratio <= ends[1]


@pytest.mark.parametrize("ratio", [2.0, 0.4])
@pytest.mark.parametrize(("both", "first", "second"), [(7, 5, 2), (3, 4, 6), (30, 1, 2)])
def test_score_of_a_ratio_is_that_of_the_likeliest_shares(
    both: int, first: int, second: int, ratio: float
) -> None:
    errors = both + first + second
    seconds = np.linspace(max(0.0, 1 - ratio) + 1e-6, 1 / (1 + ratio) - 1e-6, 200_001)
    common = (1 - seconds * (1 + ratio)) / ratio
    firsts = 1 - seconds - common
    likelihood = both * np.log(common) + first * np.log(firsts) + second * np.log(seconds)
    best = int(np.argmax(likelihood))
    shares = np.array([common[best], firsts[best], seconds[best]])
    variance = errors * (np.array([(1 - ratio) ** 2, 1, ratio**2]) @ shares)
    excess = abs(both + first - ratio * (both + second)) - 0.5 * min(1, ratio)
    expected = excess / np.sqrt(variance)
    assert PairedCount(100, both, first, second)._score(ratio) == pytest.approx(expected, rel=1e-4)


def test_an_arm_that_is_never_alone_wrong_leaves_its_ratio_open() -> None:
    # 100 errors expected of the second arm, 20 of them alone: of 20,000 runs the exact interval
    # given the differing shots holds 0.8 in 60 %.
    rng = np.random.default_rng(5)
    held = 0
    for both, second in zip(rng.poisson(80, 1000), rng.poisson(20, 1000), strict=True):
        interval = PairedCount(10_000, int(both), 0, int(second)).ratio_interval(0.95)
        assert interval is not None
        held += interval[0] <= 0.8 <= (interval[1] or np.inf)
    assert held >= 935


def test_wrong_answers_alone_have_the_exact_interval() -> None:
    wrong = np.zeros(1000, dtype=bool)
    wrong[:7] = True
    found = failure_rate(wrong, np.zeros(1000, dtype=bool), None, 0.95)
    assert (found.failures, found.late, found.shots, found.rate) == (7, 0, 1000, 0.007)
    assert found.ci == ErrorCount(7, 1000).interval(0.95)


def test_late_shots_in_bursts_widen_the_interval_of_failures() -> None:
    rng = np.random.default_rng(6)
    values = md1_latencies(rng, 0.8, 40_000, 1)[0]
    late, memory = values > np.quantile(values, 0.98), Series(values).memory
    wrong = rng.random(40_000) < 0.02
    found = failure_rate(wrong, late, memory, 0.95)
    assert (found.late, found.failures) == (late.sum(), (wrong | late).sum())
    assert found.ci is not None
    assert found.rate is not None
    independent = ErrorCount(found.failures, found.shots).interval(0.95)
    assert independent is not None
    assert found.ci[0] < independent[0] < found.rate < independent[1] < found.ci[1]
    alone = failure_rate(np.zeros_like(wrong), late, memory, 0.95)
    misses = deadline_misses(values, int(np.quantile(values, 0.98)), 0.95)
    assert misses.ci is not None
    assert alone.ci is not None
    assert alone.ci[0] == pytest.approx(misses.ci[0], rel=1e-6)
    assert misses.ci[1] < alone.ci[1] < misses.ci[1] + 1e-4  # shots on time may be wrong


def test_a_short_series_without_a_late_shot_does_not_exclude_them() -> None:
    values = md1_latencies(np.random.default_rng(7), 0.9, 1000, 1)[0]
    none, memory = np.zeros(1000, dtype=bool), Series(values).memory
    found = failure_rate(none, none, memory, 0.95)
    assert (found.rate, found.ci) == (0.0, None)
    assert found.more_shots is not None
    assert found.more_shots > 1000
    misses = deadline_misses(values, int(values.max()), 0.95)
    assert (misses.rate, misses.ci, misses.more_windows) == (0.0, None, found.more_shots)


def test_all_shots_late_or_none_there() -> None:
    every, memory = np.ones(1000, dtype=bool), Series(np.arange(1000) % 2).memory
    found = failure_rate(~every, every, memory, 0.95)
    assert found.rate == 1.0
    assert found.ci is not None
    assert found.ci[0] > 0.9
    assert found.ci[1] == 1.0
    assert failure_rate(~every, every, None, 0.95).ci is None
    assert failure_rate(every[:0], every[:0], None, 0.95).rate is None
    with pytest.raises(ValueError, match="do not match"):
        failure_rate(every, every[:10], None, 0.95)


def test_a_missing_interval_asks_for_the_samples_it_needs() -> None:
    values = md1_latencies(np.random.default_rng(7), 0.9, 1000, 1)[0]
    memory = Series(values).memory
    assert memory is not None
    misses = deadline_misses(values, int(np.median(values)), 0.95)
    assert (misses.misses, misses.samples) == (np.sum(values > np.median(values)), 1000)
    assert misses.more_windows == memory.needed(0.5) - 1000 > 0
    long = deadline_misses(np.tile([10, 11], 500), 10, 0.95)
    assert (long.rate, long.more_windows) == (0.5, None)
    late = np.zeros(1000, dtype=bool)
    late[:3] = True
    short = failure_rate(~late, late, memory, 0.95)
    assert (short.failures, short.late, short.rate) == (1000, 3, 1.0)
    assert short.more_shots == memory.needed(0.5) - 1000


def test_independent_failures_add_up_on_the_scale_of_hazards() -> None:
    first, second = (0.1, (0.05, 0.2)), (0.02, (0.01, 0.05))
    # -ln(1 - p): distances of the ends from the rates add up in quadrature
    below = math.hypot(math.log(0.95 / 0.9), math.log(0.99 / 0.98))
    above = math.hypot(math.log(0.9 / 0.8), math.log(0.98 / 0.95))
    ends = 1 - 0.9 * 0.98 * math.exp(below), 1 - 0.9 * 0.98 * math.exp(-above)
    assert _either([first, second]) == pytest.approx(ends, rel=1e-12)
    assert _either([first]) == pytest.approx(first[1], rel=1e-12)
    assert _either([(0.1, (0.0, 1.0)), (0.0, (0.0, 0.1))]) == (0.0, 1.0)
    for certain in (0.1, 0.4):
        parts = [(1.0, (certain, 1.0)), (0.3, (0.2, 0.4))]
        assert _either(parts) == (max(certain, 0.2), 1.0)


def test_wrong_and_late_shots_are_two_independent_parts() -> None:
    memory = Memory(count=1000, level=1.0, median=1.0, short=1.0, above=0.5)
    late = np.random.default_rng(14).random(1000) < 0.1
    wrong = np.zeros(1000, dtype=bool)
    wrong[np.flatnonzero(late)[:5]] = True  # late as well: they count once
    wrong[np.flatnonzero(~late)[:20]] = True
    behind = int(late.sum())
    found = failure_rate(wrong, late, memory, 0.9)
    assert (found.failures, found.late, found.shots) == (behind + 20, behind, 1000)
    assert found.rate == (behind + 20) / 1000
    ends, exact = (
        deadline_misses(late.astype(np.int64), 0, 0.9).ci,
        ErrorCount(20, 1000 - behind).interval(0.9),
    )
    assert ends is not None
    assert exact is not None
    assert found.ci == _either([(behind / 1000, ends), (20 / (1000 - behind), exact)])


def test_an_interval_of_a_ratio_ends_where_its_score_is_that_of_the_confidence() -> None:
    for count in (PairedCount(100, 7, 5, 2), PairedCount(10**6, 0, 3, 40), PairedCount(9, 1, 3, 3)):
        low, high = count.ratio_interval(0.9) or (0.0, None)
        assert high is not None
        for end in (low, high):
            assert count._score(end) == pytest.approx(1.6448536, rel=1e-6)
    assert PairedCount(100, 4, 0, 0)._score(1.0) == 0  # nothing varies where both always agree
    (low, high), swapped = (
        PairedCount(100, 0, *alone).ratio_interval(0.9) or (0.0, None) for alone in ((0, 5), (5, 0))
    )
    assert (low, swapped[1]) == (0.0, None)
    assert high == pytest.approx(1 / swapped[0], rel=1e-5)


def test_next_to_no_confidence_leaves_no_finite_ratio() -> None:
    # the likeliest ratio to a second arm without an error is infinite
    assert PairedCount(100, 0, 6, 0).ratio_interval(1e-9) == (math.inf, None)
