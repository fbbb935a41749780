import gc
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emulator.gc_pause import gc_paused
from emulator.loop.config import Host, LinkSpec, LoopConfig, PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.records import STAGES, TIMESTAMPS, Record
from emulator.numbering import Emission
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window
from tests.loop.build import INSTANT, ROUND_PS, Fixed, Listed, ListedLosses, loop_config

Ints = NDArray[np.int64]


def queue_run(service_ps: Ints) -> Record:
    """One round is one message, one window and one job of a single matcher."""
    decode = PoolSpec(1, Listed(service_ps.tolist()))
    return run_loop(loop_config(rounds=1, shots=len(service_ps), decode=decode))


def waits(record: Record) -> Ints:
    return record.windows["decode_start_ps"] - record.windows["dispatched_ps"]


def lindley(service: Ints, interarrival: Ints) -> Ints:
    """W' = max(0, W + S - A), one step at a time."""
    out, wait = [], 0
    for served, gap in zip(service, interarrival, strict=True):
        out.append(wait)
        wait = max(0, wait + int(served) - int(gap))
    return np.array(out)


def test_d_d_1_waits_nothing_below_capacity_and_grows_linearly_above() -> None:
    calm = queue_run(np.full(200, 900_000))
    assert not waits(calm).any()
    overloaded = queue_run(np.full(200, 1_250_000))
    assert waits(overloaded).tolist() == [k * 250_000 for k in range(200)]


def test_m_d_1_and_d_m_1_mean_waits_match_the_closed_forms() -> None:
    rng = np.random.default_rng(5)
    count, period = 60_000, ROUND_PS
    # D/M/1: constant arrivals, exponential service; mean wait S s/(1-s), s = exp(-(1-s)/rho)
    for load, expected in ((0.5, 0.255), (0.7, 0.876), (0.8, 1.693)):
        service = (rng.exponential(load * period, count)).astype(np.int64)
        mean_wait = waits(queue_run(service)).mean() / (load * period)
        assert mean_wait == pytest.approx(expected, rel=0.1)
    for load, expected in ((0.5, 0.5), (0.8, 2.0)):
        arrivals = np.cumsum(rng.exponential(period / load, count)).astype(np.int64)
        mean_wait = waits(poisson_run(arrivals, period)).mean() / period
        # M/D/1: mean wait rho S / (2 (1 - rho))
        assert mean_wait == pytest.approx(expected, rel=0.1)


def poisson_run(arrivals_ps: Ints, service_ps: int) -> Record:
    """Rounds that reach the matcher at given instants, by way of a readout that takes that long."""
    emission = Emission(1, 1, len(arrivals_ps))
    readout = Listed((arrivals_ps - np.arange(1, len(arrivals_ps) + 1)).tolist())
    config = loop_config(rounds=1, readout=readout, decode=PoolSpec(1, Fixed(service_ps)))
    return run_loop(replace(config, emission=emission, host=Host(10**6, INSTANT)))


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_fifo_stage_is_the_lindley_recursion_to_the_picosecond(times: list[int]) -> None:
    service = np.array(times)
    expected = lindley(service, np.full(len(times), ROUND_PS))
    assert waits(queue_run(service)).tolist() == expected.tolist()


@given(st.lists(st.integers(0, 2_500_000), min_size=2, max_size=40), st.integers(1, 2_000_000))
@settings(max_examples=40, deadline=None)
def test_a_tandem_of_stages_is_a_tandem_of_lindley_recursions(
    times: list[int], predecode_ps: int
) -> None:
    config = loop_config(
        rounds=1,
        shots=len(times),
        predecode=PoolSpec(1, Fixed(predecode_ps)),
        decode=PoolSpec(1, Listed(times)),
    )
    columns = run_loop(config).windows
    gaps = np.full(len(times), ROUND_PS)
    leaves = np.cumsum(gaps) + lindley(np.full(len(times), predecode_ps), gaps) + predecode_ps
    assert columns["predecode_end_ps"].tolist() == leaves.tolist()
    second = lindley(np.array(times), np.append(np.diff(leaves), 0))
    assert waits_of_matcher(columns) == second.tolist()


def waits_of_matcher(columns: dict[str, Ints]) -> list[int]:
    return (columns["decode_start_ps"] - columns["predecode_end_ps"]).tolist()  # type: ignore[no-any-return]


def test_littles_law() -> None:
    rng = np.random.default_rng(1)
    service = rng.exponential(0.8 * ROUND_PS, 20_000).astype(np.int64)
    columns = queue_run(service).windows
    inside = columns["decode_end_ps"] - columns["dispatched_ps"]
    span = int(columns["decode_end_ps"].max() - columns["dispatched_ps"].min())
    # time average of the number in the system, by merging arrivals and departures
    times = np.concatenate([columns["dispatched_ps"], columns["decode_end_ps"]])
    steps = np.concatenate([np.ones(len(inside)), -np.ones(len(inside))])
    order = np.argsort(times, kind="stable")
    levels = np.cumsum(steps[order])[:-1]
    average = float((levels * np.diff(times[order])).sum()) / span
    assert average == pytest.approx(inside.mean() * len(inside) / span)


