"""From detector coordinates to rounds: the round whose measurements complete a detector."""

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.coordinates import Model, detector_coordinates

__all__ = ["coordinate_table", "detector_rounds"]


def coordinate_table(model: Model, origin: str) -> NDArray[np.float64]:
    """Detector coordinates as float64 of shape (D, k), NaN where a detector has fewer than k.

    Raises SyndromeError, naming ``origin``, unless every detector has a coordinate.
    """
    if model.num_detectors == 0:
        raise SyndromeError(f"{origin}: declares no detectors, so there is nothing to decode")
    table = detector_coordinates(model)
    bare = np.flatnonzero(np.isnan(table).all(axis=1))
    if len(bare):
        raise SyndromeError(
            f"{origin}: {len(bare)} of {len(table)} detectors, the first of them D{bare[0]}, "
            "have no coordinates to tell their round; declare them, e.g. DETECTOR(x, y, t)"
        )
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
