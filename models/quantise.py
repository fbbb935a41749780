"""INT8 variants of exported networks, by the static quantisation of ONNX Runtime."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

__all__ = ["quantised"]


def quantised(model: onnx.ModelProto, feeds: NDArray[Any]) -> onnx.ModelProto:
    """The same graph with its convolutions, but for the first, on 8 bits (QDQ format).

    Activations are uint8, their ranges those seen on ``feeds``, the rows of the graph's input.
    Weights are int8, a scale for each channel. They fill 7 bits, so that CPUs without VNNI, which
    add two products in 16 bits, never saturate. The first convolution stays as it is: it sees 0,
    0.5 and 1 only, and few channels.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    for node in named.graph.node:
        node.name = node.output[0]
    first = next(node.name for node in named.graph.node if node.op_type == "Conv")
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            named,
            path,
            _Rows(model.graph.input[0].name, feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Relu"],
            nodes_to_exclude=[first],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


class _Rows(CalibrationDataReader):  # type: ignore[misc] # comes without types
    """Feeds one row at a time."""

    def __init__(self, name: str, feeds: NDArray[Any]) -> None:
        self._feeds = iter([{name: row[None]} for row in feeds])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._feeds, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the advice to optimise the graph first, which has nothing to be optimised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
