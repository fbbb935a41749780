"""The rotated surface code patch: its checks, logical operators and CNOT order, four ways up.

Numbering, orientation names and CNOT order follow NVIDIA's Ising pre-decoder
(github.com/NVIDIA/Ising-Decoding, ``code/qec/surface_code``), so that its networks fit unchanged.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError

__all__ = ["ORIENTATIONS", "Orientation", "PauliType", "RotatedPatch"]

PauliType = Literal["X", "Z"]
Orientation = Literal["XV", "XH", "ZV", "ZH"]
ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)

Corner = tuple[int, int]
_TL, _TR, _BL, _BR = (-1, -1), (-1, 0), (0, -1), (0, 0)
_ALONG_COLUMNS: tuple[Corner, ...] = (_TR, _BR, _TL, _BL)
_ALONG_ROWS: tuple[Corner, ...] = (_TR, _TL, _BR, _BL)


@dataclass(frozen=True)
class RotatedPatch:
    """A ``distance`` × ``distance`` rotated surface code patch, distance odd.

    Data qubit (r, c) has number ``r * distance + c``. The check at corner (i, j), 0 <= i, j <=
    distance, acts on the data qubits (i-1, j-1) "top left" … (i, j) "bottom right" that exist.
    ``orientation`` is the type of the first bulk check, at corner (1, 1), followed by how its
    weight-2 relatives lie: V on the left and right edges, H on the top and bottom ones. X checks
    are numbered row by row, Z checks column by column. Below, half = (distance² - 1) / 2.
    """

    distance: int
    orientation: Orientation = "XV"

    def __post_init__(self) -> None:
        """Refuse what is not a patch."""
        if self.distance < 3 or self.distance % 2 == 0:
            raise SyndromeError(
                f"distance: {self.distance} is not that of a rotated patch here; "
                "give an odd number >= 3."
            )
        if self.orientation not in ORIENTATIONS:
            raise SyndromeError(
                f'orientation: "{self.orientation}" is unknown; give one of '
                f"{', '.join(ORIENTATIONS)}."
            )

    @property
    def half(self) -> int:
        """Number of checks of one type."""
        return (self.distance**2 - 1) // 2

    @property
    def vertical_type(self) -> PauliType:
        """Type of the weight-2 checks on the left and right edges; its logical is a row."""
        return "X" if self.orientation in {"XV", "ZH"} else "Z"

    def type_at(self, i: int, j: int) -> PauliType | None:
        """Type of the check at corner (i, j); None where there is none."""
        d = self.distance
        first, other = ("X", "Z") if self.orientation[0] == "X" else ("Z", "X")
        kind: PauliType = "X" if (first if (i + j) % 2 == 0 else other) == "X" else "Z"
        on_row_edge, on_column_edge = i in {0, d}, j in {0, d}
        if on_row_edge and (on_column_edge or kind == self.vertical_type):
            return None
        return None if on_column_edge and kind != self.vertical_type else kind

    def corners(self, kind: PauliType) -> NDArray[np.int64]:
        """Corners of the checks of type ``kind`` in check order: int64 (half, 2), rows (i, j)."""
        span = range(self.distance + 1)
        found = [(i, j) for i in span for j in span if self.type_at(i, j) == kind]
        if kind == "Z":
            found.sort(key=lambda corner: (corner[1], corner[0]))
        return np.array(found, dtype=np.int64)

    def support(self, corner: Corner, steps: tuple[Corner, ...] = _ALONG_ROWS) -> list[int | None]:
        """Data qubits that the check at ``corner`` meets step by step; None where it idles."""
        places = [(corner[0] + di, corner[1] + dj) for di, dj in steps]
        d = self.distance
        return [r * d + c if 0 <= r < d and 0 <= c < d else None for r, c in places]

    @cached_property
    def hx(self) -> NDArray[np.uint8]:
        """X-check matrix, uint8 (half, distance²)."""
        return self._matrix("X")

    @cached_property
    def hz(self) -> NDArray[np.uint8]:
        """Z-check matrix, uint8 (half, distance²)."""
        return self._matrix("Z")

    def logical(self, kind: PauliType) -> NDArray[np.uint8]:
        """Mask of the logical operator of type ``kind``: first row or first column, uint8 (d²,)."""
        grid = np.zeros((self.distance, self.distance), dtype=np.uint8)
        if kind == self.vertical_type:
            grid[0, :] = 1
        else:
            grid[:, 0] = 1
        return grid.reshape(-1)

    def cnot_steps(self, kind: PauliType) -> tuple[Corner, ...]:
        """Order in which checks of type ``kind`` meet their data qubits, as offsets to the corner.

        XV: X checks TR, BR, TL, BL and Z checks TR, TL, BR, BL. The last two of a check are where
        an ancilla fault spreads (a hook); they lie across the logical operator of that type, so
        the circuit keeps the distance of the code (arXiv 1404.3747). Where the logicals are
        swapped (XH, ZV) the two orders are, too.
        """
        return _ALONG_COLUMNS if kind == self.vertical_type else _ALONG_ROWS

    def _matrix(self, kind: PauliType) -> NDArray[np.uint8]:
        matrix = np.zeros((self.half, self.distance**2), dtype=np.uint8)
        for row, (i, j) in enumerate(self.corners(kind).tolist()):
            matrix[row, [q for q in self.support((i, j)) if q is not None]] = 1
        return matrix
