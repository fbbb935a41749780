"""Without PyTorch every command says what to install."""

import importlib.util
from pathlib import Path

import pytest

from models.training import train


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_training_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["nano", "--checkpoint", str(tmp_path / "state.safetensors")]) == 3
    assert 'pip install -e ".[train]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
