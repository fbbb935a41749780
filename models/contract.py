"""The Ising contract as parts of an ONNX graph: detectors to rounds of checks, and back.

The same in NumPy, with all shapes: ``emulator.decoders.ising_layout``.
"""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import stim
from onnx import TensorProto

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract, Predecoder
from emulator.errors import SyndromeError
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from models.graph import GraphWriter, Port

__all__ = ["CONTRACTS", "ContractGraph", "circuit_of", "file_name", "layout_of", "opened"]

CONTRACTS: tuple[Contract, ...] = get_args(Contract)


def file_name(
    model: str, layout: IsingLayout, contract: Contract = "fused", *, int8: bool = False
) -> str:
    """Name of an exported file, e.g. ``nano_d5_T26_Z.onnx``; XV, fused and float are left out."""
    parts = [model, f"d{layout.distance}", f"T{layout.rounds}", layout.basis]
    parts += [layout.orientation] if layout.orientation != "XV" else []
    parts += [contract] if contract != "fused" else []
    parts += ["int8"] if int8 else []
    return "_".join(parts) + ".onnx"


class ContractGraph(GraphWriter):
    """A graph for one layout, raw (grids in and out) or fused (detectors in and out).

    Grids are float (B, C, T, ·, ·) with channel 0 for X checks and Z-type data, channel 1 for Z
    checks and X-type data.
    """

    def __init__(self, layout: IsingLayout) -> None:
        super().__init__()
        self.layout = layout
        self.cell_of_check = layout.cells + np.array([[0], [layout.distance**2]])

    def raw_ports(self) -> tuple[Port, Port]:
        """Input and output of the bare network."""
        d, t = self.layout.distance, self.layout.rounds
        shape: list[int | str] = ["batch", 4, t, d, d]
        return ("events", TensorProto.FLOAT, shape), ("logits", TensorProto.FLOAT, shape)

    def fused_ports(self) -> tuple[Port, Port]:
        """Input and output of a graph that takes detectors."""
        n = self.layout.num_detectors
        source: Port = ("dets", TensorProto.UINT8, ["batch", n])
        return source, ("L_and_residual_dets", TensorProto.UINT8, ["batch", 1 + n])

    def checks(self, dets: str) -> str:
        """Detectors to checks round by round, float (B, T, 2·half)."""
        layout, half = self.layout, self.layout.half
        rows = self.cast(self.slice(dets, 0, layout.num_detectors - half), TensorProto.FLOAT)
        first, later = self.slice(rows, 0, half), self.slice(rows, half, half * 2 * layout.rounds)
        gap = ([0, 0], [0, half]) if layout.memory == 0 else ([0, half], [0, 0])
        rows = self.node("Concat", [self.pad(first, *gap), later], axis=1)
        # the contract takes the opposite basis of the last round as 0
        kept = np.ones((layout.rounds, 2, 1), dtype=np.float32)
        kept[-1, 1 - layout.memory] = 0
        checks = self.reshape(rows, (0, layout.rounds, 2, half))
        checks = self.node("Mul", [checks, self.constant(kept)])
        return self.reshape(checks, (0, layout.rounds, 2 * half))

    def answer(self, pre_l: str, checks: str, dets: str) -> None:
        """Put out pre_L, uint8 (B, 1), and residual ``checks``, float (B, T, 2·half)."""
        layout, half, n = self.layout, self.layout.half, self.layout.num_detectors
        size = 2 * half * layout.rounds
        rows = self.cast(self.reshape(checks, (0, size)), TensorProto.UINT8)
        start = layout.memory * half
        parts = [self.slice(rows, start, start + half), self.slice(rows, 2 * half, size)]
        boundary = self.slice(dets, n - half, n)
        self.node("Concat", [pre_l, *parts, boundary], axis=1, output="L_and_residual_dets")

    def pre_l(self, data: str) -> str:
        """Parity of the corrections (B, 2, T, D, D) on the logical operator, uint8 (B, 1)."""
        d, memory = self.layout.distance, self.layout.memory
        mask = self.layout.patch.logical(self.layout.basis).reshape(d, d).astype(np.float32)
        hits = self.node("Mul", [self.slice(data, memory, memory + 1), self.constant(mask)])
        count = self.node("ReduceSum", [hits, self.ints([2, 3, 4])], keepdims=0)
        return self.cast(self.parity(count), TensorProto.UINT8)

    def by_round(self, grid: str, size: int) -> str:
        """(B, 2, T, ·, ·) of ``size`` places a round and type to (B, T, 2·size)."""
        rounds = self.layout.rounds
        flat = self.reshape(grid, (0, 2, rounds, size))
        turned = self.node("Transpose", [flat], perm=[0, 2, 1, 3])
        return self.reshape(turned, (0, rounds, 2 * size))

    def by_type(self, rows: str, side: int) -> str:
        """(B, T, 2·side²) to (B, 2, T, side, side)."""
        grid = self.reshape(rows, (0, self.layout.rounds, 2, side, side))
        return self.node("Transpose", [grid], perm=[0, 2, 1, 3, 4])


def layout_of(path: Path) -> IsingLayout:
    """Layout that a name by ``file_name`` tells; raises SyndromeError for another name."""
    found = _NAME.search(path.name)
    if found is None:
        raise SyndromeError(
            f"{path}: its name does not tell distance, T and basis; "
            "call it like nano_d13_T104_X.onnx or nano_d13_T104_X_XH.onnx."
        )
    basis: PauliType = "X" if found["basis"] == "X" else "Z"
    known: dict[str, Orientation] = {name: name for name in ORIENTATIONS}
    orientation = known[found["orientation"]] if found["orientation"] else "XV"
    return IsingLayout(int(found["distance"]), int(found["rounds"]), basis, orientation)


def circuit_of(layout: IsingLayout, p: float) -> stim.Circuit:
    """The ``memory_circuit`` of ``layout`` at noise ``p``."""
    return memory_circuit(
        distance=layout.distance,
        rounds=layout.rounds,
        basis=layout.basis,
        orientation=layout.orientation,
        p=p,
    )


def opened(path: Path, layout: IsingLayout) -> Predecoder:
    """The file at ``path`` as a pre-decoder of ``layout``; raises as ``Predecoder.load`` does."""
    return Predecoder.load(
        path,
        distance=layout.distance,
        rounds=layout.rounds,
        basis=layout.basis,
        orientation=layout.orientation,
    )


_NAME = re.compile(
    r"_d(?P<distance>\d+)_T(?P<rounds>\d+)_(?P<basis>[XZ])"
    rf"(_(?P<orientation>{'|'.join(ORIENTATIONS)}))?(_raw)?(_int8)?\.onnx$"
)
