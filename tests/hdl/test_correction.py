from pathlib import Path

import pytest

from hdl.toolchain import run_bench
from tests.hdl.test_roce_rx import SOURCES

UNPACKER = ["correction_unpacker.v", "correction_unpacker_table.v"]


@pytest.mark.parametrize("data_w", [64, 512])
def test_responses_are_matched_timed_and_counted(data_w: int, build_dir: Path) -> None:
    passed = run_bench(
        "correction_unpacker",
        UNPACKER,
        "hdl.tb.tb_correction",
        {"DATA_W": data_w},
        build_dir=build_dir,
    )
    assert passed == 24


@pytest.mark.parametrize("data_w", [64, 512])
def test_correction_comes_at_most_ten_cycles_after_its_frame(data_w: int, build_dir: Path) -> None:
    passed = run_bench(
        "roce_rx_path",
        ["roce_rx_path.v", *UNPACKER, *SOURCES],
        "hdl.tb.tb_roce_rx_path",
        # every result that fits a frame
        {"DATA_W": data_w, "CORR_W": 8 * 232},
        build_dir=build_dir,
    )
    assert passed == 3


@pytest.mark.parametrize(("name", "value"), [("CORR_W", 12), ("TABLE_W", 9), ("TIME_W", 13)])
def test_parameter_that_cannot_work_stops_elaboration(
    name: str, value: int, build_dir: Path
) -> None:
    with pytest.raises(AssertionError, match=f"bad_parameter_{name}"):
        run_bench(
            "correction_unpacker",
            UNPACKER,
            "hdl.tb.tb_correction",
            {name: value},
            build_dir=build_dir,
        )
