"""How many round messages a second the SimPy engine takes through the whole loop, on one core.

One patch sends a message each round through readout, packetiser, uplink, ring, dispatcher,
pre-decoder, matcher and downlink, all of which take constant times.
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import partial
from multiprocessing import get_context

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns
from emulator.loop.config import (
    Fpga,
    Host,
    LinkSpec,
    LoopConfig,
    Message,
    PoolSpec,
    messages_of_shot,
)
from emulator.loop.engine import run_loop
from emulator.numbering import Emission
from emulator.timing.service import Fixed
from emulator.units import PS_PER_S, Clock
from emulator.windows import sliding_windows

US, NS = PS_PER_S // 10**6, PS_PER_S // 10**9
ROUNDS_PER_SHOT = 100
FEW, MANY = 10_000, 1_000_000
SHORTS = 40  # short runs during a long one, so that both see the same machine
BOUND = 40_000  # messages/s
LOADS = {"calm": 0.8, "overload": 1.5}


def takes(time_ps: int) -> Fixed:
    return Fixed(time_ps, "benchmark", "assumed")


def loop(rounds: int, window: int, load: float = 0.8) -> LoopConfig:
    """A loop of ``rounds`` 1 us rounds whose matcher is asked for ``load`` of what it can do."""
    link = LinkSpec(100 * 10**9, takes(400 * NS), propagation_ps=50 * NS, hops=1)
    return LoopConfig(
        emission=Emission(US, ROUNDS_PER_SHOT, rounds // ROUNDS_PER_SHOT),
        messages=tuple(Message(r, ((2, 1200),)) for r in messages_of_shot(ROUNDS_PER_SHOT, 1)),
        plan=sliding_windows(ROUNDS_PER_SHOT, window, 0),
        readout=takes(200 * NS),
        fpga=Fpga(Clock(Fraction(322_265_625)), 22, min_spacing_cycles=48, receive_cycles=18),
        up=link,
        down=link,
        host=Host(64, takes(100 * NS)),
        predecode=PoolSpec(1, takes(500 * NS)),
        decode=PoolSpec(1, takes(int(load * window * US))),
        response=((1, 800),),
    )


def cpu_s(config: LoopConfig, progress: Callable[[int], None] | None = None) -> float:
    start = time.process_time()
    record = run_loop(config, progress=progress)
    elapsed = time.process_time() - start
    assert record.decoded == config.emission.rounds * config.emission.shots
    return elapsed


def test_messages_a_second(benchmark: BenchmarkFixture) -> None:
    windows = {f"windows of {window:2d} rounds": loop(FEW, window) for window in (10, 1)}
    programs = {name: partial(run_loop, config) for name, config in windows.items()}
    arms = take_turns(benchmark, programs, turns=15)
    show(
        f"SimPy engine, {FEW} messages of one round, least processor time of 15 turns",
        *(
            f"{name}: {(rate := FEW / min(arm.cpu_s)):9,.0f} messages/s,"
            f" {rate / BOUND:.2f} of the bound of {BOUND:,}"
            for name, arm in arms.items()
        ),
    )


@pytest.mark.parametrize("load", LOADS)
def test_cost_a_message_is_flat(benchmark: BenchmarkFixture, load: str) -> None:
    few, many = (loop(rounds, 1, LOADS[load]) for rounds in (FEW, MANY))
    shorts: list[float] = []
    with ProcessPoolExecutor(1, get_context("spawn")) as other:

        def break_for_a_short_run(emitted: int) -> None:
            if emitted > MANY // SHORTS * len(shorts):
                shorts.append(other.submit(cpu_s, few).result())

        long = benchmark.pedantic(cpu_s, args=(many, break_for_a_short_run))
    short_us, long_us = statistics.mean(shorts) / FEW * 1e6, long / MANY * 1e6
    show(
        f"processor time a message, {load}: matcher load {LOADS[load]}, windows of one round",
        f"{FEW:9,} messages: {short_us:5.1f} us (mean of {len(shorts)} runs during the long one)",
        f"{MANY:9,} messages: {long_us:5.1f} us",
        f"ratio {long_us / short_us:.2f}",
    )


def test_memory_does_not_grow_with_the_run(benchmark: BenchmarkFixture) -> None:
    few = peak_bytes(FEW)
    many = benchmark.pedantic(peak_bytes, args=(MANY,))
    show(
        "most memory held at a time with keep_windows=False, windows of 10 rounds (tracemalloc)",
        f"{FEW:9,} messages: {few / 1024:6.0f} KiB",
        f"{MANY:9,} messages: {many / 1024:6.0f} KiB",
        f"ratio {many / few:.2f}",
    )


def peak_bytes(rounds: int) -> int:
    config = loop(rounds, 10)
    tracemalloc.start()
    run_loop(config, keep_windows=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
