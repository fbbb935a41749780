"""Where the errors and detectors of a folded model lie in time, and which are near a window."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emulator.syndromes.components import Components, Folded
from emulator.syndromes.spans import Spans

__all__ = ["ErrorLayout"]

Ids = NDArray[np.int32]
Counts = NDArray[np.int64]

_FAR = 4  # copies of runs that reach over more than so many windows are looked into


class ErrorLayout:
    """Copies of the runs of a model, and its detectors, found by the rounds of a window.

    A copy is looked at as a whole; of one that reaches over many windows, as a model without
    ``repeat`` blocks is, the components near a window are found one by one.
    """

    def __init__(self, folded: Folded, detector_round: Ids, window_rounds: int) -> None:
        """Lay ``folded`` out; its windows read up to ``window_rounds`` rounds."""
        self.folded = folded
        self._round = detector_round
        lows, highs = _reach(folded, detector_round)
        self._copies = Spans(lows, highs)
        self._is_long = highs - lows > _FAR * window_rounds + 2 * _FAR
        first = folded.runs.first[folded.bounds]
        flips = np.append(folded.runs.flips, 0)  # runs without components have no flips
        self._first = np.minimum.reduceat(flips, first)[:-1].astype(np.int64)
        self._last = np.maximum.reduceat(flips, first)[:-1].astype(np.int64)
        self._order: Counts | None = None
        if (np.diff(detector_round) < 0).any():
            self._order = np.argsort(detector_round, kind="stable")
        self._sorted = detector_round if self._order is None else detector_round[self._order]
        # the long copies that a window touches are few, and windows come in order
        self._long = lru_cache(maxsize=4)(self._components)

    def detectors(self, span: range) -> Ids:
        """Detectors of some rounds, ascending."""
        ends = np.array((span.start, span.stop), dtype=np.int32)
        first, last = np.searchsorted(self._sorted, ends).tolist()
        if self._order is None:
            return np.arange(first, last, dtype=np.int32)
        return np.sort(self._order[first:last]).astype(np.int32)

    def hull(self, span: range, detectors: Ids) -> tuple[Counts, slice] | None:
        """Copies that touch some rounds, and all detectors from the first near them to the last.

        ``detectors`` are those of the rounds. None where a copy is long, or they lie far apart.
        """
        copies = self._copies.touching(span.start, span.stop)
        if self._is_long[copies].any():
            return None
        runs, offset = self.folded.run[copies], self.folded.offset[copies]
        first = int((self._first[runs] + offset).min(initial=int(detectors[0])))
        last = int((self._last[runs] + offset).max(initial=int(detectors[-1])))
        if last - first > _FAR * self._near(span):
            return None
        return copies, slice(first, last + 1)

    def _near(self, span: range) -> int:
        """Count the detectors of some rounds and as many before and after them, and some more."""
        size = len(span)
        ends = np.array((span.start - size, span.stop + size), dtype=np.int32)
        first, last = np.searchsorted(self._sorted, ends).tolist()
        return 1024 + int(last) - int(first)

    def around(self, span: range) -> Components:
        """Components whose flips surround or touch some rounds, in the order of the model."""
        copies = self._copies.touching(span.start, span.stop)
        if not self._is_long[copies].any():
            parts = self.folded.copies(copies)
            low, high = _ends(parts, self._round)
            return parts.kept((high >= span.start) & (low < span.stop))
        at = [self._long(copy).touching(span.start, span.stop) for copy in copies.tolist()]
        of = np.repeat(copies, [len(each) for each in at])
        return self.folded.members(of, np.concatenate(at) + self.folded.bounds[self.folded.run[of]])

    def _components(self, copy: int) -> Spans:
        """Rounds of each component of a copy."""
        return Spans(*_ends(self.folded.copies(np.array([copy])), self._round))


def _ends(parts: Components, detector_round: Ids) -> tuple[Ids, Ids]:
    """First and last round of each component."""
    rounds, heads = detector_round[parts.flips], parts.first[:-1]
    return np.minimum.reduceat(rounds, heads), np.maximum.reduceat(rounds, heads)


def _reach(folded: Folded, detector_round: Ids) -> tuple[Ids, Ids]:
    """First and last round that each copy flips a detector of; -1 and -1 where it flips none.

    The detectors of a run are few beside its copies, or its copies few: the loop is over the fewer.
    """
    low = np.full(len(folded.run), -1, dtype=np.int32)
    high = np.full(len(folded.run), -1, dtype=np.int32)
    bounds = folded.runs.first[folded.bounds]
    by_run = np.argsort(folded.run, kind="stable")
    starts = np.searchsorted(folded.run[by_run], np.arange(len(folded.bounds)))
    for run in range(len(folded.bounds) - 1):
        flips = np.unique(folded.runs.flips[bounds[run] : bounds[run + 1]]).astype(np.int64)
        copies = by_run[starts[run] : starts[run + 1]]
        if not len(flips) or not len(copies):
            continue
        offset = folded.offset[copies]
        if len(copies) < len(flips):
            for copy, shift in zip(copies.tolist(), offset.tolist(), strict=True):
                rounds = detector_round[flips + shift]
                low[copy], high[copy] = rounds.min(), rounds.max()
            continue
        first = last = detector_round[flips[0] + offset]
        for flip in flips[1:].tolist():
            rounds = detector_round[flip + offset]
            first, last = np.minimum(first, rounds), np.maximum(last, rounds)
        low[copies], high[copies] = first, last
    return low, high
