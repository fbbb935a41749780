"""The compiled engine beside the SimPy engine, and what it costs as a run grows.

The loop is that of `benchmarks.test_loop_rate`: a message a round through every stage, all times
constant; and once more with times drawn at random.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns
from benchmarks.test_loop_rate import FEW, MANY, ROUNDS_PER_SHOT, US, loop
from emulator.loop.compiled import run_compiled
from emulator.loop.config import LoopConfig
from emulator.loop.engine import run_loop
from emulator.loop.native import engine_library
from emulator.timing import Fixed, Stream
from emulator.timing.distribution import ShiftedLognormal
from emulator.timing.service import Drawn

BOUNDS = {10: 100, 1: 50}
"""How many times as fast the compiled engine is to be, by the rounds of a window."""
TURNS = 9


def drawn(config: LoopConfig) -> LoopConfig:
    """Draw latency, dispatch and both decoders' times at random, around their constants."""

    def around(median_ps: int, stream: int) -> Drawn:
        return Drawn(ShiftedLognormal(0, median_ps, 0.2), Stream(1, stream))

    assert config.predecode is not None
    service_ps = config.decode.service.constant_ps or US
    return replace(
        config,
        up=replace(config.up, latency=around(US, 2)),
        host=replace(config.host, dispatch=around(US // 10, 5)),
        predecode=replace(config.predecode, service=around(US // 2, 6)),
        decode=replace(config.decode, service=around(service_ps, 7)),
    )


def test_messages_a_second_of_both_engines(benchmark: BenchmarkFixture) -> None:
    engine_library()
    programs: dict[str, Callable[[], object]] = {}
    for window in BOUNDS:
        for kind, change in (("constant", lambda config: config), ("drawn", drawn)):
            few, many = (change(loop(rounds, window)) for rounds in (FEW, MANY))
            programs[f"simpy {kind} {window}"] = partial(run_loop, few)
            programs[f"compiled {kind} {window}"] = partial(run_compiled, many)
    arms = take_turns(benchmark, programs, turns=TURNS)
    lines = []
    for window, bound in BOUNDS.items():
        for kind in ("constant", "drawn"):
            slow = FEW / min(arms[f"simpy {kind} {window}"].cpu_s)
            fast = MANY / min(arms[f"compiled {kind} {window}"].cpu_s)
            lines.append(
                f"windows of {window:2d} rounds, {kind:8} times: SimPy {slow:7,.0f}, compiled"
                f" {fast:10,.0f} messages/s, ratio {fast / slow:5.1f}, bound {bound}"
            )
    show(
        f"both engines, all records kept, {FEW:,} messages of one round on SimPy and {MANY:,}"
        f" compiled, least processor time of {TURNS} turns",
        *lines,
    )


def cost(config: LoopConfig) -> tuple[float, float]:
    """Processor time a message in ns, and the most memory that this process held so far in MB."""
    start = time.process_time()
    record = run_compiled(config, keep_windows=False)
    elapsed = time.process_time() - start
    return elapsed / record.emitted * 1e9, peak_mb()


def peak_mb() -> float:
    """Most memory held; getrusage would count what the parent held when it forked."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def test_cost_and_memory_as_a_run_grows(benchmark: BenchmarkFixture) -> None:
    engine_library()

    def grow() -> list[tuple[int, float, float]]:
        found = []
        for rounds in (10**4, 10**6, 10**8):
            with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
                found.append((rounds, *fresh.submit(cost, loop(rounds, 1)).result()))
        return found

    show(
        "compiled engine, windows of one round, no records kept, a process each",
        *(
            f"{rounds:11,} windows: {cost_ns:6.0f} ns a message, {peak:5.0f} MB at most"
            for rounds, cost_ns, peak in benchmark.pedantic(grow)
        ),
    )


def test_cost_as_patches_grow(benchmark: BenchmarkFixture) -> None:
    engine_library()

    def grow() -> list[tuple[int, float]]:
        return [(patches, cost(patched(patches))[0]) for patches in (1, 10, 100, 1000, 10_000)]

    show(
        f"compiled engine, {MANY:,} messages of patches in step, windows of one round",
        *(
            f"{patches:6,} patches: {cost_ns:6.0f} ns a message"
            for patches, cost_ns in benchmark.pedantic(grow)
        ),
    )


def patched(patches: int) -> LoopConfig:
    """So many patches with lines, decoders and slots enough for all of them."""
    config = loop(MANY // patches if patches <= MANY // ROUNDS_PER_SHOT else ROUNDS_PER_SHOT, 1)
    assert config.predecode is not None
    return replace(
        config,
        emission=replace(config.emission, patches=patches),
        up=replace(config.up, per_patch=True),
        down=replace(config.down, per_patch=True),
        host=replace(config.host, slots=64 * patches, dispatch=Fixed(0)),
        predecode=replace(config.predecode, servers=patches),
        decode=replace(config.decode, servers=patches),
    )
