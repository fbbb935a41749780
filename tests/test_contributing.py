"""The section "How to extend it" of CONTRIBUTING.md, done step by step on a copy of the package."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+) ?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EDIT = re.compile(r"(\S+)(?: (before|replacing) '(.*)')?")


def section() -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition("## How to extend it")[2].partition("\n## ")[0]


def steps() -> Iterator[tuple[str, str, str]]:
    """Language, place and text of each block, in order."""
    for match in BLOCK.finditer(section()):
        yield match[1], match[2], match[3]


def apply(folder: Path, place: str, text: str) -> None:
    """Write a new file, or put the text before a line or in the place of a part of one."""
    match = EDIT.fullmatch(place)
    assert match is not None, place
    file = folder / match[1]
    if match[2] is None:
        assert not file.exists(), f"{file.name} is there already"
        file.write_text(text, encoding="utf-8")
        return
    content = file.read_text(encoding="utf-8")
    assert content.count(match[3]) == 1, f"{place}: found {content.count(match[3])} times"
    new = text + match[3] if match[2] == "before" else text.rstrip("\n")
    file.write_text(content.replace(match[3], new), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("emulator", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def roundtrip(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program == "roundtrip"
    if arguments[0] == "run":
        arguments += ["--set", "run.shots=5", "--out", "out"]
    start = "import sys; from emulator.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_extension_does_what_its_text_says(copy: Path) -> None:
    printed = {}
    for language, place, text in steps():
        if language == "console":
            for command in text.splitlines():
                done = roundtrip(copy, command)
                assert done.returncode in {0, 1, 4}, f"{command}\n{done.stderr}"
                assert "Traceback" not in done.stderr
                printed[command] = done.stdout
        else:
            apply(copy, place, text)
    assert printed.pop("roundtrip hello") == "hello\n"
    assert "800 ns" in printed.pop("roundtrip presets host my_host")
    assert all("Rounds" in out for out in printed.values())
    assert len(printed) == 3


def test_the_files_of_the_walk_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = text.partition("## One round")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w/]+\.py)`", walk)
    assert len(named) > 20
    folder = ROOT / "emulator"
    for name in named:
        places = [folder / name, folder / "results" / name]
        assert any(place.is_file() for place in places), name
    packages = re.findall(r"^\| `([\w/]+/)`", text, re.MULTILINE)
    assert all((ROOT / name).is_dir() for name in packages)
