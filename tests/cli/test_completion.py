"""What the shell is told to complete a command with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import __version__
from tests.cli.conftest import Call


def asked(words: str, folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from emulator.cli import main; raise SystemExit(main())"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "_ROUNDTRIP_COMPLETE": what,
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def completed(words: str, folder: Path) -> tuple[int, list[str]]:
    done = asked(words, folder, "complete_bash")
    assert done.stderr == ""
    return done.returncode, done.stdout.split()


def test_verbs_scenarios_and_presets_are_completed(tmp_path: Path) -> None:
    (tmp_path / "isolated.toml").touch()
    (tmp_path / "is").mkdir()
    (tmp_path / "is.txt").touch()
    for words, found in {
        "roundtrip pre": ["presets"],
        "roundtrip run is": ["ising_d13_t104", "ising_d13_t13", "is/", "isolated.toml"],
        "roundtrip compare willow": ["willow_d5"],
        "roundtrip presets pre": ["predecoder"],
        "roundtrip presets host cpu": ["cpu_wakeup"],
        "roundtrip presets hots cpu": [],
    }.items():
        assert completed(words, tmp_path) == (0, found)


def test_the_script_for_a_shell_is_printed(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    code, out, _ = call("--show-completion", "zsh")
    assert code == 0
    assert "#compdef roundtrip" in out
    assert call("--show-completion", "cmd")[0] == 2


def test_a_shell_that_is_not_known_is_a_mistake(tmp_path: Path) -> None:
    done = asked("roundtrip ", tmp_path, "complete_nosh")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nosh" in done.stderr


def test_the_version(call: Call) -> None:
    assert call("--version") == (0, f"roundtrip {__version__}\n", "")
