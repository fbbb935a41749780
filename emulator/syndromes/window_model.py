"""The error model of one decoding window, and what windows that look alike share of it."""

from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.syndromes.coordinates import detector_coordinates

__all__ = ["Places", "WindowModel", "WindowShape"]

Ids = NDArray[np.int32]


class Places:
    """Coordinates of the detectors of a whole model, read when they are first asked for."""

    def __init__(self, dem: stim.DetectorErrorModel) -> None:
        """Belong to ``dem``."""
        self._dem = dem

    @cached_property
    def table(self) -> NDArray[np.float64]:
        """Coordinates, float64 (D, k), NaN where a detector has fewer than k."""
        return detector_coordinates(self._dem)

    def declarations(self, detectors: Ids) -> list[str]:
        """Lines that declare detectors as D0, D1, …, with their coordinates."""
        lines = []
        for i, row in enumerate(self.table[detectors].tolist()):
            position = ", ".join(repr(x) for x in row if not isnan(x))
            lines.append(f"detector({position}) D{i}" if position else f"detector D{i}")
        return lines

    def layout(self, detectors: Ids) -> bytes:
        """Coordinates relative to those of the first detector: x, y and time, others as they are.

        Windows of equal layout differ by a common translation.
        """
        rows = self.table[detectors]
        rows[:, :3] -= np.nan_to_num(rows[0, :3])
        return rows.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class WindowShape:
    """What windows share whose models are equal but for a translation in time.

    ``errors`` has the errors only; ``detectors`` and ``carried`` are as in `WindowModel`, counted
    from the first detector of the window. Shapes of one cut with the same ``number`` have equal
    ``errors``.
    """

    errors: stim.DetectorErrorModel
    number: int
    detectors: Ids
    carried: Ids
    observables: int


@dataclass(frozen=True, slots=True, eq=False)
class WindowModel:
    """The error model that one window decodes.

    ``first`` is the lowest number of its detectors in the whole model. Without ``places`` the
    window is the whole model, and ``shape.errors`` its model.
    """

    shape: WindowShape
    first: int = 0
    places: Places | None = None

    @property
    def dem(self) -> stim.DetectorErrorModel:
        """The model, made anew at each call, with the window's detectors renumbered 0..n-1.

        Observables 0..``observables``-1 are those of the whole model; observable ``observables``
        + j says that detector ``carried[j]`` must be toggled for the windows that follow.
        """
        if self.places is None:
            return self.shape.errors
        lines = self.places.declarations(self.detectors)
        lines += [f"logical_observable L{i}" for i in range(self.predicted)]
        return self.shape.errors + stim.DetectorErrorModel("\n".join(lines))

    @property
    def detectors(self) -> Ids:
        """Numbers of the detectors in the whole model, int32 (n,), ascending."""
        return self.shape.detectors + np.int32(self.first)

    @property
    def carried(self) -> Ids:
        """Detectors to toggle, numbers of the whole model, int32 (m,), ascending."""
        return self.shape.carried + np.int32(self.first)

    @property
    def observables(self) -> int:
        """Observables of the whole model."""
        return self.shape.observables

    @property
    def predicted(self) -> int:
        """Observables of this model: those of the whole one, and one for each of ``carried``."""
        return self.shape.observables + len(self.shape.carried)

    @property
    def errors(self) -> int:
        """Number that windows of one cut share whose errors are equal."""
        return self.shape.number

    @property
    def alike(self) -> tuple[int, bytes]:
        """Equal for windows of one cut whose models are equal but for a shift of x, y and time."""
        layout = b"" if self.places is None else self.places.layout(self.detectors)
        return self.shape.number, layout
