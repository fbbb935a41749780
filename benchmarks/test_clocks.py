"""How far the clocks of a timed call agree on calls that only compute, and what they cost."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show
from emulator.decoders.stopwatch import MIN_LOST_NS, disturbed_calls, read_calls

LENGTHS_NS = (1_000, 10_000, 100_000, 1_000_000)
CALLS = 2000


def spin(length_ns: int) -> Callable[[], None]:
    """Compute for a time."""

    def call() -> None:
        end = time.perf_counter_ns() + length_ns
        while time.perf_counter_ns() < end:
            pass

    return call


def gaps(length_ns: int) -> tuple[NDArray[np.int64], float]:
    """Wall less processor time in ns of calls that kept their core, and the disturbed share."""
    count = min(CALLS, 500_000_000 // length_ns)
    _, readings = read_calls([spin(length_ns)] * count, lambda _: None)
    kept = (readings.lost == 0) & (readings.given_up == 0)
    return (readings.wall_ns - readings.thread_ns)[kept], float(disturbed_calls(readings).mean())


def test_noise_of_the_clocks(benchmark: BenchmarkFixture) -> None:
    found = benchmark.pedantic(lambda: {length: gaps(length) for length in LENGTHS_NS}, rounds=1)
    show(
        "wall time less processor time of calls that kept their core: "
        f"p1, p50, p99, p99.9; disturbed from {MIN_LOST_NS / 1000:g} us",
        *(
            f"calls of {length / 1000:6g} us: "
            + "".join(f"{q / 1000:8.2f}" for q in np.quantile(gap, [0.01, 0.5, 0.99, 0.999]))
            + f" us; {share:.2%} of all calls disturbed"
            for length, (gap, share) in found.items()
        ),
    )
