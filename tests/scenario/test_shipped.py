from pathlib import Path

import pytest

from emulator import resources
from emulator.errors import ScenarioError
from emulator.scenario import find_scenario, load_scenario, scenario_names


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_names_are_those_of_the_files() -> None:
    files = (Path(__file__).parents[2] / "scenarios").glob("*.toml")
    assert scenario_names() == tuple(sorted(file.stem for file in files))


def test_a_name_is_found_from_anywhere() -> None:
    assert find_scenario("demo") == resources.ROOT / "scenarios" / "demo.toml"
    resolved = load_scenario("demo", ["run.shots=3"])
    assert resolved.scenario.run.shots == 3
    assert resolved.scenario.predecoder.model is not None
    assert resolved.scenario.predecoder.model.is_file()
    assert resolved.origins["qpu.preset"].where == "demo.toml:7"


def test_a_file_comes_before_a_name_and_a_folder_after_it(folder: Path) -> None:
    (folder / "demo").mkdir()
    (folder / "mine").mkdir()
    (folder / "overload").touch()
    assert find_scenario("demo") == resources.ROOT / "scenarios" / "demo.toml"
    assert find_scenario("overload") == Path("overload")
    assert find_scenario("mine") == Path("mine")  # refused as a folder when it is read


@pytest.mark.parametrize("path", ["demo.toml", "scenarios/demo", "./demo.toml", "..", ""])
def test_a_path_is_no_name(path: str) -> None:
    assert find_scenario(path) == Path(path)


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(ScenarioError) as error:
        find_scenario("dmeo")
    assert str(error.value).startswith(
        '"dmeo" is neither a file nor a scenario that comes with Roundtrip; did you mean "demo"? '
        "there are atoms_d5, "
    )
