import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emulator.loop.records import Pool
from emulator.results.loads import (
    LoadEstimate,
    _batched,
    batch_means_error,
    stage_loads,
    utilisation,
)
from tests.results.queue import ROUND_PS, run_of


def test_a_mean_is_as_sure_as_the_scatter_of_its_batches() -> None:
    services = np.arange(100, dtype=np.int64) + 1  # batches of 2: 1.5, 3.5, ...
    means = np.arange(50) * 2 + 1.5
    error, freedom = batch_means_error(services) or (0.0, 0)
    assert freedom == 49
    assert error == pytest.approx(means.std(ddof=1) / math.sqrt(50) / means.mean())


def test_ten_batches_are_needed() -> None:
    assert batch_means_error(np.arange(10, dtype=np.int64)) is not None
    assert batch_means_error(np.arange(9, dtype=np.int64)) is None
    assert batch_means_error(np.empty(0, dtype=np.int64)) is None
    assert batch_means_error(np.zeros(20, dtype=np.int64)) is None


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        (1, LoadEstimate(0.5, None)),
        (2, LoadEstimate(0.5, 0.0)),
    ],
)
def test_equal_batches_leave_no_doubt_from_the_second_on(
    batches: int, expected: LoadEstimate
) -> None:
    begin = np.repeat(np.arange(batches, dtype=np.int64) * 100, 2)
    windows = {"predecode_start_ps": begin, "predecode_end_ps": begin + 50}
    pool = Pool(1, 0, jobs=2 * batches)
    span_ps = 100 * batches
    found = _batched(pool, windows, "predecode", size=2, arrived=2 * batches, span_ps=span_ps)
    assert found == expected


def test_full_batches_are_weighed_by_their_services() -> None:
    begin = np.repeat(np.arange(40, dtype=np.int64) * 100, 2)
    took = np.repeat(np.where(np.arange(40) % 2 == 0, 20, 80), 2)
    windows = {"predecode_start_ps": begin, "predecode_end_ps": begin + took}
    found = _batched(Pool(1, 0, jobs=80), windows, "predecode", size=2, arrived=80, span_ps=4000)
    assert found.value == pytest.approx(0.5)
    assert found.error == pytest.approx(30.38 / math.sqrt(40) / 50, rel=1e-3)
    assert found.freedom == 39


def _loads(
    pools: dict[str, Pool], times: Sequence[int] = (ROUND_PS,) * 4, **kwargs: Any
) -> dict[str, LoadEstimate]:
    """Loads of a run of 20 rounds, with a window of these service times each five of them."""
    fields = {
        name: kwargs.pop(name)
        for name in ("lost_by_cause", "horizon_ps", "drained")
        if name in kwargs
    }
    record = run_of(np.array(times, dtype=np.int64))
    record = replace(record, pools=pools, **fields)
    windows = kwargs.pop("windows", record.windows)
    return stage_loads(record, windows, batch=kwargs.pop("batch", {}), **kwargs)


def _pool(services: Sequence[int], *, servers: int = 1, left: int = 0) -> Pool:
    squares = sum(service * service for service in services)
    return Pool(servers, 0, sum(services), squares, len(services), left)


VARIED = tuple(ROUND_PS * k for k in (1, 2, 3, 4))


def test_services_of_a_few_windows_are_taken_for_independent() -> None:
    found = _loads({"decode": _pool(VARIED)}, VARIED)["decode"]
    assert found.value == 0.5
    assert found.error == pytest.approx(np.std(VARIED, ddof=1) / 2 / np.mean(VARIED))
    assert found.freedom == 3
    two = _loads({"decode": _pool(VARIED[:2])}, VARIED)["decode"]
    assert (two.value, two.freedom) == (0.15, 1)
    assert two.error == pytest.approx(np.std(VARIED[:2], ddof=1) / 2**0.5 / np.mean(VARIED[:2]))


def test_of_two_errors_the_larger_counts() -> None:
    blocks = np.repeat([1.0, 3.0, 1.0, 3.0], 25) * ROUND_PS  # twenty-five windows in a row
    turns = np.tile([1.0, 3.0], 50) * ROUND_PS  # whose pairs are all alike
    for times in (blocks, turns):
        services = times.astype(np.int64)
        found = _loads({"decode": _pool(services.tolist())}, services.tolist())["decode"]
        own, batches = services.std(ddof=1) / 10 / services.mean(), batch_means_error(services)
        assert batches is not None
        if times is blocks:
            assert batches[0] > own
            assert (found.error, found.freedom) == batches
        else:
            assert batches[0] == 0
            assert found.error == pytest.approx(own)
            assert found.freedom == 99


def test_a_stage_that_was_timed_here_has_the_times_of_its_windows() -> None:
    pool = {"decode": _pool((8 * ROUND_PS,) * 4)}  # what disturbed calls took, too
    for timed, value in ((frozenset({"decode"}), 0.2), (frozenset({"predecode"}), 1.6)):
        assert _loads(pool, timed=timed)["decode"].value == value
    empty = {name: np.empty(0, np.int64) for name in ("decode_start_ps", "decode_end_ps")}
    assert _loads(pool, timed=frozenset({"decode"}), windows=empty)["decode"].value == 1.6


