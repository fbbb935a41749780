"""Ranges of rounds, found again by the rounds that they touch."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spans"]

Counts = NDArray[np.int64]


class Spans:
    """Ranges of whole numbers with both ends included; those that touch a range are found fast.

    Ranges of similar length, within a factor of two, are sorted by their lower ends. Of these, all
    that touch a range begin less than twice their length before it: looking for them costs as much
    as there are of them, and a logarithm, however long some others are.
    """

    def __init__(self, low: NDArray[np.int32], high: NDArray[np.int32]) -> None:
        """Take ranges ``low[i]`` .. ``high[i]``, int32 of shape (n,)."""
        self._high = high
        lows: Counts = low.astype(np.int64)  # as the numbers looked for: NumPy then copies nothing
        exponents = np.frexp(high - lows + 1)[1]  # length < 2^exponent
        self._groups: list[tuple[int, Counts, Counts]] = []
        for exponent in np.unique(exponents).tolist():
            ids: Counts = np.flatnonzero(exponents == exponent).astype(np.int64)
            ids = ids[np.argsort(lows[ids], kind="stable")]
            self._groups.append((1 << exponent, ids, lows[ids]))

    def touching(self, start: int, stop: int) -> Counts:
        """Numbers of the ranges that hold any of ``start`` .. ``stop - 1``, int64, ascending."""
        found = []
        for reach, ids, low in self._groups:
            first, last = np.searchsorted(low, (start - reach, stop)).tolist()
            near = ids[first:last]
            found.append(near[self._high[near] >= start])
        if not found:
            return np.empty(0, dtype=np.int64)
        return np.sort(np.concatenate(found))
