"""How much work the pre-decoder takes off the matcher, as counts that add up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["COUNTS", "Thinning"]

COUNTS = ("detectors", "events_in", "events_out")
"""Columns of a window table: its detectors, and their events before and after the pre-decoder."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """Detection events before and after the pre-decoder; the counts of two runs add.

    ``emptied`` counts the windows that had events and were left without any.
    """

    windows: int
    detectors: int
    events_in: int
    events_out: int
    emptied: int

    @classmethod
    def of(cls, table: Mapping[str, NDArray[np.int64]]) -> "Thinning":
        """Count from the columns COUNTS, int64 of shape (n,) with one entry per window."""
        detectors, before, after = (table[name] for name in COUNTS)
        emptied = int(np.count_nonzero((before > 0) & (after == 0)))
        sums = int(detectors.sum()), int(before.sum()), int(after.sum())
        return cls(len(detectors), *sums, emptied)

    def __add__(self, other: "Thinning") -> "Thinning":
        return Thinning(
            self.windows + other.windows,
            self.detectors + other.detectors,
            self.events_in + other.events_in,
            self.events_out + other.events_out,
            self.emptied + other.emptied,
        )

    @property
    def density_in(self) -> float | None:
        """Share of detectors that fired, None without detectors."""
        return self.events_in / self.detectors if self.detectors else None

    @property
    def density_out(self) -> float | None:
        """Share of detectors that still fire after the pre-decoder, None without detectors."""
        return self.events_out / self.detectors if self.detectors else None

    @property
    def factor(self) -> float | None:
        """Events before over events after; None when none is left."""
        return self.events_in / self.events_out if self.events_out else None
