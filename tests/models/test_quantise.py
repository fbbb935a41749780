from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Contract, Predecoder
from models.contract import circuit_of, opened
from models.export import calibration, network_graph
from models.quantise import quantised
from models.training.networks import Activation
from tests.models.test_export import SMALL, by_hand, convolved, random_weights
from tests.models.test_pair_rule import random_rows

LAYOUT = IsingLayout(5, 4, "X")
Mask = NDArray[np.bool_]


def graph(contract: Contract, activation: Activation = "relu") -> onnx.ModelProto:
    entry = SMALL[activation]
    return network_graph(entry, random_weights(entry), LAYOUT, contract)


def small(contract: Contract, activation: Activation = "relu") -> onnx.ModelProto:
    feeds = calibration(LAYOUT, contract, p=0.02, seed=1)
    return quantised(graph(contract, activation), feeds)


def saved(model: onnx.ModelProto, folder: Path) -> Predecoder:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return opened(path, LAYOUT)


def logits(predecoder: Predecoder, grid: NDArray[np.float32]) -> NDArray[np.float32]:
    (found,) = predecoder.session.run(None, {"events": grid})
    return np.asarray(found)


class Stored:
    """The numbers that a quantised graph stores, by the convolution that reads them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.values = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self.nodes = model.graph.node
        self.convolutions = [node for node in self.nodes if node.op_type == "Conv"]

    def parameter(self, layer: int, place: int) -> NDArray[np.float64]:
        """Weights (place 1) or biases (place 2) of a convolution, as they are reckoned with."""
        name = self.convolutions[layer].input[place]
        if name in self.values:
            return self.values[name].astype(np.float64)
        source = next(node for node in self.nodes if node.output[0] == name)
        stored, step, zero = (self.values[name].astype(np.float64) for name in source.input)
        assert not zero.any()
        return stored * step.reshape(-1, *(1,) * (stored.ndim - 1))

    def rounded(self, layer: int, exact: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask]:
        """What follows ``layer`` on its 8 bits, and where a rounding hangs by a hair."""
        name = self.convolutions[layer].output[0]
        reader = next(node for node in self.nodes if node.input[0] == name)
        if reader.op_type == "Relu":  # the first layer, which is not quantised
            reader = next(node for node in self.nodes if node.input[0] == reader.output[0])
        assert reader.op_type == "QuantizeLinear"
        step, zero = (self.values[name].astype(np.float64) for name in reader.input[1:])
        places = exact / step + zero
        tie = np.abs(places - np.floor(places) - 0.5) < 1e-4
        return (np.clip(np.rint(places), 0, 255) - zero) * step, tie


def at(channels: NDArray[Any]) -> NDArray[Any]:
    return channels[:, None, None, None]


def test_logits_are_those_of_8_bits_reckoned_by_hand(tmp_path: Path) -> None:
    model = small("raw")
    stored = Stored(model)
    grid = LAYOUT.cnn_input(random_rows(LAYOUT, 30, 0.05))
    values: NDArray[np.float64] = grid.astype(np.float64)
    doubtful = np.zeros_like(values, dtype=bool)  # where a rounding may go either way
    for layer in range(3):
        kernel = stored.parameter(layer, 1)
        exact = convolved(values, kernel) + at(stored.parameter(layer, 2))
        values, tie = stored.rounded(layer, exact)  # ReLU is the lower end of the 8 bits
        doubtful = tie | (convolved(doubtful.astype(np.float64), np.ones_like(kernel)) > 0)
    found = logits(saved(model, tmp_path), grid)
    assert found[~doubtful] == pytest.approx(values[~doubtful], abs=1e-5)
    assert doubtful.mean() < 0.2
    # so the file answers as the float network wherever that is surer of itself than 8 bits are off
    float_logits = by_hand(SMALL["relu"], random_weights(SMALL["relu"]), grid)
    off = np.abs(values - float_logits).max()
    sure = ~doubtful & (np.abs(float_logits) > off)
    assert 1e-3 < off < np.abs(float_logits).max() / 5
    assert np.array_equal(found[sure] >= 0, float_logits[sure] >= 0)
    assert sure.mean() > 0.5


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_fused_graph_is_the_raw_one_and_the_contract(
    tmp_path: Path, activation: Activation
) -> None:
    dets = calibration(LAYOUT, "fused", p=0.05, seed=9)
    pre_l, residual = saved(small("fused", activation), tmp_path).run(dets)
    raw = saved(small("raw", activation), tmp_path)
    wanted_l, wanted = LAYOUT.apply(logits(raw, LAYOUT.cnn_input(dets)), dets)
    assert np.array_equal(pre_l, wanted_l)
    assert np.array_equal(residual, wanted)
    assert (residual != dets).any()


def test_weights_are_stored_on_7_bits_of_8_but_for_the_first_layer() -> None:
    model = small("fused")
    kinds = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    sources = {node.output[0]: node for node in model.graph.node}
    first, *others = (node for node in model.graph.node if node.op_type == "Conv")
    assert kinds[first.input[1]].dtype == np.float32
    assert len(others) == 2
    for node in others:
        weights = kinds[sources[node.input[1]].input[0]]
        assert weights.dtype == np.int8
        assert 63 <= np.abs(weights.astype(int)).max() <= 64


def test_it_is_the_same_each_time() -> None:
    first, second = (small("fused").SerializeToString() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("contract", ["fused", "raw"])
def test_calibration_takes_other_shots_than_are_compared(contract: Contract) -> None:
    rows = calibration(LAYOUT, contract, p=0.006, seed=1)
    dets = circuit_of(LAYOUT, 0.006).compile_detector_sampler(seed=1).sample(64).astype(np.uint8)
    compared = dets if contract == "fused" else LAYOUT.cnn_input(dets)
    assert rows.shape == compared.shape
    assert (rows != compared).any()
