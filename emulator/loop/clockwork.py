"""A SimPy environment whose time is an integer number of picoseconds."""

from collections.abc import Callable
from heapq import heappop, heappush
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
        call = _Call(self, action, value)
        heappush(self._queue, (self._now + delay_ps, priority, next(self._eid), call))

    def step(self) -> None:
        """Make the next call, or process the next event as SimPy does.

        A call has no callbacks, cannot fail and stops nothing, so it needs none of that care.
        """
        queue = self._queue
        call = queue[0][3] if queue else None
        if type(call) is _Call:
            self._now = heappop(queue)[0]
            call.action(call.argument)
        else:
            super().step()


class _Call(simpy.Event):
    """An event that is one call, which spares it a list of callbacks and a closure.

    Five of these a message are most of what the loop asks of SimPy.
    """

    def __init__(self, env: Clockwork, action: Callable[[Any], None], argument: object) -> None:
        self.env = env
        self.action = action
        self.argument = argument
