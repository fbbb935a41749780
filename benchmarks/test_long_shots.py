"""What one very long shot takes, from scenario to record, in sliding windows.

Every length runs in a process of its own, whose memory is its own as well.
"""

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show
from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.run import decode, durations, prepare, simulate
from emulator.scenario import resolve

LENGTHS = (1_000, 10_000, 100_000)

T = TypeVar("T")


def stages(task: str, distance: int, rounds: int) -> tuple[dict[str, float], float, int]:
    """Processor time of each stage in seconds, most memory held in MB, distinct windows."""
    took: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        start = time.process_time()
        found = work()
        took[stage] = took.get(stage, 0.0) + time.process_time() - start
        return found

    scenario = {
        "qpu": {"round_period": "1 us"},
        "code": {"task": task, "distance": distance, "rounds": rounds},
        "noise": {"model": "depolarizing", "p": 0.003},
        "window": {"kind": "sliding", "commit": distance, "buffer": distance},
        "fpga": {"rounds_per_message": 1},
        "decoder": {"timing": {"kind": "constant", "value": "1 us"}},
        "run": {"shots": 1},
    }
    algorithm = resolve_decoder("pymatching")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    prepared = timed("set-up", lambda: prepare(resolve(scenario)))
    source, plan = prepared.source, prepared.traffic.plan
    windowed = timed(
        "set-up", lambda: WindowedDecoder(source.dem, source.detector_round, plan, algorithm)
    )
    kinds = len({model.errors for model in windowed.models})
    # The last cut is remembered, so that this samples and decodes.
    answers = timed("decoding", lambda: decode(prepared))
    record = timed("loop", lambda: simulate(prepared, durations(prepared, answers)))
    assert record.decoded == rounds
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return took, most / 1024, kinds


@pytest.mark.parametrize(
    ("task", "distance"), [("repetition_code:memory", 5), ("surface_code:rotated_memory_z", 3)]
)
def test_time_and_memory_of_a_long_shot(
    benchmark: BenchmarkFixture, task: str, distance: int
) -> None:
    stages(task, distance, 100)  # imports, which a process forked from here does not repeat

    def run_all() -> list[tuple[dict[str, float], float, int]]:
        found = []
        for rounds in LENGTHS:
            with ProcessPoolExecutor(1, get_context("fork")) as process:
                found.append(process.submit(stages, task, distance, rounds).result())
        return found

    found = benchmark.pedantic(run_all)
    lines = []
    for rounds, (took, most, kinds) in zip(LENGTHS, found, strict=True):
        seconds = ", ".join(f"{stage} {s:6.2f} s" for stage, s in took.items())
        lines.append(
            f"{rounds:7,} rounds: {seconds}, {most:4.0f} MB more, {kinds} distinct windows"
        )
    (first, *_), *_, (last, most, _) = found
    growth = LENGTHS[-1] / LENGTHS[0]
    show(
        f"one shot of {task}, d={distance}, sliding windows of {distance} + {distance} rounds, "
        "processor time",
        *lines,
        f"set-up over linear, from first to last: {last['set-up'] / first['set-up'] / growth:.2f}",
        f"most memory a round at {LENGTHS[-1]:,}: {most * 2**20 / LENGTHS[-1]:,.0f} bytes",
    )
