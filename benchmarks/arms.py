"""Programs measured side by side, in turns, so that a busy machine does not favour one of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["Arm", "show", "take_turns"]


@dataclass(frozen=True, slots=True)
class Arm:
    """What each turn of a program took.

    ``cpu_s`` is processor time of this process and all its threads, ``wall_s`` elapsed time.
    """

    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)

    def excess(self, other: "Arm") -> str:
        """Processor time over that of ``other`` in the same turn: median, lowest, highest."""
        found = [mine / its - 1 for mine, its in zip(self.cpu_s, other.cpu_s, strict=True)]
        return f"{statistics.median(found):6.1%} ({min(found):.1%} to {max(found):.1%})"


def take_turns(
    benchmark: BenchmarkFixture, programs: Mapping[str, Callable[[], object]], *, turns: int
) -> dict[str, Arm]:
    """Run all programs in turns, ``turns`` times after one for warming up.

    One round of the ``benchmark`` fixture, whose own statistics pytest-benchmark keeps, is one
    turn of all.
    """
    arms = {name: Arm() for name in programs}

    def turn() -> None:
        for name, program in programs.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            program()
            arms[name].cpu_s.append(time.process_time() - cpu)
            arms[name].wall_s.append(time.perf_counter() - wall)

    benchmark.pedantic(turn, rounds=turns, warmup_rounds=1)
    return {name: Arm(arm.cpu_s[1:], arm.wall_s[1:]) for name, arm in arms.items()}


def show(title: str, *lines: str) -> None:
    """Print the numbers of one benchmark below its title."""
    print(f"\n\n{title}")
    for line in lines:
        print(f"  {line}")
