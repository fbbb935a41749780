"""Programs measured side by side, in turns, so that a busy machine does not favour one of them."""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["Least", "show", "take_turns"]


@dataclass(frozen=True, slots=True)
class Least:
    """The least of several repeats, which other work on the machine disturbed least.

    ``cpu_s`` is processor time of this process and all its threads, ``wall_s`` elapsed time.
    """

    cpu_s: float
    wall_s: float


def take_turns(
    benchmark: BenchmarkFixture, arms: Mapping[str, Callable[[], object]], *, repeats: int
) -> dict[str, Least]:
    """Run all arms in turns, ``repeats`` times after one for warming up.

    One round of the ``benchmark`` fixture, whose own statistics pytest-benchmark keeps, is one
    turn of all arms.
    """
    cpu_s: dict[str, list[float]] = {name: [] for name in arms}
    wall_s: dict[str, list[float]] = {name: [] for name in arms}

    def turn() -> None:
        for name, arm in arms.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            arm()
            cpu_s[name].append(time.process_time() - cpu)
            wall_s[name].append(time.perf_counter() - wall)

    benchmark.pedantic(turn, rounds=repeats, warmup_rounds=1)
    return {name: Least(min(cpu_s[name]), min(wall_s[name])) for name in arms}


def show(title: str, *lines: str) -> None:
    """Print the numbers of one benchmark below its title."""
    print(f"\n\n{title}")
    for line in lines:
        print(f"  {line}")
