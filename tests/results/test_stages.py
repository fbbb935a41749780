import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.loop.records import STAGES, TIMESTAMPS
from emulator.results.stages import (
    ConservationError,
    after_warmup,
    judged_windows,
    reaction_times,
    stage_times,
    summarise,
)
from emulator.results.sums import total_ps

Windows = dict[str, np.ndarray]
SPENT = st.lists(st.integers(0, 10**9), min_size=len(STAGES), max_size=len(STAGES))


def _windows(spent: list[list[int]]) -> Windows:
    durations = np.array(spent, dtype=np.int64).reshape(-1, len(STAGES))
    stamps = np.cumsum(np.insert(durations, 0, 10**6, axis=1), axis=1)
    windows: Windows = {name: stamps[:, k] for k, name in enumerate(TIMESTAMPS)}
    return {"window": np.arange(len(durations), dtype=np.int64), **windows}


@given(st.lists(SPENT, max_size=20))
def test_stages_are_the_reaction_time_to_the_picosecond(spent: list[list[int]]) -> None:
    windows = _windows(spent)
    times = stage_times(windows)
    assert list(times) == list(STAGES)
    assert np.array_equal(np.array(list(times.values())).T, np.array(spent).reshape(-1, 11))
    assert reaction_times(windows).tolist() == [sum(row) for row in spent]
    rows = summarise(windows, {})
    if sum(map(sum, spent)):
        assert sum(row.share or 0 for row in rows) == pytest.approx(1)


def test_a_window_that_goes_back_in_time_is_a_defect() -> None:
    windows = _windows([[5] * 11, [5] * 11])
    windows["decode_start_ps"][1] -= 7
    with pytest.raises(ConservationError, match="window 1 spends -2 ps in stage decode_queue"):
        stage_times(windows)


def test_summary_of_a_stage() -> None:
    spent = [[0] * 11 for _ in range(200)]
    for k, row in enumerate(spent):
        row[STAGES.index("decode")] = k + 1
        row[STAGES.index("uplink")] = 100
    rows = {row.name: row for row in summarise(_windows(spent), {"decode": ("fixed", "assumed")})}
    decode = rows["decode"]
    assert (decode.timing_source, decode.timing_confidence) == ("fixed", "assumed")
    assert (decode.mean_ps, decode.p50_ps, decode.p99_ps, decode.max_ps) == (100, 100, 198, 200)
    assert decode.p999_ps is None
    assert decode.share == pytest.approx(100.5 / 200.5)
    assert rows["decode_queue"].timing_source == "waiting"
    assert rows["uplink"].timing_source is None


def test_percentiles_of_a_thousand_windows() -> None:
    spent = [[0] * 11 for _ in range(1000)]
    for k, row in enumerate(spent):
        row[STAGES.index("decode")] = 1000 - k
    rows = {row.name: row for row in summarise(_windows(spent), {})}
    decode, uplink = rows["decode"], rows["uplink"]
    assert (decode.p50_ps, decode.p99_ps, decode.p999_ps, decode.max_ps) == (500, 990, 999, 1000)
    assert (decode.mean_ps, decode.share, uplink.share) == (500, 1, 0)


def test_what_takes_no_time_has_no_share_of_it() -> None:
    for row in summarise(_windows([[0] * 11] * 3), {}):
        assert (row.mean_ps, row.max_ps, row.share) == (0, 0, 0)


def test_no_windows_measure_nothing() -> None:
    for row in summarise(_windows([]), {}):
        assert (row.mean_ps, row.p50_ps, row.max_ps, row.share) == (None, None, None, None)


def test_warmup_goes_by_window_number() -> None:
    windows = _windows([[1] * 11] * 5)
    windows["window"] = np.array([0, 2, 3, 7, 9], dtype=np.int64)
    assert after_warmup(windows, 3)["window"].tolist() == [3, 7, 9]
    assert len(after_warmup(windows, 3)["applied_ps"]) == 3


def test_disturbed_windows_are_not_judged() -> None:
    windows = _windows([[1] * 11] * 5)
    assert judged_windows(windows, 2)["window"].tolist() == [2, 3, 4]
    windows["disturbed"] = np.array([0, 1, 0, 1, 0], dtype=np.int64)
    assert judged_windows(windows, 0)["window"].tolist() == [0, 2, 4]
    kept = judged_windows(windows, 1)
    assert kept["window"].tolist() == [2, 4]
    assert {len(column) for column in kept.values()} == {2}


def test_sums_are_exact_beyond_64_bits() -> None:
    values = np.array([2**62, 2**62, 2**62, -(2**61), -1, 3], dtype=np.int64)
    assert total_ps(values) == 3 * 2**62 - 2**61 + 2
    assert total_ps(values[:0]) == 0
    spent = [[0] * 11 for _ in range(5)]
    for row in spent:
        row[STAGES.index("decode")] = 2**62 + 1
    rows = {row.name: row for row in summarise(_windows(spent), {})}
    assert rows["decode"].mean_ps == 2**62 + 1
    assert rows["decode"].share == 1