def calls_during(action: Callable[[], object]) -> int:
    count = 0

    def tracer(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(tracer)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def test_work_is_linear_in_time_even_under_overload() -> None:
    def cost(count: int) -> float:
        return calls_during(lambda: queue_run(np.full(count, 3 * ROUND_PS))) / count

    costs = [cost(400), cost(1600)]
    assert costs[1] == pytest.approx(costs[0], rel=0.05)


def test_a_run_leaves_no_reference_cycles_behind_but_its_own_few() -> None:
    def unreachable(shots: int) -> int:
        lost = [False] * 10 + [True] + [False] * (12 * shots - 11)
        config = loop_config(
            rounds=12,
            shots=shots,
            plan=sliding_windows(12, 2, 3),
            predecode=PoolSpec(1, Fixed(ROUND_PS // 2)),
            decode=PoolSpec(1, Fixed(3 * ROUND_PS)),
            host=Host(6, INSTANT, hold_until_response=True),
            up=LinkSpec(None, INSTANT, losses=ListedLosses(lost)),
        )
        gc.collect()
        with gc_paused():
            record = run_loop(config)
        assert min(record.lost_by_cause.values()) > 0
        return gc.collect()

    assert unreachable(100) <= unreachable(10)


def test_overload_backlog_grows_at_the_expected_rate() -> None:
    record = queue_run(np.full(1000, 2 * ROUND_PS))
    during = record.backlog[record.backlog[:, 0] <= record.horizon_ps]
    slope = np.polyfit(during[:, 0], during[:, 1], 1)[0] * ROUND_PS
    assert slope == pytest.approx(0.5, rel=0.02)
    assert record.pools["decode"].busy_ps == record.horizon_ps - ROUND_PS


def test_every_stage_is_stamped_in_order_and_the_stages_sum_to_the_reaction_time() -> None:
    config = loop_config(
        rounds=6,
        shots=20,
        patches=2,
        plan=sliding_windows(6, 2, 2),
        readout=Fixed(300_000),
        predecode=PoolSpec(2, Fixed(700_000)),
        decode=PoolSpec(2, Fixed(1_100_000)),
        up=LinkSpec(10**11, Fixed(1_900_000)),
        down=LinkSpec(10**11, Fixed(1_900_000)),
        host=Host(64, Fixed(50_000)),
        packets=((3, 1456),),
        patch_offset_ps=333_333,
    )
    columns = run_loop(config).windows
    stamps = np.stack([columns[name] for name in TIMESTAMPS])
    assert len(TIMESTAMPS) == len(STAGES) + 1
    assert (np.diff(stamps, axis=0) >= 0).all()
    ends = [
        config.emission.round_end_ps(patch, shot, min(5, last + 2))
        for patch, shot, last in zip(
            columns["patch"].tolist(),
            columns["shot"].tolist(),
            columns["last_round"].tolist(),
            strict=True,
        )
    ]
    assert columns["emitted_ps"].tolist() == ends
    assert columns["window"].tolist() == list(range(2 * 20 * 3))


def test_readout_that_varies_never_reorders_the_rounds_of_a_patch() -> None:
    config = loop_config(rounds=1, shots=4, readout=Listed([5_000_000, 0, 0, 0]))
    columns = run_loop(config).windows
    assert columns["digitised_ps"].tolist() == [6_000_000] * 4


def test_an_overrun_of_the_ring_is_a_counted_loss() -> None:
    config = loop_config(
        rounds=4,
        shots=10,
        decode=PoolSpec(1, Fixed(20 * ROUND_PS)),
        host=Host(2, INSTANT, hold_until_response=True),
        rounds_per_message=4,
    )
    record = run_loop(config)
    lost = record.lost_by_cause["ring_overrun"]
    assert lost > 0
    assert record.emitted == 40
    assert record.decoded + lost == 40
    assert len(record.lost) == lost // 4
    slim = run_loop(config, keep_windows=False)
    assert slim.lost_by_cause == record.lost_by_cause
    assert not len(slim.lost)
    waiting = run_loop(replace(config, host=replace(config.host, waits=True)))
    assert waiting.decoded == 40
    assert waiting.ring_waits > 0


def test_a_ring_that_would_wait_for_ever_is_refused() -> None:
    host = Host(3, INSTANT, waits=True, hold_until_response=True)
    with pytest.raises(ValueError, match=r"slots\(=3\) must be >= 4"):
        run_loop(loop_config(rounds=4, host=host))
    assert run_loop(loop_config(rounds=4, host=replace(host, slots=4))).decoded == 4


def test_one_lost_round_takes_its_whole_window_but_not_the_next() -> None:
    lost = [False, True, False, False, False, False]
    config = loop_config(
        rounds=6,
        plan=sliding_windows(6, 2, 0),
        up=LinkSpec(None, INSTANT, losses=ListedLosses(lost)),
    )
    record = run_loop(config)
    assert record.lost_by_cause == {"link_loss": 1, "ring_overrun": 0, "incomplete_window": 1}
    assert record.windows["window"].tolist() == [1, 2]


def test_without_draining_rounds_are_left_in_flight() -> None:
    config = loop_config(rounds=5, shots=10, decode=PoolSpec(1, Fixed(8 * ROUND_PS)), drain=False)
    record = run_loop(config)
    assert (record.emitted, record.decoded, record.in_flight) == (50, 25, 25)
    assert record.windows["applied_ps"].max() <= record.horizon_ps


def test_batches_leave_full_or_when_the_oldest_job_has_waited_long_enough() -> None:
    config = loop_config(
        rounds=1,
        shots=5,
        predecode=PoolSpec(4, Fixed(100), batch=2, batch_timeout_ps=3 * ROUND_PS),
    )
    starts = run_loop(config).windows["predecode_start_ps"] // ROUND_PS
    assert starts.tolist() == [2, 2, 4, 4, 8]
    eager = replace(config, predecode=PoolSpec(1, Fixed(5 * ROUND_PS // 2), batch=8))
    assert (run_loop(eager).windows["predecode_start_ps"] // ROUND_PS).tolist() == [1, 3, 3, 6, 6]


def test_two_patches_on_one_port_queue_where_two_ports_do_not() -> None:
    link = LinkSpec(10**6, INSTANT)  # 1 bit a round period
    shared = loop_config(rounds=1, shots=1, patches=2, up=link, packets=((0, 1),))
    alone = replace(shared, up=replace(link, per_patch=True))
    assert run_loop(shared).windows["delivered_ps"].tolist() == [2_000_000, 3_000_000]
    assert run_loop(alone).windows["delivered_ps"].tolist() == [2_000_000, 2_000_000]


PLANS: dict[str, Callable[[int], tuple[Window, ...]]] = {
    "whole": whole_window,
    "sliding": lambda rounds: sliding_windows(rounds, 2, 3),
    "parallel": lambda rounds: parallel_windows(rounds, 2, 1),
}


@given(
    rounds=st.integers(1, 12),
    shots=st.integers(1, 6),
    patches=st.integers(1, 3),
    plan=st.sampled_from(sorted(PLANS)),
    carried=st.integers(1, 5),
    slots=st.integers(1, 5),
    waits_for_slot=st.booleans(),
    hold=st.booleans(),
    drain=st.booleans(),
    decode_ps=st.integers(0, 4 * ROUND_PS),
    losses=st.lists(st.booleans(), min_size=40, max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_no_round_vanishes(  # noqa: PLR0917
    rounds: int,
    shots: int,
    patches: int,
    plan: str,
    carried: int,
    slots: int,
    waits_for_slot: bool,
    hold: bool,
    drain: bool,
    decode_ps: int,
    losses: list[bool],
) -> None:
    config: LoopConfig = loop_config(
        rounds=rounds,
        shots=shots,
        patches=patches,
        plan=PLANS[plan](rounds),
        decode=PoolSpec(2, Fixed(decode_ps)),
        predecode=PoolSpec(1, Fixed(decode_ps // 2)) if plan == "whole" else None,
        rounds_per_message=carried,
        host=Host(slots, Fixed(10), waits=waits_for_slot, hold_until_response=hold),
        up=LinkSpec(None, Fixed(100), losses=ListedLosses(losses)),
        drain=drain,
    )
    try:
        record = run_loop(config)  # raises RuntimeError when the account does not close
    except ValueError:
        assert waits_for_slot
        assert hold
        assert slots < rounds * patches
        return
    assert record.emitted == rounds * shots * patches
    assert record.in_flight == 0 or not drain
    committed = record.windows["last_round"] - record.windows["first_round"] + 1
    assert committed.sum() == record.decoded
    slim = run_loop(replace(config, up=replace(config.up, losses=None)), keep_windows=False)
    assert not len(slim.windows["window"])
    assert not len(slim.backlog)


def test_progress_is_reported_every_4096_messages() -> None:
    seen: list[int] = []
    run_loop(loop_config(rounds=2, shots=4100), keep_windows=False, progress=seen.append)
    assert seen == [1, 4097, 8193]  # messages of one round
