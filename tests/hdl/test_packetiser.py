from pathlib import Path

import pytest

from hdl.toolchain import RTL, run_bench

BENCH = "hdl.tb.tb_packetiser"
SOURCES = sorted(path.name for path in RTL.glob("*.v"))


@pytest.mark.parametrize(("data_w", "in_w", "patches"), [(512, 32, 1), (64, 8, 3)])
def test_both_ways_keep_to_the_law(data_w: int, in_w: int, patches: int, build_dir: Path) -> None:
    # those of hdl.check, which then need no build of their own
    parameters = {"DATA_W": data_w, "IN_W": in_w, "PATCHES": patches, "DEPTH": 256, "TABLE_W": 8}
    passed = run_bench("packetiser_top", SOURCES, BENCH, parameters, build_dir=build_dir)
    assert passed == 26


def test_more_patches_than_it_has_inputs_for_stop_elaboration(build_dir: Path) -> None:
    with pytest.raises(AssertionError, match="bad_parameter_PATCHES"):
        run_bench("packetiser_top", SOURCES, BENCH, {"PATCHES": 33}, build_dir=build_dir)
