"""Feedback: how many rounds a processor idles when its program needs results to go on.

The processor's clock never stops, so waiting does not change when rounds are emitted, only which
of them are idle: the idle rounds of an operation are followed from the instants at which the
results were applied, after the run.
"""

import numpy as np
from numpy.typing import NDArray

from emulator.numbering import Emission

__all__ = ["idle_rounds"]


def idle_rounds(
    windows: dict[str, NDArray[np.int64]], emission: Emission, every: int
) -> NDArray[np.int64]:
    """Rounds waited after each operation of ``every`` rounds (Terhal, arXiv 1302.3428).

    An operation that ends with round n may be followed by the next only when all rounds before n
    are committed and applied; until then the processor emits idle rounds, in whole rounds, which
    are decoded like any others. Shots must follow each other without a gap. Shape (operations,),
    all patches one after the other, as far as results arrived within the run.
    """
    if every < 1:
        raise ValueError(f"every(={every}) must be >= 1.")
    patch, shot = windows["patch"], windows["shot"]
    first = shot * emission.rounds + windows["first_round"]
    last = shot * emission.rounds + windows["last_round"]
    applied = windows["applied_ps"] - patch * emission.patch_offset_ps
    order = np.lexsort((first, patch))
    ends = np.searchsorted(patch[order], np.arange(1, emission.patches))
    waits: list[int] = []
    for mine in np.split(order, ends):
        waits += _patch_waits(first[mine], last[mine], applied[mine], emission, every)
    return np.array(waits, dtype=np.int64)


def _patch_waits(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    applied: NDArray[np.int64],
    emission: Emission,
    every: int,
) -> list[int]:
    """Follow one patch, whose windows come in order of the rounds they commit."""
    # a result is usable once everything before it has been applied as well
    usable = np.maximum.accumulate(applied)
    period, end = emission.round_period_ps, every
    waits: list[int] = []
    while True:
        position = int(np.searchsorted(last, end - 1))
        if position == len(last) or first[position] > end - 1:
            return waits
        wait = max(0, -(-int(usable[position] - end * period) // period))
        waits.append(wait)
        end += wait + every
