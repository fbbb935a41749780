"""The cache of compiled libraries, with a compiler that is a line of shell."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.build_cache import build_once, cache_folder, run_tool

# starts another program, as make starts the compiler, which says that it runs and works on
SLOW_TOOL = "sleep 1000 & echo $! > {pids}; wait"

BUILDER = """
import sys, time
from pathlib import Path
from emulator.build_cache import build_once

def build(draft):
    (draft / "half").touch()
    Path(sys.argv[2]).touch()
    time.sleep(1000)

build_once(Path(sys.argv[1]), "lib.so", build)
"""


def test_threads_that_want_the_same_build_it_once(tmp_path: Path) -> None:
    entry, built = tmp_path / "cache" / "lib-1", []
    started = threading.Barrier(4)

    def build(draft: Path) -> None:
        built.append(draft)
        time.sleep(0.05)
        (draft / "lib.so").write_text("whole")

    def want(_: int) -> str:
        started.wait()
        return build_once(entry, "lib.so", build).read_text()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(want, range(4))) == ["whole"] * 4
    assert len(built) == 1
    assert [path.name for path in entry.iterdir()] == ["lib.so"]


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "lib-1"

    def build(draft: Path) -> None:
        (draft / "lib.so").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_once(entry, "lib.so", build)
    assert not list(entry.iterdir())


def test_a_killed_builder_neither_blocks_nor_breaks_the_next(tmp_path: Path) -> None:
    entry, begun = tmp_path / "lib-1", tmp_path / "begun"
    process = subprocess.Popen([sys.executable, "-c", BUILDER, str(entry), str(begun)])
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert len(list(entry.iterdir())) == 1  # what it had begun

    def build(draft: Path) -> None:
        assert not list(draft.iterdir())
        (draft / "lib.so").write_text("whole")

    assert build_once(entry, "lib.so", build).read_text() == "whole"
    assert [path.name for path in entry.iterdir()] == ["lib.so"]


def test_without_locks_the_first_to_end_is_taken_and_nobody_is_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    def slow(draft: Path) -> None:
        (draft / "model").mkdir()
        (draft / "model/who").write_text("slow")
        build_once(entry, "model", fast)
        assert (draft / "model/who").exists()

    def fast(draft: Path) -> None:
        (draft / "model").mkdir()
        (draft / "model/who").write_text("fast")

    monkeypatch.setattr("fcntl.flock", refuse)
    entry = tmp_path / "lib-1"
    assert (build_once(entry, "model", slow) / "who").read_text() == "fast"
    assert [path.name for path in entry.iterdir()] == ["model"]


def test_an_interrupt_ends_the_programs_that_a_tool_has_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def press() -> None:
        while not (pids.exists() and pids.read_text().strip()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run_tool(["sh", "-c", SLOW_TOOL.format(pids=pids)], os.environ)
    presser.join()
    status = Path("/proc") / pids.read_text().strip() / "stat"
    # gone, or dead and not yet collected by whoever inherited it
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_what_a_tool_prints_comes_back() -> None:
    done = run_tool(["sh", "-c", "echo out; printf '\\377' >&2; exit 3"], os.environ)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "\ufffd")


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROUNDTRIP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/roundtrip")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "roundtrip"
