"""Grid on which a pre-decoder for the triangular colour code (6.6.6) sees its syndrome.

The networks of ``models.training.networks`` take grids of any size, so they fit this one as they
are. Its circuit, the labels and the answer's contract are not here: no colour code can be trained
yet. The size of the grid is that of NVIDIA's Ising pre-decoder for colour codes, arXiv 2607.10058;
which cell a check has there is not published, and is this project's own choice.

Sites lie in rows of a triangle, W = (3D - 1)/2 of them in row 0 and one less in each row above, as
in Stim's ``color_code`` circuits: every third site is a face, with an X and a Z check on the four
or six data qubits around it.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.networks import TrainingError

__all__ = ["ColourGrid"]

_AROUND = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
_FULL = 6


class ColourGrid:
    """Cells of the colour code of distance ``distance``, W rows of D cells, W = D + (D - 1)/2.

    A cell is that of a data qubit: qubit k of row y, counted from the left, is in cell y·D + k.
    Raises TrainingError unless the distance is odd and at least 3.
    """

    def __init__(self, distance: int) -> None:
        if distance < 3 or distance % 2 == 0:
            raise TrainingError(
                f"distance: {distance} has no colour code; give an odd one, 3 or more."
            )
        self.distance = distance
        self.rows = distance + (distance - 1) // 2
        sites = [(x, y) for y in range(self.rows) for x in range(self.rows - y)]
        self.faces = [site for site in sites if _is_face(*site)]
        """Where the faces are, (x, y) in axial coordinates, row by row."""
        self.qubits = [site for site in sites if not _is_face(*site)]
        """Where the data qubits are, likewise."""

    @cached_property
    def supports(self) -> NDArray[np.uint8]:
        """Data qubits of each face, uint8 (F, N) in the order of ``faces`` and ``qubits``."""
        place = {site: k for k, site in enumerate(self.qubits)}
        supports = np.zeros((len(self.faces), len(self.qubits)), dtype=np.uint8)
        for row, (x, y) in zip(supports, self.faces, strict=True):
            around = [place.get((x + dx, y + dy)) for dx, dy in _AROUND]
            row[[k for k in around if k is not None]] = 1
        return supports

    @cached_property
    def qubit_cells(self) -> NDArray[np.int64]:
        """Cell of each data qubit, int64 (N,)."""
        return np.array([self._cell(*site) for site in self.qubits])

    @cached_property
    def face_cells(self) -> NDArray[np.int64]:
        """Cell of each face, int64 (F,): that of the qubit to its left or, at the edge, right."""
        return np.array([self._cell(x - 1 if x else x + 1, y) for x, y in self.faces])

    @cached_property
    def presence(self) -> NDArray[np.float32]:
        """1 in the cell of a face with six qubits, 2/3 of one with four, float32 (W, D)."""
        grid = np.zeros(self.rows * self.distance, dtype=np.float32)
        grid[self.face_cells] = self.supports.sum(axis=1) / _FULL
        return grid.reshape(self.rows, self.distance)

    def input(self, events: NDArray[Any]) -> NDArray[np.float32]:
        """Network input, float32 (B, 4, T, W, D), for events (B, T, 2, F) of 0 and 1.

        Channels are events of the X checks, of the Z checks, and the presence of either.
        """
        shots, rounds = events.shape[:2]
        grid = np.zeros((shots, 4, rounds, self.rows * self.distance), dtype=np.float32)
        grid[:, :2, :, self.face_cells] = events.transpose(0, 2, 1, 3)
        grid = grid.reshape(shots, 4, rounds, self.rows, self.distance)
        grid[:, 2:] = self.presence
        return grid

    def _cell(self, x: int, y: int) -> int:
        before = sum(not _is_face(left, y) for left in range(x))
        return y * self.distance + before


def _is_face(x: int, y: int) -> bool:
    return (x + 2 * y) % 3 == 2
