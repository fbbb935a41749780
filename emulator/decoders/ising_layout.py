"""Where every detector of a memory experiment sits on the grid of an Ising pre-decoder.

The contract (detector order, network input and output, residual) is that of NVIDIA's Ising
pre-decoder, github.com/NVIDIA/Ising-Decoding: ``code/data/predecoder_transform.py``,
``code/qec/surface_code/data_mapping.py``, ``code/evaluation/logical_error_rate.py``. This module
states it in NumPy; exported graphs are checked against it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.rotated_patch import Orientation, PauliType, RotatedPatch

__all__ = ["IsingLayout"]


@dataclass(frozen=True)
class IsingLayout:
    """Detector order and grid of one (distance, rounds, basis, orientation).

    Below B is the batch, T = ``rounds`` >= 2, D = ``distance``, half = (D² - 1)/2 and
    N = 2·T·half = T·(D² - 1) the number of detectors. They come in 2T groups of half: group 0 is
    round 0 of the memory basis; groups 2t - 1 and 2t the X and Z checks of round t = 1 … T - 1;
    group 2T - 1 the boundary detectors (final data parity against the last ancilla round).
    """

    distance: int
    rounds: int
    basis: PauliType
    orientation: Orientation = "XV"

    def __post_init__(self) -> None:
        """Refuse what has no layout."""
        RotatedPatch(self.distance, self.orientation)
        if self.rounds < 2:
            raise SyndromeError(
                f"rounds: {self.rounds} is too few for the Ising layout; give at least 2."
            )
        if self.basis not in {"X", "Z"}:
            raise SyndromeError(f'basis: "{self.basis}" is unknown; give "X" or "Z".')

    @cached_property
    def patch(self) -> RotatedPatch:
        """The patch of data qubits and checks."""
        return RotatedPatch(self.distance, self.orientation)

    @property
    def half(self) -> int:
        """Checks of one type."""
        return self.patch.half

    @property
    def num_detectors(self) -> int:
        """Length N of a detector row."""
        return 2 * self.rounds * self.half

    @property
    def memory(self) -> int:
        """Position of the memory basis in arrays over (X, Z): 0 or 1."""
        return 0 if self.basis == "X" else 1

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Grid cell (row-major in D × D) of each X and Z check: int64 (2, half).

        A check sits on the top-left (X) or top-right (Z) data qubit of its support; one of weight
        2 on the top qubit if vertical, on the left (X) or right (Z) one if horizontal.
        """
        last = self.distance - 1
        cells = []
        for kind, shift in (("X", 1), ("Z", 0)):
            i, j = self.patch.corners("X" if kind == "X" else "Z").T
            row, column = np.maximum(i - 1, 0), np.clip(j - shift, 0, last)
            cells.append(row * self.distance + column)
        return np.stack(cells)

    @cached_property
    def presence(self) -> NDArray[np.float32]:
        """Weights of the X and Z checks on their cells, float32 (2, D²): 1, 0.5 or 0.

        1 marks a check of weight 4, 0.5 one of weight 2, 0 a cell without a check.
        """
        grid = np.zeros((2, self.distance**2), dtype=np.float32)
        for k, matrix in enumerate((self.patch.hx, self.patch.hz)):
            grid[k, self.cells[k]] = matrix.sum(axis=1) / 4
        return grid

    @cached_property
    def slots(self) -> NDArray[np.int64]:
        """Detector index of (round, type, check), int64 (T, 2, half); -1 where there is none.

        Only the opposite basis in round 0 has none. The boundary group is in no round.
        """
        index = np.arange(self.num_detectors - 2 * self.half).reshape(-1, 2, self.half) + self.half
        slots = np.full((self.rounds, 2, self.half), -1, dtype=np.int64)
        slots[1:] = index
        slots[0, self.memory] = np.arange(self.half)
        return slots

    def events(self, dets: NDArray[Any]) -> NDArray[np.uint8]:
        """Spread detector rows (B, N) over rounds and types: uint8 (B, T, 2, half).

        Missing detectors are 0, and so is, by the contract, the opposite basis in the last round.
        """
        rows = self._checked(dets)
        spread = np.where(self.slots >= 0, rows[:, self.slots], np.uint8(0))
        spread[:, -1, 1 - self.memory] = 0
        return spread

    def detectors(self, events: NDArray[Any], boundary: NDArray[Any]) -> NDArray[np.uint8]:
        """Undo ``events``: (B, T, 2, half) and a boundary group (B, half) to rows uint8 (B, N)."""
        rows = np.empty((len(events), self.num_detectors), dtype=np.uint8)
        placed = self.slots >= 0
        rows[:, self.slots[placed]] = events[:, placed]
        rows[:, -self.half :] = boundary
        return rows

    def cnn_input(self, dets: NDArray[Any]) -> NDArray[np.float32]:
        """Network input float32 (B, 4, T, D, D) for detector rows (B, N).

        Channels: X events, Z events, X presence, Z presence. All four are 0 for the opposite
        basis in the first and the last round.
        """
        events = self.events(dets)
        grid = np.zeros((len(events), 4, self.rounds, self.distance**2), dtype=np.float32)
        for k in range(2):
            grid[:, k, :, self.cells[k]] = events[:, :, k].transpose(2, 0, 1)
            grid[:, 2 + k] = self.presence[k]
            if k != self.memory:
                grid[:, 2 + k, [0, -1]] = 0
        return grid.reshape(len(events), 4, self.rounds, self.distance, self.distance)

    def apply(
        self, logits: NDArray[Any], dets: NDArray[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Apply network output (B, 4, T, D, D) to rows (B, N): pre_L uint8 (B,), residual (B, N).

        Channels of the output: Z-type and X-type data corrections, then flips of X and of Z
        measurements, each read at the cell of its check; a bit is set where the logit is >= 0.
        With data syndrome S and measurement flips m, the residual of round t is
        s_t ⊕ m_t ⊕ m_(t-1) ⊕ S_t; the boundary group is copied. pre_L is the parity, over all
        rounds, of the corrections on the logical operator of the memory basis.
        """
        rows = self._checked(dets)
        shape = (len(rows), 4, self.rounds, self.distance, self.distance)
        if logits.shape != shape:
            raise SyndromeError(f"logits: shape {logits.shape} does not fit; expected {shape}.")
        bits = (logits >= 0).reshape(*shape[:3], -1).astype(np.uint8)
        flips = np.stack([bits[:, 2 + k][..., self.cells[k]] for k in range(2)], axis=2)
        residual = self.events(rows) ^ flips
        residual[:, 1:] ^= flips[:, :-1]
        for k, matrix in enumerate((self.patch.hx, self.patch.hz)):
            residual[:, :, k] ^= _parity(bits[:, k], matrix.T)
        logical = self.patch.logical(self.basis)[:, None]
        pre_l = np.bitwise_xor.reduce(_parity(bits[:, self.memory], logical)[..., 0], axis=1)
        return pre_l, self.detectors(residual, rows[:, -self.half :])

    def _checked(self, dets: NDArray[Any]) -> NDArray[np.uint8]:
        if dets.ndim != 2 or dets.shape[1] != self.num_detectors:
            raise SyndromeError(
                f"dets: shape {dets.shape} does not fit distance {self.distance} and "
                f"{self.rounds} rounds; expected (batch, {self.num_detectors})."
            )
        return dets.astype(np.uint8, copy=False)


def _parity(bits: NDArray[np.uint8], matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Product over GF(2); through float32, exact up to 2^24 terms, because it runs in BLAS."""
    product = bits.astype(np.float32) @ matrix.astype(np.float32)
    return (product.astype(np.int32) & 1).astype(np.uint8)
