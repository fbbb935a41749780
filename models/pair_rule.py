"""The pair rule: a local pre-decoder without training, written as an ONNX graph.

Two detection events of the same type that are each other's only neighbour are matched and removed.
Neighbours are what one fault of the circuit can join: a check and itself a round later, the two
checks across a data qubit in the same round or, for a fault between their CNOTs, a round apart, and
the two ends of a hook. Everything else, and so every doubtful case, is left to the global decoder.
In the spirit of the Clique predecoder (arXiv 2208.08547) and of local predecoders (arXiv
2208.04660). As the logical operator lies on the edge of the patch, where no data qubit joins two
checks of the memory basis, pre_L is always 0: what the rule does shows in the residual.

    python -m models.pair_rule --distance 5 --rounds 26 --basis Z
    python -m models.pair_rule --distance 5 --rounds 26 --basis Z --measure
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import onnx
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract
from emulator.syndromes.rotated_patch import ORIENTATIONS, PauliType, RotatedPatch
from models.command import run
from models.contract import CONTRACTS, ContractGraph, opened
from models.contract import file_name as contract_file_name
from models.files import write_whole

if TYPE_CHECKING:
    from models.thinning import Thinning

__all__ = ["SHIPPED", "file_name", "main", "measure", "pair_rule", "write"]

SHIPPED = (
    IsingLayout(5, 6, "Z"),
    IsingLayout(5, 26, "Z"),
    IsingLayout(13, 13, "X"),
    IsingLayout(13, 104, "X"),
)
"""Layouts whose fused graphs lie beside this file."""

Ends = tuple[tuple[int, int, int], tuple[int, int, int]]
"""Two places (round, row, column) in a kernel."""


@dataclass(frozen=True)
class _Pair:
    """Two events that one fault joins: one at a corner, the other ``step`` away, ``later`` rounds.

    ``data`` are the qubits to correct in the round of the first event, relative to its corner.
    """

    later: int
    step: tuple[int, int]
    data: tuple[tuple[int, int], ...]


def _pairs(patch: RotatedPatch, kind: PauliType) -> list[_Pair]:
    """All pairs of events of checks of type ``kind``, as the order of the CNOTs makes them.

    The checks on opposite corners of a data qubit q meet it in steps a and b, so from the first of
    them the other one is at a - b. A fault on q in between is seen at once by the one that meets q
    later, and in the next round by the other. A fault on an ancilla of the other type, after two of
    its CNOTs, spreads to the data qubits of the last two (a hook); of the checks beyond them, the
    one behind the fourth qubit has already met it.
    """
    steps = patch.cnot_steps(kind)
    found = [_Pair(1, (0, 0), ())]
    for a in steps:
        b = (-1 - a[0], -1 - a[1])
        across = (a[0] - b[0], a[1] - b[1])
        if a[0] == 0:
            found.append(_Pair(0, across, (a,)))
        if steps.index(a) > steps.index(b):
            found.append(_Pair(1, across, (a,)))
    third, fourth = patch.cnot_steps("Z" if kind == "X" else "X")[2:]
    along = (fourth[0] - third[0], fourth[1] - third[1])
    hook = tuple((along[0] + q[0], along[1] + q[1]) for q in (third, fourth))
    return [*found, _Pair(1, (2 * along[0], 2 * along[1]), hook)]


def file_name(layout: IsingLayout, contract: Contract = "fused") -> str:
    """Name of an exported file, e.g. ``pair_rule_d5_T26_Z.onnx``; XV and fused are left out."""
    return contract_file_name("pair_rule", layout, contract)


def pair_rule(layout: IsingLayout, contract: Contract = "fused") -> onnx.ModelProto:
    """Build the graph for ``layout``; opset 18, the batch is free.

    Raw: events float32 (B, 4, T, D, D), of which the first two channels are read, to logits of
    the same shape, +0.5 or -0.5. Fused: detectors uint8 (B, N) to uint8 (B, 1 + N), column 0
    pre_L, the rest the residual. Formats: ``emulator.decoders.ising_layout``.
    """
    graph = _PairRule(layout)
    return graph.fused() if contract == "fused" else graph.raw()


def write(layout: IsingLayout, path: Path, contract: Contract = "fused") -> None:
    """Write the graph to ``path``, whole or not at all."""
    write_whole(path, pair_rule(layout, contract).SerializeToString())


def measure(layout: IsingLayout, *, p: float, shots: int, seed: int) -> "Thinning":
    """Sample ``memory_circuit`` at noise ``p`` and decode every shot with and without the rule."""
    from models.thinning import count  # noqa: PLC0415 - exporting needs no matcher

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pair_rule.onnx"
        write(layout, path)
        return count(opened(path, layout).run, layout, p=p, shots=shots, seed=seed)


class _PairRule(ContractGraph):
    """The graph of one layout.

    Inside, events and flips lie on the lattice of check corners, float (B, 2, T, D + 1, D + 1),
    and data corrections on the data qubits, float (B, 2, T, D, D); channel 0 belongs to X checks,
    channel 1 to Z checks. There, unlike on the cells of the contract, every check is one step
    from those it shares a qubit with. Corners without a check of the type hold 0.
    """

    def __init__(self, layout: IsingLayout) -> None:
        super().__init__(layout)
        side = layout.distance + 1
        x, z = (layout.patch.corners(kind) @ np.array([side, 1]) for kind in get_args(PauliType))
        self.corner_of_check = np.stack([x, z + side**2])
        kinds = enumerate(get_args(PauliType))
        self.joined = [(k, pair) for k, kind in kinds for pair in _pairs(layout.patch, kind)]

    def rule(self, events: str) -> tuple[str, str]:
        """Data corrections and measurement flips of the matched pairs, each 0.0 or 1.0."""
        d, joined = self.layout.distance, self.joined
        # 32 for being an event and 1 for each neighbour: 33 is an event with one neighbour.
        around = np.zeros((2, 1, 3, 5, 5), dtype=np.float32)
        around[:, :, 1, 2, 2] = 32
        for k, pair in joined:
            i, j = pair.step
            around[k, 0, 1 + pair.later, 2 + i, 2 + j] = 1
            around[k, 0, 1 - pair.later, 2 - i, 2 - j] = 1
        paired = self.equal(self.conv_each(events, around, (1, 2, 2)), 33)

        # Seen from data qubit (r, c): the corners (r - 1, c - 1) to (r + 2, c + 2) of two rounds.
        data: list[list[Ends]] = [[], []]
        # Seen from the later event; the round before is where its check was read wrongly.
        flips: list[list[Ends]] = [[], []]
        for k, pair in joined:
            i, j = pair.step
            for r, c in pair.data:
                data[k].append(((0, 1 - r, 1 - c), (pair.later, 1 - r + i, 1 - c + j)))
            if pair.later:
                flips[k].append(((0, 2 - i, 2 - j), (1, 2, 2)))
        return (
            self.matched(paired, data, (2, 4, 4), (0, 1, 1, 1, 1, 1), side=d),
            self.matched(paired, flips, (2, 5, 5), (0, 2, 2, 1, 2, 2), side=d + 1),
        )

    def matched(
        self,
        events: str,
        joined: list[list[Ends]],
        shape: tuple[int, int, int],
        pads: Sequence[int],
        side: int,
    ) -> str:
        """Mark where both of any two kernel places ``joined`` for the type are events."""
        count = len(joined[0])
        kernels = np.zeros((2, count, *shape), dtype=np.float32)
        for k, n in product(range(2), range(count)):
            for place in joined[k][n]:
                kernels[k, n][place] = 1
        both = self.equal(self.conv_each(events, kernels, pads), 2)
        split = self.reshape(both, (0, 2, count, self.layout.rounds, side, side))
        return self.node("ReduceMax", [split, self.ints([2])], keepdims=0)

    def raw(self) -> onnx.ModelProto:
        """Write the bare network: cells to corners, the rule, corners to cells."""
        d = self.layout.distance
        cells = self.by_round(self.slice("events", 0, 2), d**2)
        data, flips = self.rule(self.to_corners(cells, self.cell_of_check))

        index = np.full(2 * d**2, -1)
        index[self.cell_of_check] = self.corner_of_check
        shown = self.by_type(self.take(self.by_round(flips, (d + 1) ** 2), index), d)
        bits = self.node("Concat", [data, shown], axis=1)
        threshold = self.constant(np.array(0.5, dtype=np.float32))
        self.node("Sub", [bits, threshold], output="logits")
        return self.model("pair_rule_raw", *self.raw_ports())

    def fused(self) -> onnx.ModelProto:
        """Write detectors to events, the rule, events to pre_L and residual detectors."""
        half, side = self.layout.half, self.layout.distance + 1
        index = np.arange(2 * half).reshape(2, half)
        events = self.to_corners(self.checks("dets"), index)
        data, flips = self.rule(events)

        square = np.ones((2, 1, 1, 2, 2), dtype=np.float32)
        syndrome = self.conv_each(data, square, (0, 1, 1))
        both_rounds = np.ones((2, 1, 2, 1, 1), dtype=np.float32)
        changes = self.conv_each(flips, both_rounds, (1, 0, 0, 0, 0, 0))
        residual = self.parity(self.node("Sum", [events, syndrome, changes]))
        checks = self.take(self.by_round(residual, side**2), self.corner_of_check)
        self.answer(self.pre_l(data), checks, "dets")
        return self.model("pair_rule_fused", *self.fused_ports())

    def to_corners(self, rows: str, place_of_check: NDArray[np.int64]) -> str:
        """Spread rows (B, T, n) over the corners, given where in n the checks (2, half) are."""
        side = self.layout.distance + 1
        index = np.full(2 * side**2, -1)
        index[self.corner_of_check] = place_of_check
        return self.by_type(self.take(rows, index), side)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake in what was asked."""
    asked = _parser().parse_args(arguments)
    return run("pair_rule", lambda: _answer(asked))


def _answer(asked: argparse.Namespace) -> None:
    layout = IsingLayout(asked.distance, asked.rounds, asked.basis, asked.orientation)
    if asked.measure:
        print(measure(layout, p=asked.p, shots=asked.shots, seed=asked.seed).table())
        return
    path = asked.out or Path(__file__).parent / file_name(layout, asked.contract)
    write(layout, path, asked.contract)
    print(f"{path}: {path.stat().st_size} bytes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.pair_rule", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--distance", type=int, required=True, help="odd, >= 3")
    parser.add_argument("--rounds", type=int, required=True, help="T >= 2: ancilla rounds + 1")
    parser.add_argument("--basis", choices=["X", "Z"], required=True)
    parser.add_argument("--orientation", choices=ORIENTATIONS, default="XV")
    parser.add_argument("--contract", choices=CONTRACTS, default="fused")
    parser.add_argument("--out", type=Path, help="file to write (default: beside this module)")
    parser.add_argument("--measure", action="store_true", help="print what it thins and costs")
    parser.add_argument("--p", type=float, default=0.003, help="noise of --measure (0.003)")
    parser.add_argument("--shots", type=int, default=10000, help="shots of --measure (10000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of --measure (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
