from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_axis_arbiter"
SOURCES = ["axis_arbiter.v", "axis_skid.v"]


@pytest.mark.parametrize(
    ("data_w", "ports", "frames"), [(64, 1, 2), (64, 3, 4), (512, 4, 16), (64, 32, 32)]
)
def test_frames_are_merged_in_the_order_they_came(
    data_w: int, ports: int, frames: int, build_dir: Path
) -> None:
    parameters = {"DATA_W": data_w, "PORTS": ports, "FRAMES": frames}
    passed = run_bench("axis_arbiter", SOURCES, BENCH, parameters, build_dir=build_dir)
    assert passed == 15


@pytest.mark.parametrize("frames", [1, 12])
def test_parameter_that_cannot_work_stops_elaboration(frames: int, build_dir: Path) -> None:
    with pytest.raises(AssertionError, match="bad_parameter_FRAMES"):
        run_bench("axis_arbiter", SOURCES, BENCH, {"FRAMES": frames}, build_dir=build_dir)
