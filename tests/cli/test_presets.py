from pathlib import Path

import pytest

from emulator.cli import main
from emulator.scenario import PRESET_KINDS, preset_names, presets

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


LIBRARY = presets.library


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


def test_all_presets_in_the_order_of_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines[:-1] if line] == [
        "qpu",
        "  fast                              Quick",
        "fpga",
        "link",
        "  cable                             A [fast] cable",
        "host",
        "predecoder",
        "decoder",
    ]
    assert lines[-1].startswith("roundtrip presets KIND has their figures")


def test_one_kind_with_key_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "link"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "cable",
        "    A [fast] cable",
        "    rate 100 Gbit/s, latency lognormal 2 us",
        "    measured: data sheet",
        "",
    ]


def test_one_preset_with_the_source_of_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "link", "cable"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "link/cable",
        "    A [fast] cable",
        "    One hop.",
        "",
        'rate = "100 Gbit/s"',
        "    measured: data sheet",
        'latency.kind = "lognormal"',
        "    measured: data sheet",
        'latency.median = "2 us"',
        "    derived: arXiv 1",
        "latency.sigma = 0.1",
        "    measured: data sheet",
    ]


def test_the_facts_of_a_preset_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = 'rounds = 5\nincludes_dispatch = true\nuse_with = { host = "ideal" }\n'
    (tmp_path / "link" / "cable.toml").write_text(CABLE.replace("[values]", f"{facts}[values]"))
    assert main(["presets", "link", "cable"]) == 0
    assert capsys.readouterr().out.splitlines()[1:7] == [
        "    A [fast] cable",
        "    rounds = 5",
        "    includes_dispatch = true",
        '    use_with = { host = "ideal" }',
        "    One hop.",
        "",
    ]


def test_every_line_of_the_library_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(presets, "library", LIBRARY)
    views = [[], *([kind] for kind in PRESET_KINDS)]
    views += [[kind, name] for kind in PRESET_KINDS for name in preset_names(kind)]
    for view in views:
        assert main(["presets", *view]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 4
        assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == [], view


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
