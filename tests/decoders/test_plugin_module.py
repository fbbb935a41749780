import sys
from pathlib import Path

import pytest

from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.plugin_module import check_module, import_module
from emulator.errors import MissingToolError, ScenarioError


def write(folder: Path, name: str, value: int) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.py"
    file.write_text(f"VALUE = {value}\n")
    return file


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_module_beside_the_scenario_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "installed", "twice_there", 1)
    write(tmp_path / "beside", "twice_there", 2)
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    assert import_module("twice_there", tmp_path / "beside").VALUE == 2
    assert sys.path[-1] == str(tmp_path / "beside")
    check_module("twice_there", tmp_path / "beside")


def test_packages_and_folders_without_the_module(tmp_path: Path) -> None:
    write(tmp_path / "packed", "__init__", 3)
    write(tmp_path / "packed", "inner", 4)
    assert import_module("packed.inner", tmp_path).VALUE == 4
    assert import_module("json", tmp_path).loads("1") == 1
    with pytest.raises(ImportError):
        import_module("nowhere_at_all", tmp_path)


def test_one_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one", "of_one_name", 1)
    write(tmp_path / "two", "of_one_name", 2)
    import_module("of_one_name", tmp_path / "one")
    with pytest.raises(
        ScenarioError, match=r'"of_one_name" in .*two cannot be imported.*rename it'
    ):
        resolve_decoder("of_one_name:f", folder=tmp_path / "two")
    write(tmp_path, "json", 1)
    with pytest.raises(ScenarioError, match=r"json/__init__\.py has its name"):
        check_module("json", tmp_path)


def test_a_module_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="put it beside the scenario file, or its folder on"):
        resolve_decoder("nowhere_at_all:f", folder=tmp_path)
