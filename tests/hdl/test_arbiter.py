from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_axis_arbiter"
SOURCES = ["axis_arbiter.v", "axis_skid.v"]


@pytest.mark.parametrize(("data_w", "ports"), [(64, 1), (64, 3), (512, 4)])
def test_frames_are_merged_in_turns(data_w: int, ports: int, build_dir: Path) -> None:
    parameters = {"DATA_W": data_w, "PORTS": ports}
    passed = run_bench("axis_arbiter", SOURCES, BENCH, parameters, build_dir=build_dir)
    assert passed == 9
