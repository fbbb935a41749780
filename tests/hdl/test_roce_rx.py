from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_roce_rx"
SOURCES = ["roce_rx.v", "roce_rx_check.v", "roce_rx_buffer.v", "crc32_w64.v", "crc32_w512.v"]


@pytest.mark.parametrize(("data_w", "out_w"), [(64, 64), (64, 512), (512, 512)])
def test_good_frames_pass_and_bad_ones_are_counted(
    data_w: int, out_w: int, build_dir: Path
) -> None:
    parameters = {"DATA_W": data_w, "OUT_W": out_w}
    passed = run_bench("roce_rx", SOURCES, BENCH, parameters, build_dir=build_dir)
    assert passed == 47


@pytest.mark.parametrize(
    ("name", "value"), [("DATA_W", 128), ("KEEP_W", 7), ("OUT_W", 64), ("MAX_PAYLOAD", 5000)]
)
def test_parameter_that_cannot_work_stops_elaboration(
    name: str, value: int, build_dir: Path
) -> None:
    with pytest.raises(AssertionError, match=f"bad_parameter_{name}"):
        run_bench("roce_rx", SOURCES, BENCH, {name: value}, build_dir=build_dir)
