"""The engine against a second simulation: every column of every table, to the picosecond."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.loop.config import (
    Fpga,
    Host,
    LinkSpec,
    LoopConfig,
    Message,
    PoolSpec,
    RoundFpga,
    messages_of_shot,
)
from emulator.loop.engine import run_loop
from emulator.loop.records import COLUMNS, MESSAGE_COLUMNS, Pool, Record
from emulator.loop.slots import slots_needed
from emulator.numbering import Emission
from emulator.units import Clock
from emulator.windows import Window, parallel_windows, sliding_windows, whole_window
from tests.loop.build import Fixed, Listed, ListedLosses, Warmed
from tests.loop.oracle import Outcome, simulate

NS, US = 10**3, 10**6


def drawn(mean_ps: int, seed: int = 1, **extra: Any) -> Listed:
    rng = np.random.default_rng(seed)
    return Listed(rng.exponential(mean_ps, 499).astype(np.int64).tolist(), **extra)


def lost(share: float, seed: int = 2) -> ListedLosses:
    return ListedLosses((np.random.default_rng(seed).random(499) < share).tolist())


BUS = Fpga(Clock(Fraction(322_265_625)), 22, min_spacing_cycles=48, receive_cycles=18)
ROUND_BY_ROUND = RoundFpga(Clock(Fraction(322_265_625)), 17, 10)
LINK = LinkSpec(10**11, Fixed(400 * NS), propagation_ps=50 * NS)
SLIDING = sliding_windows(12, 3, 3)


def loop(
    plan: tuple[Window, ...] = SLIDING,
    *,
    rounds: int = 12,
    per_message: int = 2,
    patches: int = 1,
    offset_ps: int = 0,
    gap_ps: int = 0,
    intake: int = 3,
    **parts: Any,
) -> LoopConfig:
    shot_ps = rounds * US + gap_ps
    messages = tuple(
        Message(carried, ((2, 1200), (1, 700 + n)), (intake,) * len(carried))
        for n, carried in enumerate(messages_of_shot(rounds, per_message))
    )
    config = LoopConfig(
        emission=Emission(US, rounds, 40, patches, offset_ps, shot_ps),
        messages=messages,
        plan=plan,
        readout=Fixed(300 * NS),
        fpga=BUS,
        up=LINK,
        down=LINK,
        host=Host(64, Fixed(100 * NS)),
        predecode=PoolSpec(1, Fixed(500 * NS)),
        decode=PoolSpec(2 * patches, drawn(2 * US)),
        response=((1, 800), (2, 900)),
    )
    return replace(config, **parts)


def holding(config: LoopConfig, extra: int = 0) -> LoopConfig:
    """Wait before a ring of just enough slots, each held until the response."""
    host = replace(config.host, waits=True, hold_until_response=True)
    config = replace(config, host=host)
    return replace(config, host=replace(host, slots=slots_needed(config) + extra))


BATCHES = PoolSpec(2, drawn(US, filled_ps=300 * NS, round_ps=NS), batch=4, batch_timeout_ps=5 * US)

CONFIGS: dict[str, Callable[[], LoopConfig]] = {
    "plain": loop,
    "whole windows, no pre-decoder": partial(loop, whole_window(12), predecode=None),
    "overloaded": partial(loop, decode=PoolSpec(1, drawn(9 * US))),
    "overloaded, not drained": partial(loop, decode=PoolSpec(1, drawn(9 * US)), drain=False),
    "ring that waits": lambda: holding(loop(decode=PoolSpec(1, drawn(4 * US)))),
    "ring that waits, with losses": lambda: holding(
        loop(up=replace(LINK, losses=lost(0.05)), decode=PoolSpec(1, drawn(4 * US)))
    ),
    "ring that waits for the dispatcher": partial(
        loop, host=Host(2, drawn(2 * US), waits=True), patches=2
    ),
    "ring that drops": partial(
        loop, host=Host(3, Fixed(0), hold_until_response=True), patches=2, offset_ps=NS
    ),
    "ring that drops, with losses": partial(
        loop, host=Host(2, drawn(2 * US)), up=replace(LINK, losses=lost(0.1)), patches=2
    ),
    "losses": partial(loop, up=replace(LINK, losses=lost(0.1)), per_message=1),
    "batches with a time limit": partial(loop, predecode=BATCHES, patches=3),
    "batches of what is there": partial(
        loop, decode=PoolSpec(1, drawn(2 * US, filled_ps=NS), batch=3), patches=2
    ),
    "parallel windows": partial(loop, parallel_windows(12, 2, 1)),
    "parallel windows, ring that waits": lambda: holding(
        loop(parallel_windows(12, 2, 1), patches=2, decode=PoolSpec(2, drawn(4 * US)))
    ),
    "patches out of step": partial(loop, patches=3, offset_ps=333_333),
    "patches more than a shot apart": partial(loop, patches=3, offset_ps=17 * US, gap_ps=2 * US),
    "a port for each patch": partial(
        loop,
        patches=3,
        up=replace(LINK, per_patch=True, latency=drawn(US)),
        down=replace(LINK, per_patch=True, latency=drawn(US, 5)),
    ),
    "random readout": partial(loop, patches=3, readout=drawn(2 * US)),
    "random readout, ring that waits": lambda: holding(loop(patches=3, readout=drawn(2 * US))),
    "ports for patches, ring that waits": lambda: holding(
        loop(patches=3, up=replace(LINK, per_patch=True, latency=drawn(3 * US)))
    ),
    "service that depends on the load": partial(
        loop, decode=PoolSpec(4, drawn(4 * US, loaded_ps=700 * NS)), per_message=1
    ),
    "warm-up": partial(loop, decode=PoolSpec(2, Warmed(7, Fixed(40 * US), drawn(US)))),
    "hops": partial(loop, up=replace(LINK, rate_bps=10**9, hops=2, hop_latency_ps=100 * NS)),
    "cut-through": partial(loop, fpga=replace(BUS, store_and_forward=False)),
    "round by round": partial(loop, fpga=ROUND_BY_ROUND, per_message=3),
    "round by round, shared": partial(
        loop, fpga=ROUND_BY_ROUND, patches=3, readout=drawn(2 * US), offset_ps=NS
    ),
    "rounds longer than their period": partial(
        loop, fpga=ROUND_BY_ROUND, patches=2, intake=400, per_message=1
    ),
    "slow line": partial(loop, up=replace(LINK, rate_bps=10**9), per_message=1),
}


def agree(config: LoopConfig) -> Record:
    """Compare a run of the engine with one of the second simulation; return the engine's."""
    record, other = run_loop(config), simulate(config)
    for table, rows, names in (
        (record.windows, other.windows, COLUMNS),
        (record.messages, other.messages, MESSAGE_COLUMNS),
    ):
        rows.sort(key=lambda row: row[names[0]])
        for name in names:
            assert table[name].tolist() == [row[name] for row in rows], name
    assert record.responses.tolist() == [list(row) for row in other.responses]
    assert record.lost.tolist() == [list(row) for row in other.lost]
    assert list(record.lost_by_cause.values()) == other.lost_rounds
    assert (record.emitted, record.decoded) == (other.emitted, other.decoded)
    assert record.in_flight == other.emitted - other.decoded - sum(other.lost_rounds)
    assert record.ring_waits == other.ring_waits
    assert record.drained == config.drain
    total, done = 0, []
    for time, rounds in other.finished:
        total += rounds
        done.append([time, total])
    assert record.done.tolist() == done
    last = max((row["applied_ps"] for row in other.windows), default=0)
    assert record.end_ps == max(last, record.horizon_ps)
    for stage, pool in record.pools.items():
        assert account(config, other, stage) == replace(pool, servers=0), stage
    return record