def test_what_the_ring_turns_away_was_offered_to_the_stages_behind_it() -> None:
    names = ("uplink", "ring", "dispatch", "predecode", "decode")
    pools = dict.fromkeys(names, _pool((ROUND_PS,) * 2))
    found = _loads(pools, lost_by_cause={"link_loss": 5, "ring_overrun": 10})
    values = {name: load.value for name, load in found.items()}
    assert values == dict.fromkeys(names, 0.1) | dict.fromkeys(names[2:], 0.2)
    assert {load.value for load in _loads(pools).values()} == {0.1}
    none_left = _loads(pools, lost_by_cause={"ring_overrun": 20})
    assert none_left["decode"].value == 2.0  # as if one round had come through


def test_patches_that_begin_apart_leave_some_slack() -> None:
    pool = {"decode": _pool((5 * ROUND_PS,) * 4)}
    assert _loads(pool)["decode"].slack == 1.0
    longer = _loads(pool, horizon_ps=25 * ROUND_PS)["decode"]
    assert (longer.value, longer.slack, longer.low(0.9), longer.high(0.9)) == (1.0, 0.8, 0.8, 1.0)
    assert _loads(pool, horizon_ps=19 * ROUND_PS)["decode"].slack == 1.0


def test_a_load_that_the_delay_model_says_is_known() -> None:
    pool = {"decode": _pool((ROUND_PS,) * 3, servers=2, left=1)}
    expected = {"decode": 8.0 * ROUND_PS}
    assert _loads(pool, expected_ps=expected)["decode"] == LoadEstimate(0.6, 0.0)
    cut = _loads(pool, expected_ps=expected, drained=False)["decode"]
    assert cut == LoadEstimate(0.8, 0.0)
    batched = {"predecode": _pool((ROUND_PS,) * 4)}
    known = _loads(batched, expected_ps={"predecode": 8.0 * ROUND_PS}, batch={"predecode": 2})
    assert known["predecode"] == LoadEstimate(0.8, 0.0)


def test_a_stage_to_which_nothing_came_has_no_load_and_one_cut_short_an_unknown_one() -> None:
    assert _loads({"decode": _pool(())})["decode"] == LoadEstimate(0.0, 0.0)
    for left in (0, 3):
        found = _loads({"decode": _pool((), left=left)}, drained=False)["decode"]
        assert found == LoadEstimate(0.0, None)


@pytest.mark.parametrize(
    ("jobs", "left", "drained", "swamped"),
    [(2, 17, False, False), (2, 18, False, True), (20, 17, True, False), (20, 18, True, True)],
)
def test_nine_tenths_left_over_are_nearly_all(
    jobs: int, left: int, drained: bool, swamped: bool
) -> None:
    pool = {"decode": _pool((ROUND_PS,) * jobs, left=left)}
    assert _loads(pool, drained=drained)["decode"].swamped is swamped


def test_bounds_of_a_wild_estimate_are_finite() -> None:
    wild = LoadEstimate(1.0, 1e6, freedom=1)
    assert wild.high(0.999) == math.exp(700)
    assert wild.low(0.999) == 0
    assert LoadEstimate(2.0, 0.0, slack=0.25).low(0.9) == 0.5


def test_servers_of_no_time_are_not_busy() -> None:
    assert utilisation({"decode": Pool(1, 0)}, 0) == {"decode": 0.0}


def _batches(fills: Sequence[int], took: Sequence[int], busy: int = 0) -> LoadEstimate:
    """Load of batches of two on three servers over 1000 ps, a batch begun every 10 ps."""
    begin = np.repeat(np.arange(len(fills), dtype=np.int64) * 10, fills)
    windows = {"predecode_start_ps": begin, "predecode_end_ps": begin + np.repeat(took, fills)}
    jobs = sum(fills)
    return _batched(
        Pool(3, busy, jobs=jobs), windows, "predecode", size=2, arrived=jobs, span_ps=1000
    )


def test_a_stage_is_judged_by_its_full_batches_once_half_of_them_are_full() -> None:
    idle = LoadEstimate(0.25, None, idle=True)
    assert _batches((2, 1, 1), (60, 30, 30), busy=750) == idle
    assert _batches((1, 1), (60, 30), busy=750) == idle
    assert _batches((), (), busy=750) == idle
    # two full ones of four: six jobs are three full batches of 60 ps on three servers
    assert _batches((2, 1, 2, 1), (60, 30, 60, 30)) == LoadEstimate(0.06, 0.0)
    # four windows at once are two full batches, and three are a full one and a part
    assert _batches((4,), (60,)) == LoadEstimate(0.04, 0.0)
    assert _batches((3,), (60,)) == LoadEstimate(0.03, None)
    # too few to tell how they scatter
    assert _batches((2, 2), (60, 30)) == LoadEstimate(0.03, None)
