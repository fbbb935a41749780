"""Exact sums of picoseconds: those of a long run pass what 64 bits hold."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["total_ps"]

_HALF = 32


def total_ps(values: NDArray[np.int64]) -> int:
    """Sum int64 values of shape (n,), n below 2^31, exactly, as a Python int.

    The upper and the lower halves are summed apart, neither of which can overflow: 10^6 windows
    of 100 s each are 10^20 ps, and int64 ends at 9.2 * 10^18.
    """
    upper, lower = values >> _HALF, values & ((1 << _HALF) - 1)
    return (int(upper.sum()) << _HALF) + int(lower.sum())
