from pathlib import Path

import pytest

from hdl.toolchain import run_bench

BENCH = "hdl.tb.tb_syndrome_packer"
SOURCES = [
    "syndrome_packer.v",
    "syndrome_packer_in.v",
    "syndrome_packer_out.v",
    "syndrome_packer_sparse.v",
    "axis_skid.v",
]

SIZES = pytest.mark.parametrize(("data_w", "in_w"), [(64, 8), (64, 64), (512, 32), (512, 256)])


@SIZES
def test_messages_are_the_requests_of_the_model(data_w: int, in_w: int, build_dir: Path) -> None:
    parameters = {"DATA_W": data_w, "IN_W": in_w}
    assert run_bench("syndrome_packer", SOURCES, BENCH, parameters, build_dir=build_dir) == 27


@SIZES
def test_few_ones_travel_as_indices(data_w: int, in_w: int, build_dir: Path) -> None:
    parameters = {"DATA_W": data_w, "IN_W": in_w}
    bench = f"{BENCH}_sparse"
    assert run_bench("syndrome_packer", SOURCES, bench, parameters, build_dir=build_dir) == 4
