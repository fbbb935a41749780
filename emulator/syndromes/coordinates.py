"""Detector coordinates of a Stim circuit or error model as one array, read without unrolling it.

A detector costs 8 bytes a coordinate here, and some 200 in the dictionary that Stim returns, which
takes a microsecond for each as well. A repeated block is read once, and its repetitions are copies
of its numbers.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import stim
from numpy.typing import NDArray

__all__ = ["Model", "detector_coordinates"]

Model: TypeAlias = stim.Circuit | stim.DetectorErrorModel

Ids = NDArray[np.int64]
Table = NDArray[np.float64]

_GRID = 2.0**10
_LIMIT = 2.0**42


def detector_coordinates(model: Model) -> Table:
    """Coordinates of all D detectors, float64 (D, k), NaN where a detector has fewer than k.

    They equal those of ``model.get_detector_coordinates()``. Sums of coordinates and shifts are
    exact, and so do not depend on their order, where all are multiples of 2^-10 and stay below
    2^42; for other models Stim itself is asked.
    """
    block, count = _read(model), int(model.num_detectors)
    if not block.exact or block.largest + block.reach >= _LIMIT:
        found = np.full((count, block.width), np.nan)
        for k, place in model.get_detector_coordinates().items():
            found[k, : len(place)] = place
        return found
    ids = np.empty(block.count, dtype=np.int64)
    table = np.empty((block.count, block.width))
    block.fill(ids, table)
    if len(ids) == count and bool((np.diff(ids, prepend=-1) == 1).all()):
        return table  # as in every circuit
    found = np.full((count, block.width), np.nan)
    # the first declaration of a detector counts, and of equal places the last is assigned
    found[ids[::-1]] = table[::-1]
    return found


@dataclass(slots=True, eq=False)
class _Declared:
    """Detectors declared one after the other behind the same shift of coordinates.

    Their numbers are those within the block, and ``places`` their coordinates without the shift.
    """

    shift: list[float]
    ids: list[int] = field(default_factory=list)
    places: list[list[float]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Detectors declared, n."""
        return len(self.ids)

    def fill(self, ids: Ids, table: Table) -> None:
        """Write their numbers into ``ids``, (n,), and coordinates into ``table``, (n, width)."""
        width = table.shape[1]
        ids[:] = self.ids
        table[:] = [_padded(place, width, np.nan) for place in self.places]
        table += _padded(self.shift, width, 0.0)


@dataclass(slots=True, eq=False)
class _Repeated:
    """A block that repeats, behind shifts of detectors and of coordinates."""

    body: "_Contents"
    times: int
    detectors: int
    shift: list[float]

    @property
    def count(self) -> int:
        """Detectors declared in all repetitions."""
        return self.body.count * self.times

    def fill(self, ids: Ids, table: Table) -> None:
        """As of `_Declared`: fill in the first repetition, then copy it, shifted, to the others."""
        count, width, turns = self.body.count, table.shape[1], np.arange(self.times)[:, None]
        self.body.fill(ids[:count], table[:count])
        ids[:count] += self.detectors
        table[:count] += _padded(self.shift, width, 0.0)
        every = ids.reshape(self.times, count)
        np.add(every[0].copy(), turns * self.body.detectors, out=every)
        moved = turns[:, :, None] * _padded(self.body.shift, width, 0.0)
        places = table.reshape(self.times, count, width)
        np.add(places[0].copy(), moved, out=places)


@dataclass(slots=True, eq=False)
class _Contents:
    """What a model, or a repeated block of it, declares, and what it shifts the rest by.

    ``width`` is the most coordinates of a detector; ``largest`` bounds the coordinates of
    detectors, ``reach`` the sum of all shifts, and ``exact`` says that all these numbers are
    multiples of 2^-10.
    """

    parts: list[_Declared | _Repeated] = field(default_factory=list)
    detectors: int = 0
    shift: list[float] = field(default_factory=list)
    width: int = 0
    largest: float = 0.0
    reach: float = 0.0
    exact: bool = True

    def declare(self, detector: int, place: list[float]) -> None:
        """Declare a detector, whose number does not count the shift so far."""
        last = self.parts[-1] if self.parts else None
        if not isinstance(last, _Declared) or last.shift != self.shift:
            last = _Declared(self.shift)
            self.parts.append(last)
        last.ids.append(detector + self.detectors)
        last.places.append(place)
        self.width = max(self.width, len(place))
        self.largest = max(self.largest, *map(abs, place), 0.0)
        self.exact = self.exact and _on_grid(place)

    def move(self, detectors: int, shift: list[float]) -> None:
        """Shift what follows."""
        self.detectors += detectors
        self.shift = _sum(self.shift, shift, 1)
        self.reach += max(map(abs, shift), default=0.0)
        self.exact = self.exact and _on_grid(shift)

    def repeat(self, body: "_Contents", times: int) -> None:
        """Add a block that repeats."""
        self.parts.append(_Repeated(body, times, self.detectors, self.shift))
        self.detectors += body.detectors * times
        self.shift = _sum(self.shift, body.shift, times)
        self.width = max(self.width, body.width)
        self.largest = max(self.largest, body.largest)
        self.reach += body.reach * times
        self.exact = self.exact and body.exact

    @property
    def count(self) -> int:
        """Detectors declared."""
        return sum(part.count for part in self.parts)

    def fill(self, ids: Ids, table: Table) -> None:
        """As of a `_Declared`."""
        start = 0
        for part in self.parts:
            stop = start + part.count
            part.fill(ids[start:stop], table[start:stop])
            start = stop


def _padded(numbers: list[float], width: int, filler: float) -> Table:
    return np.array((numbers + [filler] * width)[:width])


def _on_grid(numbers: list[float]) -> bool:
    return all((x * _GRID).is_integer() for x in numbers)


def _sum(first: list[float], second: list[float], times: int) -> list[float]:
    """Sum of the first and so many times the second, the shorter one filled up with zeros."""
    longer = max(len(first), len(second))
    both = (each + [0.0] * (longer - len(each)) for each in (first, second))
    return [a + b * times for a, b in zip(*both, strict=True)]


def _read(model: Model) -> _Contents:
    """Read a model, or the body of a repeated block."""
    block = _Contents()
    for item in model:
        if isinstance(item, stim.CircuitRepeatBlock | stim.DemRepeatBlock):
            block.repeat(_read(item.body_copy()), item.repeat_count)
        elif isinstance(item, stim.CircuitInstruction):
            if item.name == "DETECTOR":
                block.declare(0, item.gate_args_copy())
                block.detectors += 1
            elif item.name == "SHIFT_COORDS":
                block.move(0, item.gate_args_copy())
        elif item.type == "detector":
            for target in item.targets_copy():
                block.declare(target.val, item.args_copy())
        elif item.type == "shift_detectors":
            block.move(item.targets_copy()[0], item.args_copy())
    return block
