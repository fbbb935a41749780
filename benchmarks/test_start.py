"""How much processor time a short timing-only run takes beyond starting Python."""

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show

TURNS = 9
BOUND_S = 0.8
ROUNDTRIP = (sys.executable, "-m", "emulator.cli")

SCENARIO = """\
[qpu]
round_period = "1 us"

[code]
task = "surface_code:rotated_memory_z"
distance = 3
rounds = 4

[noise]
model = "depolarizing"
p = 0.01

[decoder]
algorithm = "none"
timing = { kind = "constant", value = "1 us" }

[run]
shots = 100
"""


def test_processor_time_of_a_timing_only_run(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(SCENARIO)
    commands: dict[str, Sequence[str | Path]] = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "roundtrip run --no-report, 100 windows": (*ROUNDTRIP, "run", "short.toml", "--no-report"),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}

    def turn() -> None:
        for name, command in commands.items():
            taken[name].append(_cpu_s(command, tmp_path))

    benchmark.pedantic(turn, rounds=TURNS, warmup_rounds=1)
    bare, run = (statistics.median(times[1:]) for times in taken.values())
    show(
        f"processor time of a new process, median of {TURNS} turns",
        *(f"{name:40} {statistics.median(t[1:]):6.3f} s" for name, t in taken.items()),
        f"ratio {run / bare:.0f}, difference {run - bare:.3f} s",
        f"bound of the difference: {BOUND_S} s",
    )


def _cpu_s(command: Sequence[str | Path], folder: Path) -> float:
    """Processor time of a process and those it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # compiled modules are kept, as after an installation
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, env=env, check=False)
    assert done.returncode in {0, 1, 4}
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
