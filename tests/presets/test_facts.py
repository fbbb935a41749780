"""Programs read the facts of a preset, never what is written for people: name, title, notes."""

import ast
import re
import shutil
from itertools import product
from pathlib import Path

import pytest

import emulator
import models
from emulator.decoders.ising_layout import IsingLayout
from emulator.errors import ScenarioError
from emulator.scenario import presets
from models.published import published

PACKAGE = Path(emulator.__file__).parent
SHOWN_OR_KEPT = {"emulator/scenario/presets.py", "emulator/cli/presets.py"}
"""Where a preset is defined and where it is shown; no other file may touch its notes."""

LAYOUTS = [IsingLayout(d, t, "X") for d, t in ((5, 5), (5, 104), (13, 13), (13, 104), (31, 31))]


def sources() -> dict[str, ast.Module]:
    folders = (PACKAGE, Path(models.__file__).parent)
    files = (file for folder in folders for file in folder.rglob("*.py"))
    return {f.relative_to(PACKAGE.parent).as_posix(): ast.parse(f.read_text()) for f in files}


def taken_apart(tree: ast.AST) -> list[str]:
    """Attributes named notes, title or name, of something called a preset, that are looked into.

    Looked into: compared with ``in``, indexed, given to a function of ``re``, or asked by a method
    of text.
    """
    found = []
    for node in ast.walk(tree):
        inner: list[ast.expr] = []
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            inner = node.comparators
        elif isinstance(node, ast.Subscript | ast.Attribute):
            inner = [node.value]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            inner = node.args
        texts = (ast.unparse(each) for each in inner)
        found += [t for t in texts if re.search(r"preset\w*\.(notes|title|name)$", t)]
    return found


def test_what_is_looked_for_is_found() -> None:
    text = """
"color" in preset.name
re.findall(r"_d", self.preset.name)
preset.notes.startswith("x")
found.preset.title[:3]
"""
    assert len(taken_apart(ast.parse(text))) == 4
    assert taken_apart(ast.parse("f'{preset.name}' == preset.name")) == []


def test_no_code_takes_a_name_or_a_note_apart() -> None:
    trees = sources()
    assert trees.keys() >= SHOWN_OR_KEPT
    assert {file: found for file, tree in trees.items() if (found := taken_apart(tree))} == {}
    for file, tree in trees.items():
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert "notes" not in names or file in SHOWN_OR_KEPT, file


def times() -> dict[tuple[str, IsingLayout, int], bool]:
    found = {}
    for name, layout in product(presets.preset_names("predecoder"), LAYOUTS):
        try:
            given = published(name, layout, 0.003)
        except ScenarioError:
            continue
        found[given.preset.source, layout, round(given.window_ns)] = given.with_matching
    return found


def test_published_times_do_not_hang_on_names_and_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = times()
    assert len(before) > 8
    assert set(before.values()) == {False, True}
    shutil.copytree(PACKAGE / "presets", tmp_path, dirs_exist_ok=True)
    for number, file in enumerate(sorted((tmp_path / "predecoder").glob("*.toml"))):
        text = re.sub(r'(?m)^(title|notes) = ".*"$', r'\1 = "words"', file.read_text())
        file.write_text(text)
        file.rename(file.with_name(f"p{number}.toml"))
    monkeypatch.setattr(presets, "library", lambda: tmp_path)
    assert times() == before
