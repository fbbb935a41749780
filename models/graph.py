"""A small writer of ONNX graphs: one method an operation, tensors known by their names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["GraphWriter", "Port"]

Port = tuple[str, int, list[int | str]]
"""Name, element type (a ``TensorProto`` constant) and shape of an input or output."""

_OPSET, _IR_VERSION = 18, 10


class GraphWriter:
    """An ONNX graph under construction; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[bytes, str, tuple[int, ...]], onnx.TensorProto] = {}

    def model(self, name: str, source: Port, sink: Port) -> onnx.ModelProto:
        """Close the graph between one input and one output."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(*source)],
            [helper.make_tensor_value_info(*sink)],
            list(self._constants.values()),
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model

    def node(self, operation: str, inputs: Sequence[str], output: str = "", **options: Any) -> str:
        """Any operation of the standard set with one output."""
        output = output or f"{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, list(inputs), [output], **options))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Store an array; equal ones are stored once."""
        key = values.tobytes(), str(values.dtype), values.shape
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(values, name)
        return self._constants[key].name

    def ints(self, values: Sequence[int]) -> str:
        """Store a vector of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def cast(self, tensor: str, element: int) -> str:
        """Convert to another element type."""
        return self.node("Cast", [tensor], to=element)

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """Reshape; 0 keeps an axis."""
        return self.node("Reshape", [tensor, self.ints(shape)])

    def slice(self, tensor: str, start: int, stop: int) -> str:
        """Elements ``start`` to ``stop`` of axis 1."""
        bounds = [self.ints([value]) for value in (start, stop, 1)]
        return self.node("Slice", [tensor, *bounds])

    def pad(self, tensor: str, before: Sequence[int], after: Sequence[int]) -> str:
        """Surround with zeros; one number per axis and side."""
        return self.node("Pad", [tensor, self.ints([*before, *after])])

    def take(self, tensor: str, index: NDArray[np.int64]) -> str:
        """Pick along the last axis of a (B, T, n) tensor, flat ``index``; -1 gives 0."""
        padded = self.pad(tensor, (0, 0, 0), (0, 0, 1))
        return self.node("Gather", [padded, self.constant(index.reshape(-1))], axis=2)

    def equal(self, tensor: str, value: float) -> str:
        """1.0 where the tensor is ``value``, else 0.0."""
        same = self.node("Equal", [tensor, self.constant(np.array(value, dtype=np.float32))])
        return self.cast(same, TensorProto.FLOAT)

    def parity(self, tensor: str) -> str:
        """Remainder of whole floats on division by 2."""
        return self.node("Mod", [tensor, self.constant(np.array(2, dtype=np.float32))], fmod=1)

    def conv_each(self, tensor: str, kernels: NDArray[np.float32], pads: Sequence[int]) -> str:
        """Convolve channel k of 2 (B, 2, T, ·, ·) with each of its K kernels (2, K, ·, ·, ·).

        Gives 2·K channels, the K of the first one first. ``pads`` are the zeros before and after
        the three axes, one number an axis where both sides are alike.
        """
        weights = kernels.reshape(-1, 1, *kernels.shape[2:])
        both = list(pads) if len(pads) == 6 else [*pads, *pads]
        return self.node("Conv", [tensor, self.constant(weights)], group=2, pads=both)
