"""The README is true: its scenario loads, its commands run, its files exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.decoders import stopwatch
from emulator.scenario import resolve
from tests.decoders.clocks import QUIET

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
    monkeypatch.setattr(stopwatch, "CLOCKS", QUIET)  # other work on this machine is not judged
    commands = [line for block in blocks("console") for line in block.splitlines()]
    assert len(commands) >= 8
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "roundtrip"
        few = ["--set", "run.shots=40"] if arguments[0] in {"run", "compare", "profile"} else []
        assert main([*arguments, *few]) in {0, 1, 4}, command
        assert capsys.readouterr().out, command


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("python")
    assert len([line for line in text.splitlines() if line]) <= 10
    exec(text.replace('"run.shots": 2000', '"run.shots": 200'), {})
    out = capsys.readouterr().out
    assert "Rounds      5,000 emitted = 5,000 decoded" in out
    assert "shape: (5, 18)" in out
    assert [path.name for path in tmp_path.iterdir()] == ["reaction.html"]
    lines = out.splitlines()[-3:]
    assert [line.split(" Gbit/s ")[0] for line in lines] == ["25", "100", "400"]
    times_ps = [int(line.split()[-1]) for line in lines]
    assert times_ps == sorted(times_ps, reverse=True)  # the same shots: a faster link is faster
    assert all(line.split()[-2] in {"met", "missed", "undecided"} for line in lines)


def test_every_file_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:toml|md|ipynb))`", README))
    named |= set(re.findall(r"\]\(([\w./-]+)\)", README))
    places = (ROOT, ROOT / "scenarios")
    assert not [name for name in named if not any((base / name).exists() for base in places)]


def test_every_scenario_is_in_the_readme() -> None:
    for path in (ROOT / "scenarios").glob("*.toml"):
        assert f"`{path.name}`" in README, path.name
