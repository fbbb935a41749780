import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from emulator.cli import main
from emulator.errors import RoundtripError
from emulator.scenario import Scenario, resolve
from emulator.scenario.codes import GeneratedCode, Noise
from tests.cli.conftest import Call

UNSET = re.compile(r"#(\[?\w.*)")
"""A line of the file that sets nothing until its # is taken away."""


@pytest.fixture
def file(call: Call, tmp_path: Path) -> Path:
    assert call("init", "first") == (0, "first.toml: edit it, then roundtrip run first.toml\n", "")
    return tmp_path / "first.toml"


def keys(text: str) -> set[str]:
    """Dotted keys of the tables and values in ``text``, those that are not set included."""
    found, table = set(), ""
    for written in text.splitlines():
        line = UNSET.sub(r"\1", written)
        if head := re.match(r"\[([\w.]+)\]", line):
            table = f"{head[1]}."
        elif key := re.match(r"(\w+) = ", line):
            found.add(table + key[1])
    return found


def fields(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Dotted keys of all tables of a model; of a delay only its own."""
    found = set()
    for name, field in model.model_fields.items():
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if isinstance(t, type)]
        tables = [t for t in inner if issubclass(t, BaseModel)]
        if name == "code":
            tables = [GeneratedCode]
        if name == "noise":
            tables = [Noise]
        for table in tables:
            found |= fields(table, f"{prefix}{name}.")
        if not tables:
            found.add(prefix + name)
    return found


def test_the_file_runs_and_meets_its_budget(file: Path, call: Call) -> None:
    code, out, _ = call("run", file, "--no-report", "--set", "run.shots=300")
    assert (code, out.splitlines()[0]) == (0, "✓ Budget met")


def test_every_key_of_a_scenario_is_there_and_no_other(file: Path) -> None:
    down = {key for key in fields(Scenario) if key.startswith("link.down.")}
    assert keys(file.read_text()) == (fields(Scenario) - down) | {"link.down.preset"}


def test_every_key_is_explained_in_a_line_that_fits(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert max(len(line) for line in lines) <= 100
    for line in lines:
        if re.match(r"#?[\w\[]", line):
            bare = re.sub(r'"[^"]*"', "", line.removeprefix("#"))
            assert len(bare.partition("# ")[2]) > 5, line


def test_every_line_that_sets_nothing_may_be_put_in_force(file: Path) -> None:
    lines = file.read_text().splitlines()
    unset = [number for number, line in enumerate(lines) if UNSET.fullmatch(line)]
    assert len(unset) > 50
    for number in unset:
        changed = {number: lines[number].removeprefix("#")}
        if changed[number].startswith("[feedback]") or lines[number - 1].startswith("#[feedback]"):
            first = lines.index(next(line for line in lines if line.startswith("#[feedback]")))
            changed = {first: lines[first][1:], first + 1: lines[first + 1][1:]}
        text = "\n".join(changed.get(k, line) for k, line in enumerate(lines))
        tables: dict[str, Any] = tomllib.loads(text)
        resolve(tables)


def test_every_delay_of_the_head_can_be_read(file: Path) -> None:
    head = file.read_text().partition("#schema_version")[0]
    delays = re.findall(r"^#   (\{ kind = .* \})(?:,|$)", head, re.MULTILINE)
    read = [delay for delay in delays if "..." not in delay and "empirical" not in delay]
    assert len(read) == 5
    for delay in read:
        text = file.read_text().replace("[qpu] ", f"[qpu]\nreadout = {delay}", 1)
        resolve(tomllib.loads(text))


def test_a_file_is_never_overwritten(file: Path, call: Call) -> None:
    file.write_text("mine")
    message = 'error: "first.toml" exists already and stays as it is; give another name\n'
    assert call("init", "first.toml") == (RoundtripError.exit_code, "", message)
    assert file.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named(call: Call) -> None:
    message = 'error: "none/a.toml" cannot be written: No such file or directory\n'
    assert call("init", "none/a") == (2, "", message)


def test_the_name_may_be_left_out(call: Call, tmp_path: Path) -> None:
    assert call("init")[0] == 0
    assert "roundtrip run scenario.toml\n" in (tmp_path / "scenario.toml").read_text()
    assert main(["init"]) == 2
