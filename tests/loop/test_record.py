"""The record of a run: its pools, its backlog, and the limits of time."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from emulator.errors import RoundtripError
from emulator.loop.config import Framing, Host, LinkSpec, LoopConfig, PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.records import BACKLOG_SAMPLES, Pool
from emulator.loop.tally import Tally
from emulator.numbering import Emission
from emulator.units import MAX_TIME_PS
from emulator.windows import sliding_windows
from tests.loop.build import INSTANT, ROUND_PS, Fixed, Listed, ListedLosses, loop_config


def overloaded(*, drain: bool) -> LoopConfig:
    return loop_config(rounds=1, shots=4, decode=PoolSpec(1, Fixed(3 * ROUND_PS)), drain=drain)


def test_a_pool_counts_what_began_and_what_was_left_over() -> None:
    """Rounds at 1, 2, 3, 4; services of 3 at 1, 4, 7, 10: two have begun by the horizon."""
    pool = run_loop(overloaded(drain=True)).pools["decode"]
    us = ROUND_PS
    assert pool == Pool(
        1, busy_ps=3 * us, demand_ps=12 * us, demand_ps2=36 * us**2, jobs=4, left_over=2
    )
    pool = run_loop(overloaded(drain=False)).pools["decode"]
    assert pool == Pool(
        1, busy_ps=3 * us, demand_ps=6 * us, demand_ps2=18 * us**2, jobs=2, left_over=2
    )


@pytest.mark.parametrize(
    ("arrived", "start", "service", "expected"),
    [
        (10, 20, 30, Pool(1, 30, 30, 900, 1, 0)),
        (10, 99, 30, Pool(1, 1, 30, 900, 1, 0)),
        (10, 100, 30, Pool(1, 0, 30, 900, 1, 0)),
        (100, 101, 30, Pool(1, 0, 30, 900, 1, 1)),
        (101, 102, 30, Pool(1, 0, 30, 900, 1, 0)),
    ],
)
def test_work_is_busy_up_to_the_horizon_and_left_over_behind_it(
    arrived: int, start: int, service: int, expected: Pool
) -> None:
    drained, stopped = Tally(100, drain=True), Tally(100, drain=False)
    for tally in (drained, stopped):
        tally.add(arrived, start, service)
    assert drained.pool(1) == expected
    never = replace(expected, demand_ps=0, demand_ps2=0, jobs=0)
    assert stopped.pool(1) == (expected if start <= 100 else never)


def test_a_ring_is_a_pool_of_slots() -> None:
    """Two slots, each held for 3: messages at 1, 2, 3, 4 take them at 1, 2, 4, 7."""
    host = Host(2, INSTANT, waits=True, hold_until_response=True)
    record = run_loop(replace(overloaded(drain=True), host=host))
    us = ROUND_PS
    assert record.windows["slotted_ps"].tolist() == [1 * us, 2 * us, 4 * us, 7 * us]
    held = [3 * us, 5 * us, 6 * us, 6 * us]  # until 4, 7, 10 and 13
    assert record.pools["ring"] == Pool(
        2, 3 * us + 2 * us, sum(held), sum(time**2 for time in held), jobs=4, left_over=1
    )


def test_a_batch_counts_its_time_once_and_all_its_windows() -> None:
    service = Listed([100], filled_ps=10, round_ps=1)
    config = loop_config(
        rounds=6, plan=sliding_windows(6, 3, 2), decode=PoolSpec(1, service, 2, 9 * ROUND_PS)
    )
    pool = run_loop(replace(config, predecode=None)).pools["decode"]
    # the second window builds on the first: each is served alone, when its time is up
    assert (pool.jobs, pool.demand_ps) == (2, (100 + 5) + (100 + 3))
    whole = loop_config(rounds=2, shots=2, decode=PoolSpec(1, service, 2, 9 * ROUND_PS))
    pool = run_loop(whole).pools["decode"]
    assert (pool.jobs, pool.demand_ps, pool.demand_ps2) == (2, 112, 112**2)


def test_the_backlog_is_known_at_any_time() -> None:
    """The link loses round 3 of 4; rounds 1, 2 and 4 are decoded at 4, 7 and 10."""
    config = replace(
        overloaded(drain=True),
        up=LinkSpec(None, INSTANT, losses=ListedLosses([False, False, True, False])),
    )
    record = run_loop(config)
    us = ROUND_PS
    assert record.done.tolist() == [[3 * us, 1], [4 * us, 2], [7 * us, 3], [10 * us, 4]]
    times = np.array(
        [0, us - 1, us, 2 * us, 3 * us - 1, 3 * us, 4 * us, 7 * us - 1, 7 * us, 10 * us]
    )
    assert record.backlog_at(times).tolist() == [0, 0, 1, 2, 2, 2, 2, 2, 1, 0]
    assert len(record.backlog) == BACKLOG_SAMPLES + 1 + 2  # 3 and 4 us are on the grid
    assert record.backlog[:, 1].tolist() == record.backlog_at(record.backlog[:, 0]).tolist()
    assert (np.diff(record.backlog[:, 0]) > 0).all()
    slim = run_loop(config, keep_windows=False)
    with pytest.raises(ValueError, match="keep_windows=True"):
        slim.backlog_at(times)


def test_a_run_in_which_nothing_is_done_yet_has_a_backlog() -> None:
    record = run_loop(loop_config(rounds=3, decode=PoolSpec(1, Fixed(ROUND_PS)), drain=False))
    assert record.backlog_at(np.array([ROUND_PS, 3 * ROUND_PS])).tolist() == [1, 3]
    assert record.backlog[-1].tolist() == [3 * ROUND_PS, 3]


def test_rounds_that_vanish_or_stay_are_a_defect() -> None:
    record = run_loop(loop_config(rounds=2))
    record.check_conservation()
    with pytest.raises(RuntimeError, match=r"emitted 2 is not decoded 1 .* in flight 0"):
        replace(record, decoded=1).check_conservation()
    with pytest.raises(RuntimeError, match="stands still with 1 of 2 rounds in flight"):
        replace(record, decoded=1, in_flight=1).check_conservation()
    replace(record, decoded=1, in_flight=1, drained=False).check_conservation()


@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("drain", [False, True])
def test_rounds_are_emitted_for_106_days_at_most(beyond: bool, drain: bool) -> None:
    assert MAX_TIME_PS % 7 == 0
    period = MAX_TIME_PS // 7 + beyond
    config = replace(loop_config(rounds=7, drain=drain), emission=Emission(period, 7, 1))
    if beyond:
        with pytest.raises(
            ValueError, match=rf"horizon_ps\(={7 * period}\) must be <= {2**63 - 1}"
        ):
            run_loop(config)
    else:
        assert run_loop(config).windows["applied_ps"].tolist() == [MAX_TIME_PS]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("stage", ["readout", "link", "decode", "return"])
def test_time_stamps_never_wrap(stage: str, keep: bool) -> None:
    config = replace(loop_config(rounds=1, shots=2), emission=Emission(2**61, 1, 2))

    def run(service: Fixed) -> int:
        slow = {
            "readout": {"readout": service},
            "link": {"up": LinkSpec(None, service)},
            "decode": {"decode": PoolSpec(2, service)},
            "return": {"down": LinkSpec(None, service)},
        }
        return run_loop(replace(config, **slow[stage]), keep_windows=keep).end_ps  # type: ignore[arg-type]

    assert run(Fixed(2**62 - 1)) == 2**63 - 1
    with pytest.raises(RoundtripError, match="beyond 2\\^63 ps"):
        run(Fixed(2**62))


def test_a_loop_and_its_record_pickle() -> None:
    config = loop_config(
        rounds=2, up=LinkSpec(None, Listed([5, 7]), losses=ListedLosses([False, True]))
    )
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    record = run_loop(copy)
    again = pickle.loads(pickle.dumps(record))
    assert again.lost.tolist() == record.lost.tolist() == [[0, 0, 0, 0]]
    assert again.emission == config.emission
    edges = np.array([[1, 2], [3, 4]])
    framing = pickle.loads(pickle.dumps(Framing(edges, edges + 1)))
    assert framing.last_edges.tolist() == [[2, 3], [4, 5]]
