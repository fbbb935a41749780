"""From detector coordinates to rounds: the round whose measurements complete a detector."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError

__all__ = ["coordinate_table", "detector_rounds"]


def coordinate_table(
    coordinates: Mapping[int, Sequence[float]], num_detectors: int, origin: str
) -> NDArray[np.float64]:
    """Detector coordinates as float64 of shape (D, k), NaN where a detector has fewer than k.

    ``coordinates`` is what ``get_detector_coordinates()`` of a Stim circuit or error model
    returns. Raises SyndromeError, naming ``origin``, unless every detector has a coordinate.
    """
    if num_detectors == 0:
        raise SyndromeError(f"{origin}: declares no detectors, so there is nothing to decode")
    bare = [k for k in range(num_detectors) if not coordinates.get(k)]
    if bare:
        raise SyndromeError(
            f"{origin}: {len(bare)} of {num_detectors} detectors, the first of them D{bare[0]}, "
            "have no coordinates to tell their round; declare them, e.g. DETECTOR(x, y, t)"
        )
    table = np.full((num_detectors, max(map(len, coordinates.values()))), np.nan)
    for k in range(num_detectors):
        table[k, : len(coordinates[k])] = coordinates[k]
    return table


def detector_rounds(
    coordinates: NDArray[np.float64], origin: str, rounds: int | None = None, first: int = 0
) -> tuple[NDArray[np.int32], int]:
    """Round of each detector, int32 of shape (D,), and the number of rounds.

    Time is the last coordinate, as in the circuits that Stim generates, but never beyond the
    third: a fourth one marks the detector (postselection in sinter, colour and basis in
    Chromobius). The distinct times, sorted, are the rounds ``first``, ``first + 1``, …;
    ``rounds`` puts all later ones into the last round, as the detectors of a final data readout
    leave with the last round of ancillas. Raises SyndromeError when there are fewer times than
    ``rounds`` needs.
    """
    last = np.minimum((~np.isnan(coordinates)).sum(axis=1), 3) - 1
    times, rank = np.unique(coordinates[np.arange(len(last)), last], return_inverse=True)
    available = first + len(times)
    count = available if rounds is None else rounds
    if not 1 <= count <= available:
        raise SyndromeError(
            f"{origin}: rounds(={rounds}) must be from 1 to {available}, "
            f"as its detectors have {len(times)} distinct times"
        )
    return np.minimum(rank + first, count - 1).astype(np.int32), count
