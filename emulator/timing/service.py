"""How long each job of a stage takes: constant, drawn once per job, measured, or by load.

A job's time depends only on its number (and, for ``Loaded``, on how many servers are busy), never
on the order in which times are asked for, so that two engines that start jobs in a different order
still agree.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError

__all__ = ["Drawn", "Fixed", "Loaded", "Recorded", "Sampler", "Service", "Warmed"]

Sampler = Callable[[int], NDArray[np.int64]]
"""The next n times of a sequence: int64 array of shape (n,), picoseconds, none negative."""

_BLOCK = 4096


class Service(ABC):
    """The duration of every job of one stage, and where the figures come from.

    ``constant_ps`` is the duration if all jobs take the same whatever the load, else None;
    ``uses_busy`` says whether the load matters.
    """

    constant_ps: int | None = None
    uses_busy: bool = False

    def __init__(self, source: str, confidence: str) -> None:
        self.source = source
        self.confidence = confidence

    @abstractmethod
    def __call__(self, index: int, busy: int) -> int:
        """Duration in ps of job ``index`` when ``busy`` servers work, this job's included."""


class Fixed(Service):
    """Every job takes ``value_ps``."""

    def __init__(self, value_ps: int, source: str, confidence: str) -> None:
        super().__init__(source, confidence)
        self.constant_ps: int = value_ps

    def __call__(self, index: int, busy: int) -> int:  # noqa: ARG002
        """Return the one duration."""
        return self.constant_ps


class Drawn(Service):
    """Job n takes the n-th time of a sampler, which is called in blocks of fixed size."""

    def __init__(self, sampler: Sampler, source: str, confidence: str) -> None:
        super().__init__(source, confidence)
        self._sampler = sampler
        self._times = array("q")

    def __call__(self, index: int, busy: int) -> int:  # noqa: ARG002
        """Return the time of job ``index``, drawing blocks until there is one."""
        try:
            return self._times[index]
        except IndexError:
            while index >= len(self._times):
                self._times.frombytes(self._sampler(_BLOCK).tobytes())
            return self._times[index]


class Recorded(Service):
    """Job n takes ``values_ps[n]``, int64 of shape (jobs,): what was measured for just that job."""

    def __init__(
        self, values_ps: NDArray[np.int64], source: str, confidence: str = "measured"
    ) -> None:
        super().__init__(source, confidence)
        self._times = array("q", np.asarray(values_ps, dtype=np.int64).tobytes())

    def __call__(self, index: int, busy: int) -> int:  # noqa: ARG002
        """Return the recorded time; raises ScenarioError for a job that was not measured."""
        try:
            return self._times[index]
        except IndexError:
            raise ScenarioError(
                f"job {index} was not measured: {len(self._times)} times are recorded "
                f"({self.source}); measure as many jobs as the run has, or draw from a profile."
            ) from None


class Loaded(Service):
    """Between ``idle`` (one busy server) and ``loaded`` (``servers`` or more), linear in busy."""

    uses_busy = True

    def __init__(
        self, idle: Service, loaded: Service, servers: int, source: str, confidence: str
    ) -> None:
        super().__init__(source, confidence)
        self._idle = idle
        self._loaded = loaded
        self._steps = servers - 1

    def __call__(self, index: int, busy: int) -> int:
        """Return the job's idle time plus its share of the slowdown."""
        idle_ps = self._idle(index, busy)
        if busy <= 1:
            return idle_ps
        slowdown_ps = self._loaded(index, busy) - idle_ps
        return idle_ps + slowdown_ps * min(busy - 1, self._steps) // self._steps


class Warmed(Service):
    """The first ``messages`` jobs are served by ``first``, all later ones by ``then``."""

    def __init__(
        self, messages: int, first: Service, then: Service, source: str, confidence: str
    ) -> None:
        super().__init__(source, confidence)
        self.uses_busy = first.uses_busy or then.uses_busy
        self._messages = messages
        self._first = first
        self._then = then

    def __call__(self, index: int, busy: int) -> int:
        """Return the time of a cold job or of a warm one, by its number."""
        return (self._first if index < self._messages else self._then)(index, busy)
