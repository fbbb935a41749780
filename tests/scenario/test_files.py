from pathlib import Path
from typing import Any

import pytest

from emulator import resources
from emulator.scenario.files import locate_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "beside").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "beside"


def test_every_key_of_every_source_is_looked_for(folder: Path) -> None:
    (folder / "there.b8").touch()
    code = {"detections": "there.b8", "observables": "o.b8", "model": "m.dem", "format": "b8"}
    found = locate_files({"code": code}, folder)
    assert [mistake.path for mistake in found] == [("code", "observables"), ("code", "model")]
    assert code["detections"] == str(folder / "there.b8")
    assert code["model"] == "m.dem"


def test_a_data_folder_must_be_one(folder: Path) -> None:
    (folder / "data").touch()
    [mistake] = locate_files({"code": {"folder": "data"}}, folder)
    assert mistake.text == (
        f'"data" is no folder: "{folder}/data" is a file; give the path of a folder'
    )
    Path("data").mkdir()
    assert locate_files({"code": {"folder": "data"}}, folder) == []


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "shots").mkdir()
    tables = {"code": {"circuit": ".", "detections": "shots"}}
    texts = [mistake.text for mistake in locate_files(tables, folder)]
    assert texts == [
        f'"." is a folder, "{folder}"; give the path of a file',
        f'"shots" is a folder, "{folder}/shots"; give the path of a file',
    ]


def test_a_missing_model_tells_which_there_are(folder: Path) -> None:
    tables = {"predecoder": {"kind": "onnx", "model": "models/pair_rule.onnx"}}
    [mistake] = locate_files(tables, folder)
    assert str(mistake).startswith(
        'predecoder.model: "models/pair_rule.onnx" does not exist: there is neither '
        f'"{folder}/models/pair_rule.onnx" nor "models/pair_rule.onnx"; '
        "correct the path or take a model that comes along: nano_d13_T104_X.onnx, "
    )


@pytest.mark.parametrize("name", ["{}", "models/{}", "../models/{}"])
def test_a_model_that_is_nowhere_else_is_the_one_that_comes_along(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "along" / "models").mkdir(parents=True)
    along = tmp_path / "along" / "models" / "small.onnx"
    along.touch()
    monkeypatch.setattr(resources, "ROOT", tmp_path / "along")
    stage = {"kind": "onnx", "model": name.format("small.onnx")}
    assert locate_files({"predecoder": stage}, folder) == []
    assert stage["model"] == str(along)
    for other in ("mine/small.onnx", str(folder / "models" / "small.onnx"), "large.onnx"):
        assert locate_files({"predecoder": {"kind": "onnx", "model": other}}, folder) != []
    own = folder / name.format("small.onnx")
    own.parent.mkdir(exist_ok=True)
    own.touch()
    stage = {"kind": "onnx", "model": name.format("small.onnx")}
    assert locate_files({"predecoder": stage}, folder) == []
    assert stage["model"] == str(own)


@pytest.mark.parametrize(
    ("stage", "needed"),
    [
        ({"kind": "none", "model": "x"}, False),
        ({"kind": "delay", "model": "x"}, False),
        ({"kind": "onnx", "model": "x"}, True),
        ({"kind": "onnx", "timing": "profile", "profile": "x"}, True),
        ({"kind": "onnx", "timing": "measured", "profile": "x"}, False),
        ({"timing": "profile", "profile": "x"}, False),
    ],
)
def test_what_a_predecoder_does_not_use_may_be_missing(
    folder: Path, stage: dict[str, Any], needed: bool
) -> None:
    assert bool(locate_files({"predecoder": stage}, folder)) is needed
    Path("x").touch()
    assert locate_files({"predecoder": stage}, folder) == []


def test_recordings_are_found_wherever_a_delay_is(folder: Path) -> None:
    (folder / "a.csv").touch()
    delay = {"kind": "empirical", "file": "a.csv"}
    lost = {"kind": "empirical", "file": "b.csv"}
    parts = [{"weight": 1, "delay": delay}, {"weight": 1, "delay": lost}]
    tables = {"link": {"up": {"latency": {"kind": "mixture", "components": parts}}}}
    [mistake] = locate_files(tables, folder)
    assert mistake.path == ("link", "up", "latency", "components[1]", "delay", "file")
    assert delay["file"] == str(folder / "a.csv")


def test_without_a_scenario_file_there_is_one_place_to_look() -> None:
    [mistake] = locate_files({"code": {"circuit": "none.stim"}}, None)
    assert mistake.text == '"none.stim" does not exist: there is not "none.stim"; correct the path'


def test_values_that_are_no_paths_are_left_to_the_models(folder: Path) -> None:
    assert locate_files({"code": {"circuit": 3}, "decoder": 4, "predecoder": []}, folder) == []
