"""Write a trained pre-decoder as ONNX, after checking that the file answers as PyTorch does.

python -m models.export nano --distance 13 --rounds 104 --basis X
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract, Predecoder
from emulator.syndromes.rotated_patch import ORIENTATIONS
from models.command import run
from models.contract import CONTRACTS, ContractGraph, circuit_of, file_name, opened
from models.files import write_whole
from models.quantise import quantised
from models.training.networks import (
    ARCHITECTURES,
    Architecture,
    TrainingError,
    architecture,
    require_torch,
)

if TYPE_CHECKING:
    from models.training.checkpoint import Checkpoint

__all__ = ["calibration", "main", "network_graph", "verify"]

_MODELS = Path(__file__).parent
_TIE = 1e-4
"""Logits this close to 0 may fall on either side, as sums in another order are rounded."""
_CHUNK = 32
_CALIBRATION = 64


def network_graph(
    entry: Architecture,
    weights: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    layout: IsingLayout,
    contract: Contract = "fused",
) -> onnx.ModelProto:
    """Build the graph of a network with these (kernel, bias) of its convolutions, in order.

    Opset 18, the batch is free. Formats: ``emulator.decoders.ising_layout``.
    """
    graph = _Network(entry, weights, layout)
    return graph.fused() if contract == "fused" else graph.raw()


class _Network(ContractGraph):
    """The graph of a trained network for one layout."""

    def __init__(
        self,
        entry: Architecture,
        weights: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
        layout: IsingLayout,
    ) -> None:
        super().__init__(layout)
        self.entry, self.weights = entry, weights

    def raw(self) -> onnx.ModelProto:
        """Write the network alone."""
        self.layers("events", "logits")
        return self.model(f"{self.entry.name}_raw", *self.raw_ports())

    def fused(self) -> onnx.ModelProto:
        """Write detectors to network input, the network, its answer to pre_L and residual."""
        d = self.layout.distance
        checks = self.checks("dets")
        logits = self.layers(self.input(checks, "dets"))
        zero = self.constant(np.array(0, dtype=np.float32))
        bits = self.cast(self.node("GreaterOrEqual", [logits, zero]), onnx.TensorProto.FLOAT)
        data, shown = self.slice(bits, 0, 2), self.slice(bits, 2, 4)
        flips = self.take(self.by_round(shown, d * d), self.cell_of_check)
        syndrome = self.by_round(self.syndrome(data), self.layout.half)
        before = self.slice(self.pad(flips, (0, 1, 0), (0, 0, 0)), 0, self.layout.rounds)
        residual = self.parity(self.node("Sum", [checks, syndrome, flips, before]))
        self.answer(self.pre_l(data), residual, "dets")
        return self.model(f"{self.entry.name}_fused", *self.fused_ports())

    def input(self, checks: str, dets: str) -> str:
        """Checks (B, T, 2·half) to the network's input (B, 4, T, D, D)."""
        layout, d = self.layout, self.layout.distance
        index = np.full(2 * d * d, -1)
        index[self.cell_of_check] = np.arange(2 * layout.half).reshape(2, -1)
        events = self.by_type(self.take(checks, index), d)
        there = np.ones((2, layout.rounds, 1, 1), dtype=np.float32)
        there[1 - layout.memory, [0, -1]] = 0
        presence = self.constant(layout.presence.reshape(2, 1, d, d))
        presence = self.node("Mul", [presence, self.constant(there)])
        shape = self.node("Shape", [dets], start=0, end=1)
        shape = self.node("Concat", [shape, self.ints([2, layout.rounds, d, d])], axis=0)
        presence = self.node("Expand", [presence, shape])
        return self.node("Concat", [events, presence], axis=1)

    def layers(self, tensor: str, output: str = "") -> str:
        """The convolutions, with the activation between them."""
        pad = self.entry.kernel // 2
        last = len(self.weights) - 1
        for k, (kernel, bias) in enumerate(self.weights):
            inputs = [tensor, self.constant(kernel), self.constant(bias)]
            tensor = self.node("Conv", inputs, output if k == last else "", pads=[pad] * 6)
            if k < last:
                tensor = self.activation(tensor)
        return tensor

    def activation(self, x: str) -> str:
        """ReLU, or the tanh approximation of GELU, for which opset 18 has no operation."""
        if self.entry.activation == "relu":
            return self.node("Relu", [x])

        def number(value: float) -> str:
            return self.constant(np.array(value, dtype=np.float32))

        square = self.node("Mul", [x, x])
        slope = self.node("Mul", [square, number(0.044715)])
        slope = self.node("Add", [slope, number(1.0)])
        inner = self.node("Mul", [self.node("Mul", [x, slope]), number(np.sqrt(2 / np.pi))])
        gate = self.node("Add", [self.node("Tanh", [inner]), number(1.0)])
        return self.node("Mul", [self.node("Mul", [x, number(0.5)]), gate])

    def syndrome(self, data: str) -> str:
        """How many corrections each check sees, (B, 2, T, D, D) to (B, 2, T, half)."""
        patch, size = self.layout.patch, self.layout.distance**2
        matrices = np.stack([patch.hx.T, patch.hz.T]).astype(np.float32)
        flat = self.reshape(data, (0, 2, self.layout.rounds, size))
        return self.node("MatMul", [flat, self.constant(matrices)])


