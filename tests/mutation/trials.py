"""Runs the tests of a package on mutants of it, each in a copy of the checkout."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from tests.mutation.mutants import Mutant

__all__ = ["CPU_LIMIT_S", "Trial", "UnsoundError", "copy_checkout", "run_tests", "trials"]

CPU_LIMIT_S = 60
"""Processor time of one run of the tests; a mutant that takes more is killed for it."""

Fate = Literal["killed", "timeout", "survived"]

_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv*", "runs", "__pycache__", ".*_cache", ".hypothesis", ".benchmarks"),
)

# limits itself and then is pytest: a limit set between fork and exec is not safe among threads
_LIMITED = """
import resource, sys
seconds = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""

_WALL_LIMIT_S = 20 * CPU_LIMIT_S  # for a mutant that waits for ever and takes no time


class UnsoundError(RuntimeError):
    """The tests say nothing about a mutant, because they cannot even be run without one."""


@dataclass(frozen=True)
class Trial:
    """What became of a mutant: killed by a test, by the limit of time, or not at all."""

    mutant: Mutant
    fate: Fate


def copy_checkout(root: Path, place: Path) -> Path:
    """Copy the files of a checkout, without what it generated; returns ``place``."""
    shutil.copytree(root, place, ignore=_LEFT_OUT, symlinks=True)
    return place


def trials(
    mutants: Sequence[Mutant], root: Path, place: Path, *, jobs: int = 2, limit_s: int = CPU_LIMIT_S
) -> Iterator[Trial]:
    """Try each mutant on the tests of its package, in the order given; never changes ``root``.

    ``place`` is an empty folder for ``jobs`` copies. Raises UnsoundError when the tests of a
    package fail, or take too long, without a mutant.
    """
    free: SimpleQueue[Path] = SimpleQueue()

    def attempt(mutant: Mutant) -> Trial:
        copy = free.get()
        try:
            with _planted(mutant, copy):
                return Trial(mutant, run_tests(copy, ordered_tests(copy, mutant.path), limit_s))
        finally:
            free.put(copy)

    copy = copy_checkout(root, place / "0")
    for package in sorted({_package(mutant.path) for mutant in mutants}):
        if (
            run_tests(
                copy, ordered_tests(copy, Path("emulator", package, "")), limit_s, compiles=True
            )
            != "survived"
        ):
            raise UnsoundError(f"tests/{package} do not pass as they are; repair them first.")
    free.put(copy)
    for number in range(1, jobs):  # with what has been compiled by now
        free.put(shutil.copytree(copy, place / str(number), symlinks=True))
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(attempt, mutants)


def _package(path: Path) -> str:
    return path.parts[1]


@contextmanager
def _planted(mutant: Mutant, copy: Path) -> Iterator[None]:
    file = copy / mutant.path
    times = file.stat()
    # bytecode is told from its source by size and second of writing, which may be the same
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    file.write_text(mutant.after, encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(mutant.before, encoding="utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def ordered_tests(copy: Path, path: Path) -> list[str]:
    """Test files of a module's package: its own, those that name it, and then the others."""
    folder = copy / "tests" / _package(path)
    files = sorted(folder.rglob("test_*.py"))
    if not files:
        raise UnsoundError(f"tests/{_package(path)} has no tests.")
    module = ".".join(path.with_suffix("").parts)

    def remoteness(file: Path) -> int:
        if file.stem == f"test_{path.stem}":
            return 0
        return 1 if module in file.read_text(encoding="utf-8") else 2

    return [str(file.relative_to(copy)) for file in sorted(files, key=remoteness)]


def run_tests(
    copy: Path, files: Sequence[str], limit_s: int = CPU_LIMIT_S, *, compiles: bool = False
) -> Fate:
    """Run test files in a copy up to the first failure; slow tests are left out.

    ``compiles`` leaves bytecode in the copy, which saves the runs to come a second each.
    """
    arguments = [str(limit_s), "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *files]
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "" if compiles else "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LIMITED, *arguments],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_WALL_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    if done.returncode < 0:
        return "timeout" if -done.returncode in {signal.SIGXCPU, signal.SIGKILL} else "killed"
    if done.returncode in {4, 5}:  # usage, nothing collected
        raise UnsoundError(f"pytest could not run {files}: {done.stdout}{done.stderr}")
    return "killed" if done.returncode else "survived"
