from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from emulator.decoders.ising_layout import IsingLayout
from emulator.decoders.predecoder import Predecoder, PredecoderError

LAYOUT = IsingLayout(3, 4, "X")
N = LAYOUT.num_detectors
Shape = list[int | str]


def save(path: Path, nodes: list[onnx.NodeProto], element: int, source: Shape, sink: Shape) -> Path:
    """Write a graph from "input" to "output"; names unlike those of any exporter."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("input", element, source)],
        [helper.make_tensor_value_info("output", element, sink)],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [0])],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def fused(path: Path, batch: int | str = "batch", n: int = N, extra: int = 1) -> Path:
    """A graph in the fused form that repeats its first detectors as pre_L before all of them."""
    bounds = {"start": [0], "stop": [extra], "axis": [1]}
    nodes = [
        helper.make_node("Constant", [], [name], value_ints=value) for name, value in bounds.items()
    ]
    nodes += [
        helper.make_node("Slice", ["input", "start", "stop", "axis"], ["first"]),
        helper.make_node("Concat", ["first", "input"], ["output"], axis=1),
    ]
    return save(path, nodes, TensorProto.UINT8, [batch, n], [batch, n + extra])


def raw(path: Path, element: int = TensorProto.FLOAT, shape: Shape | None = None) -> Path:
    """A network that corrects nothing anywhere: minus its input, minus one."""
    shape = shape or ["batch", 4, LAYOUT.rounds, LAYOUT.distance, LAYOUT.distance]
    numpy_type = np.float16 if element == TensorProto.FLOAT16 else np.float32
    one = onnx.numpy_helper.from_array(np.array(1, dtype=numpy_type))
    nodes = [
        helper.make_node("Constant", [], ["one"], value=one),
        helper.make_node("Neg", ["input"], ["negative"]),
        helper.make_node("Sub", ["negative", "one"], ["output"]),
    ]
    return save(path, nodes, element, shape, shape)


def load(path: Path, distance: int = 3, rounds: int = 4) -> Predecoder:
    return Predecoder.load(path, distance=distance, rounds=rounds, basis="X")


def random_rows(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(count).integers(0, 2, (count, N), dtype=np.uint8)


@pytest.mark.parametrize("batch", ["batch", 4])
@pytest.mark.parametrize("count", [0, 1, 4, 11])
def test_fused_graph_answers_row_by_row(tmp_path: Path, batch: int | str, count: int) -> None:
    predecoder = load(fused(tmp_path / "any name.onnx", batch))
    assert predecoder.contract == "fused"
    assert predecoder.fixed_batch == (4 if batch == 4 else None)
    dets = random_rows(count)
    pre_l, residual = predecoder.run(dets, batch=3)
    assert pre_l.dtype == residual.dtype == np.uint8
    assert np.array_equal(residual, dets)
    assert np.array_equal(pre_l, dets[:, 0])


@pytest.mark.parametrize("element", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_raw_graph_is_wrapped_by_the_layout(tmp_path: Path, element: int) -> None:
    predecoder = load(raw(tmp_path / "raw.onnx", element))
    assert predecoder.contract == "raw"
    dets = random_rows(5)
    pre_l, residual = predecoder.run(dets, batch=2)
    dets[:, LAYOUT.slots[-1, 1]] = 0  # the opposite basis of the last round is dropped
    assert not pre_l.any()
    assert np.array_equal(residual, dets)


def test_boolean_rows_are_rows_too(tmp_path: Path) -> None:
    predecoder = load(fused(tmp_path / "f.onnx"))
    dets = random_rows(2)
    assert np.array_equal(predecoder.run(dets.astype(bool))[1], dets)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PredecoderError, match=r"nowhere\.onnx: there is no such file"):
        load(tmp_path / "nowhere.onnx")


def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(PredecoderError, match=r"weights\.onnx: is not an ONNX file"):
        load(path)


def test_another_distance_or_length_names_what_the_file_fits(tmp_path: Path) -> None:
    path = fused(tmp_path / "f.onnx")
    expected = (
        r"input is \(batch, 32\), but distance 5 and T = 4 need \(batch, 96\); "
        r"the file fits distance 3 and T = 4\."
    )
    with pytest.raises(PredecoderError, match=expected):
        load(path, distance=5)
    with pytest.raises(PredecoderError, match="the file fits distance 3 and T = 4"):
        load(path, rounds=5)
    with pytest.raises(PredecoderError, match="no odd distance fits the file"):
        load(fused(tmp_path / "g.onnx", n=31))
    with pytest.raises(PredecoderError, match="distance 3 and T = 6 or distance 5 and T = 2"):
        load(fused(tmp_path / "h.onnx", n=48))


def test_a_raw_file_for_another_size_says_which(tmp_path: Path) -> None:
    path = raw(tmp_path / "raw.onnx", shape=["batch", 4, 6, 5, 5])
    with pytest.raises(PredecoderError, match="the file is for distance 5 and T = 6"):
        load(path)


def test_output_without_pre_l_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredecoderError, match=r"output is \(batch, 34\), but .* \(batch, 33\)"):
        load(fused(tmp_path / "f.onnx", extra=2))


@pytest.mark.parametrize(
    ("element", "shape"),
    [(TensorProto.FLOAT, ["batch", N]), (TensorProto.UINT8, ["batch", 4, 4, 3, 3])],
)
def test_neither_contract_is_refused(tmp_path: Path, element: int, shape: Shape) -> None:
    node = helper.make_node("Identity", ["input"], ["output"])
    path = save(tmp_path / "f.onnx", [node], element, shape, shape)
    with pytest.raises(PredecoderError, match="a pre-decoder maps uint8"):
        load(path)


def test_symbolic_sizes_are_found_out_when_run(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["input"], ["output"])
    path = save(tmp_path / "f.onnx", [node], TensorProto.UINT8, ["batch", "n"], ["batch", "m"])
    predecoder = load(path)
    with pytest.raises(PredecoderError, match=r"answered with shape \(2, 32\); expected \(2, 33\)"):
        predecoder.run(random_rows(2))


def test_rows_of_another_length_are_refused(tmp_path: Path) -> None:
    predecoder = load(fused(tmp_path / "f.onnx"))
    with pytest.raises(PredecoderError, match=r"shape \(2, 31\) does not fit .*\(batch, 32\)"):
        predecoder.run(random_rows(2)[:, 1:])


def answering(path: Path, element: int, value: float, *, declared: int | None = None) -> Path:
    """A graph in the fused form that answers ``value`` everywhere, in another type if declared."""
    constant = helper.make_tensor("value", element, [1], [value])
    nodes = [
        helper.make_node("Shape", ["input"], ["shape"]),
        helper.make_node("Constant", [], ["extra"], value_ints=[0, 1]),
        helper.make_node("Add", ["shape", "extra"], ["wider"]),
        helper.make_node("ConstantOfShape", ["wider"], ["output"], value=constant),
    ]
    path = save(path, nodes, TensorProto.UINT8, ["batch", N], ["batch", N + 1])
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = declared or element
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    "element", [TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.INT8]
)
def test_a_fused_answer_of_another_type_is_refused(tmp_path: Path, element: int) -> None:
    path = answering(tmp_path / "f.onnx", element, 1)
    with pytest.raises(PredecoderError, match=r'output "output" is tensor\(.*cast it to uint8'):
        load(path)


@pytest.mark.parametrize("value", [2, 255])
def test_a_fused_answer_that_is_no_bit_is_refused(tmp_path: Path, value: int) -> None:
    predecoder = load(answering(tmp_path / "f.onnx", TensorProto.UINT8, value))
    with pytest.raises(PredecoderError, match=f"the value {value}; expected bits"):
        predecoder.run(random_rows(2))
    assert load(answering(tmp_path / "g.onnx", TensorProto.UINT8, 1)).run(random_rows(2))[0].all()


def test_logits_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    shape: Shape = ["batch", 4, LAYOUT.rounds, LAYOUT.distance, LAYOUT.distance]
    divided = [helper.make_node("Sub", ["input", "input"], ["zero"])]
    divided.append(helper.make_node("Div", ["zero", "zero"], ["output"]))
    predecoder = load(save(tmp_path / "nan.onnx", divided, TensorProto.FLOAT, shape, shape))
    with pytest.raises(PredecoderError, match="no numbers"):
        predecoder.run(random_rows(2))


def test_logits_of_another_type_are_refused(tmp_path: Path) -> None:
    shape: Shape = ["batch", 4, LAYOUT.rounds, LAYOUT.distance, LAYOUT.distance]
    cast = helper.make_node("Cast", ["input"], ["output"], to=TensorProto.INT32)
    path = save(tmp_path / "int.onnx", [cast], TensorProto.FLOAT, shape, shape)
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT32
    onnx.save(model, path)
    with pytest.raises(PredecoderError, match="give the logits as float32 or float16"):
        load(path)


def test_rows_are_not_cast(tmp_path: Path) -> None:
    predecoder = load(fused(tmp_path / "f.onnx"))
    with pytest.raises(PredecoderError, match=r"dets: are float64; .* takes uint8 or bool"):
        predecoder.run(random_rows(2) * 0.9)
