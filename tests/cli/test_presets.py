from pathlib import Path

import pytest

from emulator.cli import main
from emulator.scenario import presets

CABLE = """\
title = "A [fast] cable"
source = "data sheet"
confidence = "measured"
notes = "One hop."
[values]
rate = "100 Gbit/s"
latency = { kind = "lognormal", median = "2 us", sigma = 0.1 }
[sources."latency.median"]
source = "arXiv 1"
confidence = "derived"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "cable.toml").write_text(CABLE)
    (tmp_path / "qpu").mkdir()
    (tmp_path / "qpu" / "fast.toml").write_text(
        CABLE.partition("[values]")[0].replace("A [fast] cable", "Quick")
        + '[values]\nround_period = "1 us"\n'
    )
    monkeypatch.setattr(presets, "library", lambda: tmp_path)


def rows(text: str) -> list[list[str]]:
    """Cells of the table that was printed, two or more blanks apart."""
    return [line.split("  ") for line in text.splitlines() if line.strip()]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in row if cell.strip()] for row in rows(text)]


def test_all_presets_in_the_order_of_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    head, _, *listed = cells(capsys.readouterr().out)
    assert head == ["preset", "title", "key figures", "confidence", "source"]
    assert listed == [
        ["qpu/fast", "Quick", "round_period 1 us", "measured", "data sheet"],
        [
            "link/cable",
            "A [fast] cable",
            "rate 100 Gbit/s, latency lognormal 2 us",
            "measured",
            "data sheet",
        ],
    ]


def test_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "link"]) == 0
    assert [row[0] for row in cells(capsys.readouterr().out)[2:]] == ["link/cable"]


def test_one_preset_with_the_source_of_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "link", "cable"]) == 0
    title, _, _, *listed = cells(capsys.readouterr().out)
    assert title == ["link/cable"]
    assert listed == [
        ["rate", '"100 Gbit/s"', "measured", "data sheet"],
        ["latency.kind", '"lognormal"', "measured", "data sheet"],
        ["latency.median", '"2 us"', "derived", "arXiv 1"],
        ["latency.sigma", "0.1", "measured", "data sheet"],
        ["A [fast] cable"],
        ["One hop."],
    ]


def test_the_facts_of_a_preset_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = 'rounds = 5\nincludes_dispatch = true\nuse_with = { host = "ideal" }\n'
    (tmp_path / "link" / "cable.toml").write_text(CABLE.replace("[values]", f"{facts}[values]"))
    assert main(["presets", "link", "cable"]) == 0
    shown = cells(capsys.readouterr().out)[-5:]
    assert shown == [
        ["A [fast] cable"],
        ["rounds = 5"],
        ["includes_dispatch = true"],
        ['use_with = { host = "ideal" }'],
        ["One hop."],
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["lnik"], '"lnik" is no kind of preset; did you mean "link"? there are qpu, fpga, '),
        (["link", "cabel"], '"cabel" is no link preset; did you mean "cable"? there are cable'),
    ],
)
def test_what_does_not_exist(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["presets", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"error: {text}")
