from pathlib import Path

import pytest

from hdl.replay import SOURCES
from hdl.toolchain import run_bench


@pytest.mark.parametrize("data_w", [64, 512])
def test_frames_are_those_of_the_wire_room_in_the_promised_cycles(
    data_w: int, build_dir: Path
) -> None:
    passed = run_bench(
        "roce_tx",
        SOURCES,
        "hdl.tb.tb_roce_tx",
        {"DATA_W": data_w},
        build_dir=build_dir,
    )
    assert passed == 35
