from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emulator.decoders.ising_layout import IsingLayout
from models import export
from tests.models.test_pair_rule import opened

torch = pytest.importorskip("torch", reason='checkpoints need torch; pip install -e ".[train]"')
torch.set_num_threads(1)

from models.training.checkpoint import Checkpoint, Progress  # noqa: E402 - only with torch
from models.training.networks import TrainingError, architecture, build  # noqa: E402 - ditto

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
    predecoder = opened(layout, out)
    assert predecoder.contract == contract
    rows = np.zeros((3, layout.num_detectors), dtype=np.uint8)
    assert predecoder.run(rows)[1].any()


def test_wrong_weights_are_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, out = tmp_path / "state.safetensors", tmp_path / "out.onnx"
    good = checkpoint(state)
    asked = ["nano", *ASKED, "--checkpoint", str(state), "--out", str(out), "--shots", "20"]
    assert export.main(asked) == 0
    layout = IsingLayout(5, 4, "Z")
    other = replace(good, weights={name: 1.1 * w for name, w in good.weights.items()})
    with pytest.raises(TrainingError, match="answers otherwise than PyTorch"):
        export.verify(other, opened(layout, out), shots=20, p=0.006, seed=1)
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
        pre_l, residual = opened(layout, out).run(rows)
        changed.append(int((layout.events(rows) != layout.events(residual)).sum()))
    assert changed[0] > changed[1] > changed[2] == 0
    assert not pre_l.any()
    assert export.main([*asked, "--caution", "nan"]) == 2
