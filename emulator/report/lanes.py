"""Stages of windows as slices, laid on lanes on which they do not overlap."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import STAGES, TIMESTAMPS

__all__ = ["Lanes", "Slice", "lay_out", "slices_of"]


@dataclass(frozen=True, slots=True)
class Slice:
    """One stage of one window: ``row`` of the window table, index into STAGES, half-open time."""

    row: int
    stage: int
    start_ps: int
    end_ps: int


@dataclass
class Lanes:
    """Lanes of one component, each a list of slices in order of time.

    A slice goes to the lowest lane that is free when it starts. Up to ``batch`` slices with the
    same start and end share a lane, one lying inside the other, as windows of one batch do.
    """

    batch: int = 1
    lanes: list[list[Slice]] = field(default_factory=list)
    _free: list[int] = field(default_factory=list)
    _busy: list[tuple[int, int]] = field(default_factory=list)
    _last: int = 0

    def place(self, piece: Slice) -> int:
        """Lay ``piece`` on a lane and return its number; pieces come in order of their start."""
        if not self._joins(piece):
            while self._busy and self._busy[0][0] <= piece.start_ps:
                heappush(self._free, heappop(self._busy)[1])
            self._last = heappop(self._free) if self._free else len(self.lanes)
            heappush(self._busy, (piece.end_ps, self._last))
        if self._last == len(self.lanes):
            self.lanes.append([])
        self.lanes[self._last].append(piece)
        return self._last

    def _joins(self, piece: Slice) -> bool:
        """Whether ``piece`` belongs to the batch that was begun last and is not full."""
        members = self.lanes[self._last][-self.batch :] if self.lanes else []
        span = (piece.start_ps, piece.end_ps)
        same = sum((member.start_ps, member.end_ps) == span for member in members)
        return 0 < same < self.batch


def slices_of(windows: Mapping[str, NDArray[np.int64]], count: int) -> Iterator[Slice]:
    """Every stage that took time in the first ``count`` rows of ``windows``, int64 (n,) each."""
    stamps = np.stack([windows[name][:count] for name in TIMESTAMPS], axis=1).tolist()
    for row, times in enumerate(stamps):
        for stage in range(len(STAGES)):
            if times[stage + 1] > times[stage]:
                yield Slice(row, stage, times[stage], times[stage + 1])


def lay_out(
    slices: Iterable[Slice], components: Mapping[str, str], batches: Mapping[str, int]
) -> dict[str, Lanes]:
    """Lanes by component: ``components`` has one per stage name, ``batches`` sizes other than 1."""
    laid: dict[str, Lanes] = {}
    for piece in sorted(slices, key=lambda s: (s.start_ps, s.end_ps, s.row)):
        component = components[STAGES[piece.stage]]
        if component not in laid:
            laid[component] = Lanes(batches.get(component, 1))
        laid[component].place(piece)
    return laid
