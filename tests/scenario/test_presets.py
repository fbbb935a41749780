from pathlib import Path

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.presets import PRESET_KINDS, library, preset_names, read_preset
from emulator.scenario.sections import Decoder, Fpga, Host, Link, Predecoder, Qpu


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


def test_a_key_that_no_preset_has(preset_folder: Path) -> None:
    (preset_folder / "qpu" / "odd.toml").write_text(
        'title = "t"\nsource = "s"\nconfidence = "assumed"\nauthor = "a"\n'
    )
    with pytest.raises(ScenarioError, match=r"preset qpu/odd cannot be read: .*'author'"):
        read_preset("qpu", "odd")


def test_the_library_is_inside_the_package_and_every_kind_is_a_table() -> None:
    assert library().name == "presets"
    for model in (Qpu, Fpga, Link, Host, Predecoder, Decoder):
        assert model.__name__.lower() in PRESET_KINDS
        assert "preset" in model.model_fields