def verify(state: "Checkpoint", exported: Predecoder, *, shots: int, p: float, seed: int) -> int:
    """Compare the file with PyTorch on ``shots`` of ``memory_circuit``; the shots that differ.

    Those whose logits come within 1e-4 of 0 may differ, by rounding. Raises TrainingError when
    others do.
    """
    import torch  # noqa: PLC0415 - the graph needs no torch

    from models.training.networks import build  # noqa: PLC0415 - ditto

    layout = exported.layout
    network = build(state.architecture)
    network.load_state_dict(state.weights)
    sampler = _sampler(layout, p, seed)
    differing = 0
    for start in range(0, shots, _CHUNK):
        dets = sampler.sample(min(_CHUNK, shots - start)).astype(np.uint8)
        with torch.no_grad():
            logits = network(torch.from_numpy(layout.cnn_input(dets))).numpy()
        pre_l, residual = layout.apply(logits, dets)
        found_l, found = exported.run(dets)
        differs = (pre_l != found_l) | (residual != found).any(axis=1)
        margin = np.abs(logits).reshape(len(dets), -1).min(axis=1)
        if (differs & (margin > _TIE)).any():
            raise TrainingError(
                f"{exported.path.name}: answers otherwise than PyTorch, with no logit near 0 "
                "that would explain it; this is a fault of the export, nothing was written."
            )
        differing += int(differs.sum())
    return differing


def calibration(layout: IsingLayout, contract: Contract, *, p: float, seed: int) -> NDArray[Any]:
    """Inputs of the graph on 64 shots of ``memory_circuit``, none of those that ``verify`` sees."""
    dets = _sampler(layout, p, seed + 1).sample(_CALIBRATION).astype(np.uint8)
    return dets if contract == "fused" else layout.cnn_input(dets)


def _sampler(layout: IsingLayout, p: float, seed: int) -> stim.CompiledDetectorSampler:
    return circuit_of(layout, p).compile_detector_sampler(seed=seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake, 3 without PyTorch."""
    asked = _parser().parse_args(arguments)
    return run("export", lambda: print(_export(asked)))


def _export(asked: argparse.Namespace) -> str:
    entry = architecture(asked.model)
    IsingLayout(asked.distance, asked.rounds, asked.basis)
    if not math.isfinite(asked.caution):
        raise TrainingError(f"--caution: {asked.caution} is no number; give one like 2.")
    if asked.shots < 1:
        raise TrainingError(f"--shots: {asked.shots} is too few to compare; give at least 1.")
    require_torch()
    from models.training.checkpoint import Checkpoint  # noqa: PLC0415 - only after the check

    state = Checkpoint.load(asked.checkpoint or _MODELS / f"{entry.name}.safetensors", entry.name)
    state = state.cautious(asked.caution)
    orientation = asked.orientation or state.progress.orientation
    layout = IsingLayout(asked.distance, asked.rounds, asked.basis, orientation)
    state.check(layout)
    name = file_name(entry.name, layout, asked.contract, int8=asked.int8)
    path = asked.out or _MODELS / name
    graph = network_graph(entry, _weights(state), layout, asked.contract)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_bytes(graph.SerializeToString())
        exported = opened(trial, layout)
        differing = verify(state, exported, shots=asked.shots, p=asked.p, seed=asked.seed)
    if asked.int8:
        graph = quantised(graph, calibration(layout, asked.contract, p=asked.p, seed=asked.seed))
    content = graph.SerializeToString()
    write_whole(path, content)
    ties = f", but for {differing} with a logit next to 0" if differing else ""
    stage = "before it was quantised " if asked.int8 else ""
    return f"{path}: {len(content)} bytes; {stage}equal to PyTorch on {asked.shots} shots{ties}"


def _weights(state: "Checkpoint") -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    names = [name.removesuffix(".weight") for name in state.weights if name.endswith(".weight")]
    arrays: dict[str, Any] = {name: value.float().numpy() for name, value in state.weights.items()}
    names.sort(key=int)  # places in the stack
    return [(arrays[f"{name}.weight"], arrays[f"{name}.bias"]) for name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", metavar="MODEL", help=", ".join(ARCHITECTURES))
    parser.add_argument("--distance", type=int, required=True, help="odd, >= 3")
    parser.add_argument("--rounds", type=int, required=True, help="T >= 2: ancilla rounds + 1")
    parser.add_argument("--basis", choices=["X", "Z"], required=True)
    parser.add_argument("--orientation", choices=ORIENTATIONS, help="(that of the training)")
    parser.add_argument("--contract", choices=CONTRACTS, default="fused")
    parser.add_argument("--int8", action="store_true", help="quantise the convolutions")
    parser.add_argument("--caution", type=float, default=0.0, help="lower all logits by this (0)")
    parser.add_argument("--checkpoint", type=Path, help="(models/MODEL.safetensors)")
    parser.add_argument("--out", type=Path, help="file to write (default: beside this module)")
    parser.add_argument("--shots", type=int, default=1000, help="shots to compare (1000)")
    parser.add_argument(
        "--p", type=float, default=0.006, help="their noise, and that of calibration (0.006)"
    )
    parser.add_argument("--seed", type=int, default=1, help="their seed (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
