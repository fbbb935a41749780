"""Services made of others, and those whose time follows from the job: its batch, its rounds."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emulator.timing.law import Affine, Always, Choice, Cold, Draws, Filled, Law, Sloped
from emulator.timing.service import UNSTATED, Reader, Service
from emulator.timing.stream import BlockCache, Stream

__all__ = ["Batched", "Loaded", "Mixed", "PerRound", "Warmed"]


@dataclass(frozen=True, slots=True)
class Mixed(Service):
    """Each job is served by one of ``parts``: number k where its luck is in the k-th interval.

    ``bounds`` are the ends of all intervals but the last. Parts that draw do so from the stream
    narrowed to their interval (`Stream.between`), so that one number per job decides everything.
    """

    bounds: tuple[float, ...]
    parts: tuple[Service, ...]
    stream: Stream
    source: str = UNSTATED
    confidence: str = "assumed"

    @property
    def uses_busy(self) -> bool:
        """Whether the number of busy servers matters to any part."""
        return any(part.uses_busy for part in self.parts)

    def longest_ps(self, rounds: int = 0) -> int:
        """Return the longest duration of any part."""
        return max(part.longest_ps(rounds) for part in self.parts)

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float | None:
        """Return the mean of the parts' means, each with the length of its interval."""
        ends, total = (0.0, *self.bounds, 1.0), 0.0
        for part, (low, high) in zip(self.parts, pairwise(ends), strict=True):
            mean_ps = part.expected_ps(busy, fill, rounds)
            if mean_ps is None:
                return None
            total += (high - low) * mean_ps
        return total

    def _block(self, number: int) -> NDArray[np.int64]:
        chosen = np.searchsorted(self.bounds, self.stream.block(number), side="right")
        return chosen.astype(np.int64)

    def reader(self) -> Reader:
        """Return a reader that asks the chosen part."""
        chosen = BlockCache(self._block)
        readers = [part.reader() for part in self.parts]

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
            return readers[chosen[index]](index, busy, fill, rounds)

        return read

    def law(self) -> Law | None:
        """Return the choice among the laws of the parts."""
        parts = tuple(law for part in self.parts if (law := part.law()) is not None)
        return Choice(Draws(self._block), parts) if len(parts) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class Loaded(Service):
    """From ``idle`` (one busy server) to ``loaded`` (``servers`` or more), linear in busy servers.

    Both ends draw from one stream: a job has the same luck at every load. The slowdown is rounded
    down to whole picoseconds.
    """

    idle: Service
    loaded: Service
    servers: int
    source: str = UNSTATED
    confidence: str = "assumed"

    @property
    def uses_busy(self) -> bool:
        """The number of busy servers matters."""
        return True

    def longest_ps(self, rounds: int = 0) -> int:
        """Return the longer one of both ends."""
        return max(self.idle.longest_ps(rounds), self.loaded.longest_ps(rounds))

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float | None:
        """Return the mean when ``busy`` servers work."""
        ends = (part.expected_ps(busy, fill, rounds) for part in (self.idle, self.loaded))
        idle_ps, loaded_ps = ends
        if idle_ps is None or loaded_ps is None:
            return None
        steps = self.servers - 1
        return idle_ps + (loaded_ps - idle_ps) * min(busy - 1, steps) / steps

    def reader(self) -> Reader:
        """Return a reader of the idle time plus the job's share of the slowdown."""
        idle, loaded, steps = self.idle.reader(), self.loaded.reader(), self.servers - 1

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
            idle_ps = idle(index, busy, fill, rounds)
            if busy <= 1:
                return idle_ps
            slowdown_ps = loaded(index, busy, fill, rounds) - idle_ps
            return idle_ps + slowdown_ps * min(busy - 1, steps) // steps

        return read

    def law(self) -> Law | None:
        """Return the line from the idle law to the loaded one."""
        idle, loaded = self.idle.law(), self.loaded.law()
        return None if idle is None or loaded is None else Sloped(idle, loaded, self.servers - 1)


@dataclass(frozen=True, slots=True)
class Warmed(Service):
    """The first ``messages`` jobs are served by ``first``, all later ones by ``then``."""

    messages: int
    first: Service
    then: Service
    source: str = UNSTATED
    confidence: str = "assumed"

    @property
    def uses_busy(self) -> bool:
        """Whether the number of busy servers matters to a cold job or to a warm one."""
        return self.first.uses_busy or self.then.uses_busy

    def longest_ps(self, rounds: int = 0) -> int:
        """Return the longest duration, cold or warm."""
        return max(self.first.longest_ps(rounds), self.then.longest_ps(rounds))

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float | None:
        """Return the mean of warm jobs."""
        return self.then.expected_ps(busy, fill, rounds)

    def reader(self) -> Reader:
        """Return a reader that serves the first jobs cold and all others warm."""
        first, then, messages = self.first.reader(), self.then.reader(), self.messages

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:
            return (first if index < messages else then)(index, busy, fill, rounds)

        return read

    def law(self) -> Law | None:
        """Return the law of the first jobs and that of all others."""
        first, then = self.first.law(), self.then.law()
        return None if first is None or then is None else Cold(self.messages, first, then)


@dataclass(frozen=True, slots=True)
class Batched(Service):
    """The time of a call by its fill: ``times_ps`` at the rising ``fills``, linear in between.

    Interpolated times are rounded down to whole picoseconds. A smaller batch than the first takes
    the time of the first; a larger one than the last has no time.
    """

    fills: tuple[int, ...]
    times_ps: tuple[int, ...]
    source: str = UNSTATED
    confidence: str = "assumed"

    def longest_ps(self, rounds: int = 0) -> int:  # noqa: ARG002
        """Return the longest listed time."""
        return max(self.times_ps)

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float:
        """Return the time of a call with ``fill`` jobs."""
        return self.reader()(0, busy, fill, rounds)

    def reader(self) -> Reader:
        """Return a reader that raises ValueError for a fill beyond the last."""
        fills, times_ps = self.fills, self.times_ps

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            above = bisect_right(fills, fill)
            if above == 0:
                return times_ps[0]
            start, time_ps = fills[above - 1], times_ps[above - 1]
            if fill == start:
                return time_ps
            if above == len(fills):
                raise ValueError(f"fill(={fill}) must be <= {start}.")
            slope_ps = times_ps[above] - time_ps
            return time_ps + slope_ps * (fill - start) // (fills[above] - start)

        return read

    def law(self) -> Law:
        """Return the listed times by fill."""
        return Filled(self.fills, self.times_ps)


@dataclass(frozen=True, slots=True)
class PerRound(Service):
    """A window takes ``round_ps`` for each round that it reads."""

    round_ps: int
    source: str = UNSTATED
    confidence: str = "assumed"

    def longest_ps(self, rounds: int = 0) -> int:
        """Return the time of a window of ``rounds`` rounds."""
        return self.round_ps * rounds

    def expected_ps(self, busy: int = 1, fill: int = 1, rounds: int = 0) -> float:  # noqa: ARG002
        """Return the time of a window of ``rounds`` rounds."""
        return self.round_ps * rounds

    def reader(self) -> Reader:
        """Return a reader that raises ValueError for a job that is no window."""
        round_ps = self.round_ps

        def read(index: int, busy: int = 1, fill: int = 1, rounds: int = 0) -> int:  # noqa: ARG001
            if rounds < 1:
                raise ValueError(f"rounds(={rounds}) must be >= 1 for a time per round.")
            return round_ps * rounds

        return read

    def law(self) -> Law:
        """Return the time by rounds."""
        return Affine(Always(0), round=self.round_ps, windows_only=True)
