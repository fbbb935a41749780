"""A SimPy environment whose time is an integer number of picoseconds."""

from collections.abc import Callable
from typing import Any, TypeVar

import simpy
from simpy.events import NORMAL, EventPriority

__all__ = ["Clockwork"]

T = TypeVar("T")

_LAST = EventPriority(NORMAL + 1)


class Clockwork(simpy.Environment):
    """SimPy keeps integer time exact; this says so to the type checker and schedules calls."""

    @property
    def now(self) -> int:
        """Current time in picoseconds."""
        return self._now  # type: ignore[return-value]  # int in, int out: only ints are scheduled

    def after(
        self, delay_ps: int, action: Callable[[T], None], value: T, *, last: bool = False
    ) -> None:
        """Call ``action(value)`` when ``delay_ps`` picoseconds have passed.

        ``last``: after all else that happens at that instant.
        """
        if delay_ps < 0:
            raise ValueError(f"delay_ps(={delay_ps}) must be >= 0.")
        priority = _LAST if last else NORMAL
        self.schedule(_Call(self, action, value), priority, delay_ps)


class _Call(simpy.Event):
    """A triggered event with one call to make, which spares it a list of callbacks and a closure.

    Four of these a message are most of what the loop asks of SimPy.
    """

    def __init__(self, env: Clockwork, action: Callable[[Any], None], value: object) -> None:
        self.env = env
        self.callbacks = _CALLBACKS
        self.action = action
        self._value = value
        self._ok = True

    def happen(self) -> None:
        """Make the call."""
        self.action(self._value)


_CALLBACKS: Any = (_Call.happen,)  # the same for all: SimPy only walks through them
