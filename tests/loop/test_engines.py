"""Which engine runs a loop, and the library of the compiled one: built once, kept, and refused."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest

from emulator.errors import MissingToolError, RoundtripError
from emulator.loop import native
from emulator.loop.compiled import run_compiled
from emulator.loop.config import LoopConfig
from emulator.loop.encoding import EngineRefusalError
from emulator.loop.engines import run_engine
from emulator.loop.native import FLAGS, SOURCE, build_library, engine_library, load_library
from emulator.units import Clock
from tests.loop.equality import assert_same_records
from tests.loop.test_oracle import BUS, loop

FINE = Clock(Fraction(322_265_625 * 10**20 + 1, 10**20))
"""A clock whose period in lowest terms takes more than 64 bits."""


def refused() -> LoopConfig:
    return loop(fpga=BUS.__class__(FINE, 22))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, of a process that has not loaded the library yet."""
    monkeypatch.setenv("ROUNDTRIP_CACHE", str(tmp_path / "cache"))
    engine_library.cache_clear()
    yield tmp_path / "cache"
    engine_library.cache_clear()


@pytest.fixture
def no_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not cache.exists()
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)


def test_the_compiled_engine_comes_first_and_both_can_be_asked_for() -> None:
    config = loop()
    records = {engine: run_engine(config, engine) for engine in ("auto", "compiled", "simpy")}
    assert [record.engine for record in records.values()] == ["compiled", "compiled", "simpy"]
    assert not any(record.engine_note for record in records.values())
    assert_same_records(records["simpy"], records["auto"])


def test_what_the_compiled_engine_refuses_simpy_runs() -> None:
    record = run_engine(refused())
    assert record.engine == "simpy"
    assert record.engine_note == (
        "the compiled engine cannot run this loop: it has a number of more than 64 bits; "
        "--engine simpy can"
    )
    with pytest.raises(EngineRefusalError, match="more than 64 bits") as caught:
        run_engine(refused(), "compiled")
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_simpy_runs_and_says_so() -> None:
    record = run_engine(loop())
    assert record.engine == "simpy"
    assert record.engine_note == (
        "no C++ compiler is on PATH (g++, clang++, c++); the compiled engine needs one: "
        "apt-get install g++, or set CXX."
    )
    with pytest.raises(MissingToolError, match=r"no C\+\+ compiler is on PATH") as caught:
        run_engine(loop(), "compiled")
    assert caught.value.exit_code == 3
    assert run_engine(loop(), "simpy").engine_note == ""


def test_the_compiler_is_the_one_that_was_asked_for(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no_such_compiler -O0")
    with pytest.raises(MissingToolError, match=r"\$CXX is no_such_compiler, which is not on PATH"):
        engine_library()
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RoundtripError, match=r"^false does not compile the event engine:"):
        engine_library()
    assert run_engine(loop()).engine_note.startswith("false does not compile")
    assert not list(cache.glob("*/*"))


def test_a_cache_that_cannot_be_written_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file, not a folder")
    monkeypatch.setenv("CXX", "true")
    with pytest.raises(RoundtripError, match="set ROUNDTRIP_CACHE to a folder that can be written"):
        engine_library()
    assert "cannot hold the compiled engine" in run_engine(loop()).engine_note


def test_a_library_that_is_none_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "true")  # compiles nothing, so that there is nothing to rename
    with pytest.raises(RoundtripError, match=r"cannot hold the compiled engine"):
        engine_library()
    text = cache / "engine.so"
    text.write_text("no library")
    with pytest.raises(RoundtripError, match=r"engine\.so is not the compiled engine .* delete it"):
        load_library(text)


def test_structures_that_differ_from_those_of_the_source_are_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path(engine_library()._name)
    monkeypatch.setattr(native, "_STRUCTURES", (*native._STRUCTURES[:-1], native.LawStruct))
    with pytest.raises(RuntimeError, match="declare different structures"):
        load_library(path)


def test_the_source_compiles_without_a_warning(tmp_path: Path) -> None:
    compiler = native._compiler()
    strict = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
    command = [*compiler, FLAGS[0], *strict, "-fsyntax-only", str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.iterdir())


CHECKED = """
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from emulator.loop import compiled, native
from tests.loop.equality import assert_engines_agree
from tests.loop.test_compiled import LONG, any_loops, long_loop
from tests.loop.test_oracle import CONFIGS

library = native.load_library(Path(sys.argv[1]))
compiled.engine_library = lambda: library
compiled.JOBS_AHEAD = 1 << 12
for make in CONFIGS.values():
    assert_engines_agree(make())
for parts in LONG.values():
    assert_engines_agree(long_loop(shots=60, **parts))


@seed(1)
@settings(max_examples=60, deadline=None, database=None, phases=(Phase.generate,),
          suppress_health_check=list(HealthCheck))
@given(any_loops())
def check(config):
    assert_engines_agree(config)


check()
print("agreed")
"""


@pytest.mark.slow
def test_the_engine_touches_no_memory_that_is_not_its_own(tmp_path: Path) -> None:
    """Runs under the address and the undefined-behaviour sanitizers of the compiler."""
    compiler = native._compiler()[0]
    library = tmp_path / "checked.so"
    try:
        build_library(library, ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"])
    except RoundtripError as error:
        pytest.skip(f"no sanitizers: {error}")
    found = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    environment = {
        **os.environ,
        "LD_PRELOAD": found.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHECKED, str(library)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "agreed"), done.stderr[-3000:]


def test_runs_of_several_threads_do_not_meet() -> None:
    config = loop(patches=3)
    alone = run_engine(config, "simpy")
    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(run_compiled, [config] * 8))
    for record in records:
        assert_same_records(alone, record)
