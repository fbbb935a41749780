import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.results.rates import (
    ErrorCount,
    PairedCount,
    deadline_misses,
    per_round,
    shots_on_time,
)
from tests.results.queue import ROUND_PS, md1_latencies, run_of

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
    with pytest.raises(ValueError, match=r"errors\(=3\) must be between 0 and shots\(=2\)"):
        ErrorCount(3, 2)


def test_rate_per_round_combines_to_that_of_the_shot() -> None:
    piece = per_round(0.1, 25)
    assert piece is not None
    assert (1 - (1 - 2 * piece) ** 25) / 2 == pytest.approx(0.1)
    assert per_round(0.0, 25) == 0
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


def test_a_late_lost_or_unfinished_window_makes_its_shot_late() -> None:
    record = run_of(np.full(6, ROUND_PS, dtype=np.int64))
    windows = {name: column.copy() for name, column in record.windows.items()}
    windows["applied_ps"][1] += 10 * ROUND_PS
    kept = {name: column[:5] for name, column in windows.items()}
    lost = np.array([[9, 0, 2, 0]], dtype=np.int64)
    kept["shot"][2], kept["window"][2] = 3, 3  # shot 3 has two windows, shot 2 only the lost one
    found = shots_on_time(kept, lost, 2 * ROUND_PS, (1, 6))
    assert found.tolist() == [[False, False, False, True, False, False]]
    kept["shot"][2] = 2
    found = shots_on_time(kept, lost[:0], 2 * ROUND_PS, (1, 6))
    assert found.tolist() == [[True, False, True, True, True, False]]


def test_windows_outside_the_shots_are_refused() -> None:
    record = run_of(np.full(6, ROUND_PS, dtype=np.int64))
    with pytest.raises(ValueError, match="patch 0 and shot 5, outside the 1 patches and 5 shots"):
        shots_on_time(record.windows, record.lost, 1, (1, 5))


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
    assert (same.p_value(), same.ratio, same.ratio_interval(0.95)) == (1.0, 1.0, (1.0, 1.0))
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
