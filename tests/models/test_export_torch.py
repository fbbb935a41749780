from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from emulator.decoders.ising_layout import IsingLayout
from models import export
from models.contract import layout_of, opened
from tests.models.test_pair_rule import random_rows

torch = pytest.importorskip("torch", reason='checkpoints need torch; pip install -e ".[train]"')
torch.set_num_threads(1)

from models.training.checkpoint import Checkpoint, Progress  # noqa: E402 - only with torch
from models.training.networks import TrainingError, architecture, build  # noqa: E402 - ditto

MODELS = Path(export.__file__).parent
SHIPPED = sorted(MODELS.glob("nano_*.onnx"))
ASKED = ["--distance", "5", "--rounds", "4", "--basis", "Z"]


def checkpoint(path: Path, model: str = "nano") -> Checkpoint:
    torch.manual_seed(3)
    weights = dict(build(architecture(model)).state_dict())
    head = max(name for name in weights if name.endswith(".bias"))
    weights[head] = torch.zeros(4)  # so that about half of the bits are set
    state = Checkpoint(Progress(model, 9, 9, "XV", 0.006, 1), weights)
    state.save(path)
    return state


@pytest.mark.parametrize("model", ["nano", "fast"])
@pytest.mark.parametrize("contract", ["fused", "raw"])
def test_file_answers_as_pytorch_does(
    model: str, contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, out = tmp_path / "state.safetensors", tmp_path / "out.onnx"
    checkpoint(state, model)
    asked = [model, *ASKED, "--checkpoint", str(state), "--out", str(out), "--shots", "200"]
    assert export.main([*asked, "--contract", contract]) == 0
    assert "equal to PyTorch on 200 shots" in capsys.readouterr().out
    layout = IsingLayout(5, 4, "Z")
    predecoder = opened(out, layout)
    assert predecoder.contract == contract
    rows = np.zeros((3, layout.num_detectors), dtype=np.uint8)
    assert predecoder.run(rows)[1].any()


@pytest.mark.slow
@pytest.mark.parametrize("contract", ["fused", "raw"])
@pytest.mark.parametrize(
    "layout", [IsingLayout(5, 26, "Z"), IsingLayout(9, 9, "X")], ids=lambda it: f"d{it.distance}"
)
def test_shipped_network_is_equal_on_many_shots(
    layout: IsingLayout, contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--distance", str(layout.distance), "--rounds", str(layout.rounds)]
    asked += ["--basis", layout.basis, "--contract", contract, "--shots", "10000"]
    assert export.main(["nano", *asked, "--out", str(tmp_path / "nano.onnx")]) == 0
    assert "equal to PyTorch on 10000 shots" in capsys.readouterr().out


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_file_is_what_would_be_exported_now(path: Path, tmp_path: Path) -> None:
    layout, out = layout_of(path), tmp_path / "nano.onnx"
    asked = ["--distance", str(layout.distance), "--rounds", str(layout.rounds)]
    asked += ["--basis", layout.basis, "--shots", "1"]
    asked += ["--int8"] if path.stem.endswith("_int8") else []
    assert export.main(["nano", *asked, "--out", str(out)]) == 0
    committed, fresh = numbers(path), numbers(out)
    assert committed.keys() == fresh.keys()
    for name, values in committed.items():
        # ranges seen in calibration may differ in the last digit from processor to processor, and
        # biases are counted in steps of them
        slack = 1 if values.dtype == np.int32 else 0
        assert fresh[name] == pytest.approx(values, rel=1e-5, abs=slack), name


def numbers(path: Path) -> dict[str, NDArray[Any]]:
    return {each.name: numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer}


@pytest.mark.parametrize(
    "place", ["models.export.quantised", "models.files.os.fdopen", "pathlib.Path.replace"]
)
def test_an_interrupted_export_leaves_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, folder = tmp_path / "state.safetensors", tmp_path / "out"
    checkpoint(state)
    folder.mkdir()
    asked = ["nano", *ASKED, "--checkpoint", str(state), "--out", str(folder / "nano.onnx")]
    asked += ["--int8", "--shots", "10"]

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupt)
    with pytest.raises(KeyboardInterrupt):
        export.main(asked)
    assert not list(folder.iterdir())


def test_an_int8_file_is_loaded_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, out = tmp_path / "state.safetensors", tmp_path / "out.onnx"
    checkpoint(state)
    asked = ["nano", *ASKED, "--checkpoint", str(state), "--out", str(out), "--shots", "20"]
    assert export.main([*asked, "--int8"]) == 0
    assert "before it was quantised equal to PyTorch on 20 shots" in capsys.readouterr().out
    layout = IsingLayout(5, 4, "Z")
    quantised = opened(out, layout)
    assert quantised.contract == "fused"
    rows = random_rows(layout, 20, 0.05)
    assert (quantised.run(rows)[1] != rows).any()


def test_wrong_weights_are_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, out = tmp_path / "state.safetensors", tmp_path / "out.onnx"
    good = checkpoint(state)
    asked = ["nano", *ASKED, "--checkpoint", str(state), "--out", str(out), "--shots", "20"]
    assert export.main(asked) == 0
    layout = IsingLayout(5, 4, "Z")
    other = replace(good, weights={name: 1.1 * w for name, w in good.weights.items()})
    with pytest.raises(TrainingError, match="answers otherwise than PyTorch"):
        export.verify(other, opened(out, layout), shots=20, p=0.006, seed=1)
    # and a checkpoint that is not this one's is refused before anything is written
    out.unlink()
    capsys.readouterr()
    assert export.main(["fast", *asked[1:]]) == 2
    assert 'holds the network "nano", not "fast"' in capsys.readouterr().err
    assert export.main([*asked, "--orientation", "ZH"]) == 2
    assert "orientation: ZH is not the one" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.safetensors"]


def test_a_cautious_file_does_less(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    checkpoint(state)
    layout = IsingLayout(5, 4, "Z")
    rows = np.random.default_rng(1).integers(0, 2, (20, layout.num_detectors), dtype=np.uint8)
    changed = []
    for caution in ("0", "0.05", "100"):
        out = tmp_path / f"{caution}.onnx"
        asked = ["nano", *ASKED, "--checkpoint", str(state), "--out", str(out), "--shots", "20"]
        assert export.main([*asked, "--caution", caution]) == 0
        pre_l, residual = opened(out, layout).run(rows)
        changed.append(int((layout.events(rows) != layout.events(residual)).sum()))
    assert changed[0] > changed[1] > changed[2] == 0
    assert not pre_l.any()
    assert export.main([*asked, "--caution", "nan"]) == 2
