"""A SimPy environment whose time is an integer number of picoseconds."""

from collections.abc import Callable
from typing import TypeVar, cast

import simpy

__all__ = ["Clockwork"]

T = TypeVar("T")


class Clockwork(simpy.Environment):
    """SimPy keeps integer time exact; this says so to the type checker and schedules calls."""

    @property
    def now(self) -> int:
        """Current time in picoseconds."""
        return self._now  # type: ignore[return-value]  # int in, int out: only ints are scheduled

    def after(self, delay_ps: int, action: Callable[[T], None], value: T) -> None:
        """Call ``action(value)`` when ``delay_ps`` picoseconds have passed."""
        # the callback list is None only once an event has been processed, and this one is new
        callbacks = cast("list[Callable[[simpy.Event], None]]", self.timeout(delay_ps).callbacks)
        callbacks.append(lambda _event: action(value))
