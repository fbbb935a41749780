"""How long each job of a stage takes, as frozen data that pickles: one class per delay model.

A duration depends on the number of the job and its luck (a number of the stage's `Stream`), how
many servers are busy, how many jobs are served together and how many rounds a window reads; never
on the order in which durations are asked for. What follows the luck is integer arithmetic.
"""

from abc import ABC, abstractmethod
from array import array
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.timing.distribution import ByContent, Distribution
from emulator.timing.law import Always, Costed, Draws, Law, Listed
from emulator.timing.stream import BlockCache, Stream

__all__ = [
    "PPM",
    "UNSTATED",
    "Drawn",
    "Fixed",
    "Reader",
    "Recorded",
    "Replayed",
    "Service",
]

UNSTATED = "not stated"
"""Source of a service whose delay does not name one itself."""

PPM = 1_000_000
"""Relative cost of a full batch, in parts per million."""


class Reader(Protocol):
    """Gives the durations of a service; it caches blocks of chance, and is made anew anywhere."""

    def __call__(self, index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
        """Duration of job ``index`` in picoseconds, zero or more.

        ``busy`` servers work, this one included; ``fill`` jobs are served together; the window
        reads ``rounds`` rounds (0: the job is no window).
        """


class Service(ABC):
    """The duration of every job of one stage, and where the figures come from.

    ``source`` names a paper, document or measurement, ``confidence`` how far to trust it.
    """

    source: str
    confidence: str

    @property
    def constant_ps(self) -> int | None:
        """The duration if all jobs take the same under all circumstances, else None."""
        return None

    @property
    def uses_busy(self) -> bool:
        """Whether the number of busy servers matters."""
        return False

    @abstractmethod
    def longest_ps(self, rounds: int = 0) -> int:
        """Bound on every duration, of windows that read up to ``rounds`` rounds."""

    @abstractmethod
    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float | None:
        """Mean duration of the jobs of a long run, once it is warm; arguments as for a `Reader`.

        None where the model does not say it: for times that were measured job by job.
        """

    @abstractmethod
    def reader(self) -> Reader:
        """Return a new reader of the durations."""

    @abstractmethod
    def law(self) -> Law | None:
        """Return what a reader computes, as data; None where only a reader can say it."""


@dataclass(frozen=True, slots=True)
class Fixed(Service):
    """Every job takes ``value_ps``."""

    value_ps: int
    source: str = UNSTATED
    confidence: str = "assumed"

    @property
    def constant_ps(self) -> int:
        """The one duration."""
        return self.value_ps

    def longest_ps(self, rounds: int = 0) -> int:  # noqa: ARG002
        """Return the one duration."""
        return self.value_ps

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float:  # noqa: ARG002
        """Return the one duration."""
        return self.value_ps

    def reader(self) -> Reader:
        """Return a reader of the one duration."""
        value_ps = self.value_ps

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            return value_ps

        return read

    def law(self) -> Law:
        """Return the one duration."""
        return Always(self.value_ps)


@dataclass(frozen=True, slots=True)
class Drawn(Service):
    """Job i takes the quantile of ``distribution`` at number i of ``stream``."""

    distribution: Distribution
    stream: Stream
    source: str = UNSTATED
    confidence: str = "assumed"

    def longest_ps(self, rounds: int = 0) -> int:  # noqa: ARG002
        """Return the longest possible draw."""
        return self.distribution.longest_ps

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float:  # noqa: ARG002
        """Return the mean of the distribution."""
        return self.distribution.expected_ps

    def _block(self, number: int) -> NDArray[np.int64]:
        return self.distribution.quantiles(self.stream.block(number))

    def reader(self) -> Reader:
        """Return a reader that draws a block at a time."""
        times = BlockCache(self._block)

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            return times[index]

        return read

    def law(self) -> Law:
        """Return the drawn times by job."""
        return Draws(self._block)


@dataclass(frozen=True, slots=True, eq=False)
class Recorded(ByContent, Service):
    """Job i takes ``values_ps[i]``, int64 (jobs,): what was measured for just that job.

    Where calls were measured in batches, a job's value is the time of its whole batch.
    ``cost_ppm[f - 1]`` is then what a batch of f jobs costs relative to a full one, in parts per
    million (the last is `PPM`), and a partial batch takes that part, rounded down. Without the
    table every call takes the measured time.
    """

    values_ps: NDArray[np.int64]
    source: str = UNSTATED
    confidence: str = "measured"
    cost_ppm: tuple[int, ...] | None = None

    def longest_ps(self, rounds: int = 0) -> int:  # noqa: ARG002
        """Return the longest recorded time, at the most expensive fill."""
        cost = PPM if self.cost_ppm is None else max(self.cost_ppm)
        return int(self.values_ps.max(initial=0)) * cost // PPM

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> None:
        """Return None: the jobs of this run say nothing for sure of those that would follow."""

    def reader(self) -> Reader:
        """Return a reader that raises ScenarioError for a job that was not measured."""
        times = array("q", np.asarray(self.values_ps, dtype=np.int64).tobytes())
        cost_ppm = self.cost_ppm

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            if index >= len(times):
                raise ScenarioError(
                    f"job {index} was not measured: {len(times)} times are recorded "
                    f"({self.source}); measure as many jobs as the run has, or draw from a profile."
                )
            if cost_ppm is None:
                return times[index]
            return times[index] * _cost_of(fill, cost_ppm) // PPM

        return read

    def law(self) -> Law:
        """Return the recorded times, at the cost of the fill."""
        times = Listed(self.values_ps, again=False)
        return times if self.cost_ppm is None else Costed(times, self.cost_ppm)


def _cost_of(fill: int, cost_ppm: tuple[int, ...]) -> int:
    if not 1 <= fill <= len(cost_ppm):
        raise ValueError(f"fill(={fill}) must be from 1 to {len(cost_ppm)}.")
    return cost_ppm[fill - 1]


@dataclass(frozen=True, slots=True, eq=False)
class Replayed(ByContent, Service):
    """Job i takes ``values_ps[i]``, int64 (n,), starting over at the end."""

    values_ps: NDArray[np.int64]
    source: str = UNSTATED
    confidence: str = "measured"

    def longest_ps(self, rounds: int = 0) -> int:  # noqa: ARG002
        """Return the longest recorded time."""
        return int(self.values_ps.max())

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float:  # noqa: ARG002
        """Return the mean of the recorded times, which come again and again."""
        return float(self.values_ps.mean(dtype=np.float64))

    def reader(self) -> Reader:
        """Return a reader that starts with the first recorded time."""
        times = array("q", np.asarray(self.values_ps, dtype=np.int64).tobytes())
        count = len(times)

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            return times[index % count]

        return read

    def law(self) -> Law:
        """Return the recorded times, over and over."""
        return Listed(self.values_ps, again=True)
