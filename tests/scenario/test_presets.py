from pathlib import Path

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.presets import PRESET_KINDS, library, preset_names, read_preset
from emulator.scenario.sections import (
    DecoderSection,
    FpgaSection,
    HostSection,
    LinkSection,
    PredecoderSection,
    QpuSection,
)


def test_names_are_sorted_and_an_unknown_kind_has_none(preset_folder: Path) -> None:
    (preset_folder / "qpu" / "README.md").write_text("not a preset")
    assert preset_names("qpu") == ("fast", "slow")
    assert preset_names("host") == preset_names("cable") == ()


@pytest.mark.usefixtures("preset_folder")
def test_provenance_is_that_of_the_nearest_enclosing_key() -> None:
    preset = read_preset("qpu", "fast")
    assert preset.title == "A fast processor"
    assert preset.provenance("round_period") == ("arXiv 1", "published")
    assert preset.provenance("readout.median") == ("arXiv 2", "derived")
    assert preset.provenance("readout.sigma") == ("arXiv 1", "published")
    assert read_preset("link", "cable").provenance("latency.value") == ("data sheet", "derived")


@pytest.mark.usefixtures("preset_folder")
@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("qpu", "fats", '"fats" is no qpu preset; did you mean "fast"? there are fast, slow'),
        ("qpu", "../qpu/fast", '"../qpu/fast" is no qpu preset; there are fast, slow'),
        ("host", "x", '"x" is no host preset; there are none for host'),
        ("link", "broken", "preset link/broken cannot be read: Invalid value"),
    ],
)
def test_a_preset_that_cannot_be_read(kind: str, name: str, text: str) -> None:
    with pytest.raises(ScenarioError) as error:
        read_preset(kind, name)
    assert str(error.value).startswith(text)


HEAD = 'title = "t"\nsource = "s"\nconfidence = "assumed"\n'


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (HEAD + 'author = "a"\n', '"author" is no key of a preset; known are title, source,'),
        (HEAD + "round = 3\n", '"round" is no key of a preset; did you mean "rounds"?'),
        (HEAD + 'kind = "qpu"\n', '"kind" is no key of a preset'),
        (HEAD + 'name = "odd"\n', '"name" is no key of a preset'),
        (HEAD + 'distance = "13"\n', "distance: Input should be a valid integer"),
        (HEAD + "rounds = 0\n", "rounds: Input should be greater than or equal to 1"),
        (HEAD + "colour = 1\n", "colour: Input should be a valid boolean"),
        (HEAD + 'use_with = { cable = "x" }\n', "use_with.cable.[key]: Input should be"),
        (HEAD + '[sources.a]\nconfidence = "sure"\n', "sources.a.confidence: Input should be"),
        (HEAD + "[sources.a]\nyear = 2026\n", "sources.a.year: Extra inputs"),
        ('source = "s"\nconfidence = "assumed"\n', "title: Field required"),
    ],
)
def test_a_head_that_is_wrong(preset_folder: Path, head: str, sentence: str) -> None:
    (preset_folder / "qpu" / "odd.toml").write_text(head)
    with pytest.raises(ScenarioError) as error:
        read_preset("qpu", "odd")
    assert str(error.value).startswith(f"preset qpu/odd cannot be read: {sentence}")


def test_facts_are_those_that_the_file_states(preset_folder: Path) -> None:
    head = HEAD + 'colour = false\ndistance = 13\nuse_with = { host = "ideal" }\n'
    (preset_folder / "qpu" / "odd.toml").write_text(head)
    preset = read_preset("qpu", "odd")
    assert preset.facts == {"distance": 13, "colour": False, "use_with": {"host": "ideal"}}
    assert list(preset.facts) == ["distance", "colour", "use_with"]
    assert preset.includes_matching is None
    assert read_preset("qpu", "fast").facts == {}


def test_the_library_is_inside_the_package_and_every_kind_is_a_table() -> None:
    assert library().name == "presets"
    for model in (
        QpuSection,
        FpgaSection,
        LinkSection,
        HostSection,
        PredecoderSection,
        DecoderSection,
    ):
        assert model.__name__.removesuffix("Section").lower() in PRESET_KINDS
        assert "preset" in model.model_fields