def account(config: LoopConfig, other: Outcome, stage: str) -> Pool:
    """Sum up the work of a stage after the fact."""
    horizon = config.emission.horizon_ps
    begun = [job for job in other.work[stage] if config.drain or job[1] <= horizon]
    late = [job for job in other.work[stage] if job[0] <= horizon < job[1]]
    return Pool(
        servers=0,
        busy_ps=sum(max(0, min(end, horizon) - start) for start, end in other.busy[stage]),
        demand_ps=sum(service for _, _, service in begun),
        demand_ps2=sum(service**2 for _, _, service in begun),
        jobs=len(begun),
        left_over=len(late) + other.waiting.get(stage, 0),
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_the_engine_agrees_with_a_second_simulation(name: str) -> None:
    record = agree(CONFIGS[name]())
    assert record.drained == (name != "overloaded, not drained")
    lossy = "losses" in name or name == "ring that drops"
    assert bool(sum(record.lost_by_cause.values())) == lossy
    assert bool(record.ring_waits) == ("ring that waits" in name)


SERVICES = st.one_of(
    st.sampled_from([0, 1, 100 * NS, US]).map(Fixed),
    st.builds(drawn, st.sampled_from([2, 100 * NS, 2 * US]), st.integers(0, 99)),
    st.builds(
        lambda seed, loaded, filled: drawn(US, seed, loaded_ps=loaded, filled_ps=filled),
        st.integers(0, 99),
        st.sampled_from([0, 1, 300 * NS]),
        st.sampled_from([0, 1, 200 * NS]),
    ),
)
ROUNDS = 7
PLANS = st.one_of(
    st.just(whole_window(ROUNDS)),
    st.builds(partial(sliding_windows, ROUNDS), st.integers(1, 3), st.integers(0, 4)),
    st.builds(partial(parallel_windows, ROUNDS), st.integers(1, 2), st.integers(1, 2)),
)
LOSSES = st.one_of(st.none(), st.builds(lost, st.sampled_from([0.02, 0.3]), st.integers(0, 99)))


def links(services: st.SearchStrategy[Any]) -> st.SearchStrategy[LinkSpec]:
    return st.builds(
        LinkSpec,
        rate_bps=st.sampled_from([None, 10**9, 10**11]),
        latency=services,
        propagation_ps=st.sampled_from([0, 50 * NS]),
        hops=st.integers(0, 2),
        hop_latency_ps=st.sampled_from([0, 100 * NS]),
        per_patch=st.booleans(),
    )


def pools(services: st.SearchStrategy[Any]) -> st.SearchStrategy[PoolSpec]:
    return st.builds(
        PoolSpec,
        servers=st.integers(1, 3),
        service=services,
        batch=st.integers(1, 3),
        batch_timeout_ps=st.sampled_from([0, 1, US, 3 * US]),
    )


@st.composite
def loops(
    draw: st.DrawFn,
    messages_take: st.SearchStrategy[Any] = SERVICES,
    windows_take: st.SearchStrategy[Any] = SERVICES,
    losses: st.SearchStrategy[Any] = LOSSES,
) -> LoopConfig:
    """A loop of any parts; a ring that waits and holds has the slots that it needs."""
    links_drawn, pools_drawn = links(messages_take), pools(windows_take)
    clock = Clock(Fraction(draw(st.sampled_from([322_265_625, 156_250_000, 10**9]))))
    per_message = draw(st.integers(1, ROUNDS))
    messages = tuple(
        Message(
            carried,
            tuple((draw(st.integers(1, 5)), draw(st.integers(600, 4000))) for _ in range(packets)),
            tuple(draw(st.sampled_from([1, 3, 200])) for _ in carried),
        )
        for carried in messages_of_shot(ROUNDS, per_message)
        for packets in [draw(st.integers(1, 2))]
    )
    bus = Fpga(clock, 5, draw(st.booleans()), draw(st.sampled_from([0, 1, 300])), 3)
    config = loop(
        draw(PLANS),
        rounds=ROUNDS,
        messages=messages,
        patches=draw(st.integers(1, 3)),
        offset_ps=draw(st.sampled_from([0, 1, 333_333, 15 * US])),
        gap_ps=draw(st.sampled_from([0, 1, 2 * US])),
        readout=draw(messages_take),
        fpga=draw(st.sampled_from([bus, RoundFpga(clock, 17, 10)])),
        up=replace(draw(links_drawn), losses=draw(losses)),
        down=draw(links_drawn),
        host=Host(
            draw(st.integers(1, 8)), draw(messages_take), draw(st.booleans()), draw(st.booleans())
        ),
        predecode=draw(st.one_of(st.none(), pools_drawn)),
        decode=draw(pools_drawn),
        drain=draw(st.booleans()),
    )
    config = replace(config, emission=replace(config.emission, shots=draw(st.integers(1, 8))))
    if config.host.waits and config.host.hold_until_response:
        config = holding(config, extra=draw(st.integers(0, 2)))
    return config


@settings(max_examples=50, deadline=None)
@given(config=loops())
def test_the_engine_agrees_with_a_second_simulation_on_any_loop(config: LoopConfig) -> None:
    agree(config)
