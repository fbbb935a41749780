"""A neural (or rule-based) pre-decoder in an ONNX file, run by ONNX Runtime on one CPU thread."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import RoundtripError
from emulator.syndromes.rotated_patch import Orientation, PauliType

__all__ = ["Contract", "Predecoder", "PredecoderError"]

Contract = Literal["fused", "raw"]

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_CONTRACTS = (
    "a pre-decoder maps uint8 (batch, N) to uint8 (batch, 1 + N), or float "
    "(batch, 4, T, D, D) to the same shape"
)


class PredecoderError(RoundtripError):
    """A pre-decoder file that cannot be used for what was asked."""


@dataclass(frozen=True, eq=False)
class Predecoder:
    """A pre-decoder for one ``layout``: detection events in, correction and fewer events out.

    ``contract`` is "fused" when the graph takes detectors and returns pre_L and residual itself,
    uint8 (B, N) to uint8 (B, 1 + N), and "raw" when it is the bare network, float32 or float16
    (B, 4, T, D, D) to logits of the same shape. The names of inputs and outputs do not matter.
    ``fixed_batch`` is the batch that the file was frozen to, or None where it is free.
    """

    path: Path
    layout: IsingLayout
    contract: Contract
    fixed_batch: int | None
    session: Any

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        distance: int,
        rounds: int,
        basis: PauliType,
        orientation: Orientation = "XV",
    ) -> "Predecoder":
        """Open the ONNX file at ``path`` for T = ``rounds`` Ising rounds.

        Raises PredecoderError when the file is missing, is not a graph that ONNX Runtime can run
        on a CPU, follows neither contract, or was exported for another distance or T.
        """
        path = Path(path)
        layout = IsingLayout(distance, rounds, basis, orientation)
        session = _session(path)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise PredecoderError(
                f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs; {_CONTRACTS}."
            )
        source, sink = inputs[0], outputs[0]
        contract = _contract(path, source)
        _check_shapes(path, layout, contract, source.shape, sink.shape)
        _check_type(path, contract, sink)
        batch = source.shape[0]
        return cls(path, layout, contract, batch if isinstance(batch, int) else None, session)

    def run(
        self, dets: NDArray[Any], *, batch: int = 256
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Pre-decode detector rows (B, N) of 0/1: pre_L uint8 (B,) and residual uint8 (B, N).

        Rows go through the graph at most ``batch`` at a time (or, padded with zeros, as many as
        the file was frozen to). Raises PredecoderError for rows of another length or type, and
        when the graph fails, or answers in another shape, in values other than 0 and 1 (fused) or
        with logits that are no numbers (raw).
        """
        size = self.fixed_batch or batch
        if dets.dtype not in (np.uint8, np.bool_):
            raise PredecoderError(f"dets: are {dets.dtype}; {self.path} takes uint8 or bool.")
        rows = np.ascontiguousarray(dets, dtype=np.uint8)
        n = self.layout.num_detectors
        if rows.ndim != 2 or rows.shape[1] != n:
            raise PredecoderError(
                f"dets: shape {rows.shape} does not fit {self.path}; expected (batch, {n})."
            )
        pre_l = np.empty(len(rows), dtype=np.uint8)
        residual = np.empty_like(rows)
        for start in range(0, len(rows), size):
            part = slice(start, min(start + size, len(rows)))
            pre_l[part], residual[part] = self._run_once(rows[part])
        return pre_l, residual

    def _run_once(self, rows: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        count = len(rows)
        if self.fixed_batch is not None:
            rows = np.pad(rows, ((0, self.fixed_batch - count), (0, 0)))
        feed = rows if self.contract == "fused" else self.layout.cnn_input(rows)
        source = self.session.get_inputs()[0]
        if source.type in _FLOATS:
            feed = feed.astype(_FLOATS[source.type], copy=False)
        try:
            (answer,) = self.session.run(None, {source.name: feed})
        except Exception as error:  # ONNX Runtime has no common base class of its own
            raise PredecoderError(f"{self.path}: running it failed: {_line(error)}.") from error
        if self.contract == "raw":
            expected: tuple[int, ...] = feed.shape
        else:
            expected = (len(rows), 1 + rows.shape[1])
        if answer.shape != expected:
            raise PredecoderError(
                f"{self.path}: answered with shape {answer.shape}; expected {expected}."
            )
        self._check_values(answer)
        if self.contract == "raw":
            pre_l, residual = self.layout.apply(answer, rows)
            return pre_l[:count], residual[:count]
        return answer[:count, 0], answer[:count, 1:]

    def _check_values(self, answer: NDArray[Any]) -> None:
        """Refuse values outside the contract; the type was checked when the file was opened."""
        if self.contract == "raw" and np.isnan(answer).any():
            raise PredecoderError(f"{self.path}: answered with logits that are no numbers (NaN).")
        if self.contract == "fused" and (answer > 1).any():
            raise PredecoderError(
                f"{self.path}: answered with the value {answer.max()}; expected bits, 0 or 1."
            )


def _session(path: Path) -> Any:
    import onnxruntime  # noqa: PLC0415 - only a run with a pre-decoder needs it

    if not path.is_file():
        raise PredecoderError(
            f"{path}: there is no such file; give the path of an exported .onnx pre-decoder."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has no common base class of its own
        raise PredecoderError(
            f"{path}: is not an ONNX file that ONNX Runtime can run on a CPU ({_line(error)}); "
            "export it again as FP32 or INT8 ONNX."
        ) from error


def _contract(path: Path, source: Any) -> Contract:
    rank = len(source.shape)
    if rank == 2 and source.type == "tensor(uint8)":
        return "fused"
    if rank == 5 and source.type in _FLOATS:
        return "raw"
    raise PredecoderError(
        f'{path}: its input "{source.name}" is {source.type} {source.shape}; {_CONTRACTS}.'
    )


def _check_shapes(
    path: Path, layout: IsingLayout, contract: Contract, source: list[Any], sink: list[Any]
) -> None:
    d, t, n = layout.distance, layout.rounds, layout.num_detectors
    wanted_in = (n,) if contract == "fused" else (4, t, d, d)
    wanted_out = (1 + n,) if contract == "fused" else wanted_in
    for noun, found, wanted in (("input", source, wanted_in), ("output", sink, wanted_out)):
        # symbolic axes are names or None; only numbers can disagree before the graph runs
        pairs = zip(found[1:], wanted, strict=False)
        wrong = any(isinstance(a, int) and a != b for a, b in pairs)
        if len(found) != 1 + len(wanted) or wrong:
            fits = _fits(contract, found) if noun == "input" else ""
            raise PredecoderError(
                f"{path}: its {noun} is (batch, {', '.join(map(str, found[1:]))}), but distance "
                f"{d} and T = {t} need (batch, {', '.join(map(str, wanted))}){fits}."
            )


def _check_type(path: Path, contract: Contract, sink: Any) -> None:
    if contract == "fused" and sink.type != "tensor(uint8)":
        fix = "compare it with 0 and cast it to uint8 inside the graph"
    elif contract == "raw" and sink.type not in _FLOATS:
        fix = "give the logits as float32 or float16"
    else:
        return
    raise PredecoderError(f'{path}: its output "{sink.name}" is {sink.type}; {_CONTRACTS}: {fix}.')


def _fits(contract: Contract, found: list[Any]) -> str:
    """Say which distances and T an input shape is right for."""
    if contract == "raw":
        _, _, t, d, _ = found
        return f"; the file is for distance {d} and T = {t}"
    n = found[1]
    options = [(d, n // (d * d - 1)) for d in range(3, 52, 2) if n % (d * d - 1) == 0]
    named = [f"distance {d} and T = {t}" for d, t in options if t >= 2]
    if not named:
        return "; no odd distance fits the file"
    return f"; the file fits {' or '.join(named)}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
