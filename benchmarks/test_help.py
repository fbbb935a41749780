"""How long the command line takes to say what it can do, and to import what a run needs."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arms import show, take_turns

TURNS = 10
ROUNDTRIP = Path(sys.executable).with_name("roundtrip")
IMPORTS = "import emulator.report, emulator.run, polars, pymatching, scipy.special"

COMMANDS: dict[str, Sequence[str | Path]] = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "roundtrip --help": (ROUNDTRIP, "--help"),
    "imports of roundtrip run": (sys.executable, "-c", IMPORTS),
}


def test_wall_time_of_help(benchmark: BenchmarkFixture) -> None:
    programs = {
        name: partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        for name, command in COMMANDS.items()
    }
    least = {
        name: min(arm.wall_s) for name, arm in take_turns(benchmark, programs, turns=TURNS).items()
    }
    bare = least["python -c pass"]
    show(
        f"elapsed time of a new process, least of {TURNS} turns",
        *(f"{name:24} {wall:6.3f} s {wall / bare:6.1f}x" for name, wall in least.items()),
        "bound of roundtrip --help: 0.3 s",
    )
