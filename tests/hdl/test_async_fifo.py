from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_axis_async_fifo"
SOURCES = ["axis_async_fifo.v"]


@pytest.mark.parametrize(("data_w", "depth"), [(64, 8), (512, 16)])
def test_beats_cross_between_clocks(data_w: int, depth: int, build_dir: Path) -> None:
    parameters = {"DATA_W": data_w, "DEPTH": depth}
    passed = run_bench("axis_async_fifo", SOURCES, BENCH, parameters, build_dir=build_dir)
    assert passed == 48
