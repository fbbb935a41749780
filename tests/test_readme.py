"""The README is true: its scenario loads, its commands run, its files exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.scenario import resolve

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_scenario_of_the_readme_is_complete_and_right() -> None:
    (text,) = blocks("toml")
    scenario = resolve(tomllib.loads(text)).scenario
    assert scenario.link.up.rate == 400 * 10**9
    assert scenario.qpu.round_period == 1_100_000


def test_every_documented_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("scenarios", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("console") for line in block.splitlines()]
    assert len(commands) >= 8
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "roundtrip"
        few = ["--set", "run.shots=40"] if arguments[0] in {"run", "compare", "profile"} else []
        assert main([*arguments, *few]) in {0, 1}, command
        assert capsys.readouterr().out, command


def test_every_file_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:toml|md))`", README))
    named |= set(re.findall(r"\]\(([\w./-]+)\)", README))
    places = (ROOT, ROOT / "scenarios")
    assert not [name for name in named if not any((base / name).exists() for base in places)]


def test_every_scenario_is_in_the_readme() -> None:
    for path in (ROOT / "scenarios").glob("*.toml"):
        assert f"`{path.name}`" in README, path.name
