"""Why matching fails: detectors whose events no errors of a model add up to."""

import numpy as np
import numpy.typing as npt
import stim

from emulator.syndromes.cut import WindowModel

__all__ = ["unexplained"]

Bits = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]

MAX_NAMED = 4
"""Detectors that a sentence names."""


def unexplained(model: WindowModel, rows: Bits) -> str | None:
    """Say which detectors of a matching graph have events that no errors of ``model`` explain.

    ``rows``: uint8, shape (n, ceil(D / 8)), bit-packed shots of the window's detectors, least
    significant bit first. Detectors that errors join form a part of the graph. A part with an error
    that flips one detector alone, its boundary, explains any events; errors of any other part flip
    an even number of its detectors. None where every shot is explained.
    """
    dem = model.dem
    part, open_parts = _parts(dem)
    events = np.unpackbits(rows, axis=1, count=dem.num_detectors, bitorder="little")
    for number in np.unique(part[~np.isin(part, open_parts)]).tolist():
        mine = np.flatnonzero(part == number)
        odd = np.flatnonzero(events[:, mine].sum(axis=1) % 2)
        if len(odd):
            return _sentence(model.detectors[mine], int(events[odd[0]][mine].sum()))
    return None


def _sentence(detectors: npt.NDArray[np.int32], count: int) -> str:
    named = ", ".join(f"D{d}" for d in detectors[:MAX_NAMED].tolist())
    if len(detectors) == 1:
        return (
            f"no error of the model flips the detector {named}, but a shot has an event there; "
            "add the error to the model, or leave the detector out"
        )
    events = "1 event" if count == 1 else f"{count} events"
    more = f" and {len(detectors) - MAX_NAMED} more" if len(detectors) > MAX_NAMED else ""
    return (
        f"the detectors {named}{more} are a part of the matching graph without a boundary: errors "
        f"of the model flip an even number of them, but a shot has {events} there; add the "
        "errors that flip one of them alone to the model"
    )


def _parts(dem: stim.DetectorErrorModel) -> tuple[Ids, Ids]:
    """Number of the part that each detector is in, int64 (D,), and the parts with a boundary."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - only a failure needs it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    edges, alone = [], []
    for error in dem.flattened():
        if error.type != "error":
            continue
        for group in error.target_groups():
            flips = [target.val for target in group if target.is_relative_detector_id()]
            if len(flips) == 2:
                edges.append(flips)
            elif len(flips) == 1:
                alone += flips
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(dem.num_detectors,) * 2)
    part = connected_components(graph, directed=False)[1].astype(np.int64)
    return part, np.unique(part[alone])
