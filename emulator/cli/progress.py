"""A progress bar on standard error for long work, and nothing where that is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.run import Progress

__all__ = ["progress_bar"]


@contextmanager
def progress_bar() -> "Iterator[Progress | None]":
    """Give a function that moves the bar, or None when nobody would see it."""
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    tasks: dict[str, TaskID] = {}
    with Bars(console=console, transient=True) as bars:

        def move(work: str, done: int, total: int) -> None:
            if work not in tasks:
                tasks[work] = bars.add_task(work, total=total)
            bars.update(tasks[work], completed=done)

        yield move
