from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_axis_skid"


@pytest.mark.parametrize("data_w", [64, 512])
def test_frames_pass_whole_and_in_time(data_w: int, build_dir: Path) -> None:
    passed = run_bench("axis_skid", ["axis_skid.v"], BENCH, {"DATA_W": data_w}, build_dir=build_dir)
    assert passed == 12
