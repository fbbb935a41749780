"""How far long work has come, on standard error: a bar on a terminal, now and then a line else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emulator.cli.streams import write_error

if TYPE_CHECKING:
    from emulator.run import Progress

__all__ = ["Lines", "progress_bar"]

INTERVAL_S = 10.0


@contextmanager
def progress_bar() -> "Iterator[Progress]":
    """Give a function that shows what is being done, how much of it is done, and of how much."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    with Bars(console=Console(stderr=True), transient=True) as bars:

        def move(work: str, done: int, total: int) -> None:
            if work not in tasks:
                tasks[work] = bars.add_task(work, total=total)
            bars.update(tasks[work], completed=done)

        yield move


class Lines:
    """A line to standard error for every ``INTERVAL_S`` seconds of work, none for short work."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_s = clock() + INTERVAL_S

    def __call__(self, work: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` pieces of ``work`` are done, if it is time to."""
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + INTERVAL_S
        write_error(f"{work}: {done:,} of {total:,} ({done / max(total, 1):.0%})")
