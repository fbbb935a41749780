import errno
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.errors import RoundtripError
from emulator.results import Budget, dumps
from emulator.results.store import check_place, read_run, write_file, write_run
from tests.results.made import judged
from tests.results.queue import ROUND_PS, run_of

RESULT = judged(run_of(np.full(20, ROUND_PS, dtype=np.int64)), Budget())
OTHER = RESULT.model_copy(update={"seed": 2})
WINDOWS = {
    "window": np.arange(3, dtype=np.int64),
    "applied_ps": np.array([5, 2**53 + 1, 2**62], dtype=np.int64),
}

TABLES = {"windows": WINDOWS, "backlog": {"time_ps": np.arange(2, dtype=np.int64)}}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_reads_back_to_the_picosecond(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    write_run(folder, RESULT, TABLES, {"report.html": "<p>µs</p>", "trace.bin": b"\x00\xff"})
    run = read_run(folder)
    assert run.result == RESULT
    assert list(run.tables["windows"]) == list(WINDOWS)
    for name, column in WINDOWS.items():
        assert run.tables["windows"][name].dtype == np.int64
        assert np.array_equal(run.tables["windows"][name], column)
    assert (folder / "report.html").read_text(encoding="utf-8") == "<p>µs</p>"
    assert (folder / "trace.bin").read_bytes() == b"\x00\xff"


def test_the_same_run_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / name, RESULT, TABLES)
    assert _contents(tmp_path / "a") == _contents(tmp_path / "b")


def test_a_previous_run_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, RESULT, TABLES, {"report.html": "old"})
    write_run(folder, OTHER, TABLES)
    assert sorted(_contents(folder)) == ["backlog.parquet", "result.json", "windows.parquet"]
    assert read_run(folder).result.seed == 2
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_not_roundtrips_stays(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    write_run(folder, RESULT, TABLES, {"report.html": "old"})
    elsewhere.write_text("far")
    (folder / "trace.pftrace").write_bytes(b"of the old run")
    (folder / "notes.txt").write_text("mine")
    (folder / "figures" / "deep").mkdir(parents=True)
    (folder / "figures" / "deep" / "a.svg").write_text("<svg/>")
    (folder / "link").symlink_to("../elsewhere")
    (folder / "dangling").symlink_to("nowhere")
    note = (folder / "notes.txt").stat()
    write_run(folder, OTHER, TABLES)
    names = {"notes.txt", "figures", "link", "dangling"}
    names |= {"result.json", "windows.parquet", "backlog.parquet"}
    assert {path.name for path in folder.iterdir()} == names
    assert read_run(folder).result.seed == 2
    after = (folder / "notes.txt").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (note.st_ino, note.st_mtime_ns, 1)
    assert (folder / "figures/deep/a.svg").read_text() == "<svg/>"
    assert (folder / "link").read_text() == "far"
    assert (folder / "dangling").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "elsewhere"}


def test_the_folder_itself_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a mount point, or the working folder of a shell."""
    write_run(tmp_path, RESULT, TABLES)
    before = tmp_path.stat().st_ino
    monkeypatch.chdir(tmp_path)
    check_place(Path())
    write_run(Path(), OTHER, TABLES)
    assert tmp_path.stat().st_ino == before
    assert read_run(Path()).result.seed == 2
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("at", ["result.json", "windows.parquet"])
@pytest.mark.parametrize("to", ["old", "run"])
@pytest.mark.parametrize("previous", [False, True])
def test_an_interrupt_between_two_renames_comes_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, at: str, to: str, previous: bool
) -> None:
    folder = tmp_path / "run"
    if previous:
        write_run(folder, RESULT, TABLES)
        (folder / "notes.txt").write_text("mine")
    replace, interrupts = Path.replace, []

    def interrupted(path: Path, target: Path) -> Path:
        replaced = replace(path, target)
        if path.name == at and target.parent.name == to:
            interrupts.append(path)
            signal.raise_signal(signal.SIGINT)
        return replaced

    monkeypatch.setattr(Path, "replace", interrupted)
    if to == "old" and not previous:
        write_run(folder, OTHER, TABLES)
        assert not interrupts  # nothing is moved away
    else:
        with pytest.raises(KeyboardInterrupt):
            write_run(folder, OTHER, TABLES)
        assert len(interrupts) == 1
    assert read_run(folder).result.seed == 2
    names = {"backlog.parquet", "result.json", "windows.parquet"}
    assert set(_contents(folder)) == names | ({"notes.txt"} if previous else set())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_no_result_stands_beside_files_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a process that is killed at any moment leave one."""
    folder = tmp_path / "run"
    write_run(folder, RESULT, TABLES, {"report.html": "old"})
    replace, seen = Path.replace, []

    def watched(path: Path, target: Path) -> Path:
        replaced = replace(path, target)
        seen.append((folder / "result.json").exists())
        return replaced

    monkeypatch.setattr(Path, "replace", watched)
    write_run(folder, OTHER, TABLES)
    assert seen == [False] * 6 + [True]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.results.test_store import OTHER, TABLES, write_run
replace, left = Path.replace, [int(sys.argv[2])]
def counted(path, target):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return replace(path, target)
Path.replace = counted
write_run(Path(sys.argv[1]), OTHER, TABLES)
"""


@pytest.mark.parametrize("moves", [0, 2, 5])
def test_a_process_killed_while_it_writes_is_no_obstacle(tmp_path: Path, moves: int) -> None:
    folder = tmp_path / "run"
    write_run(folder, RESULT, TABLES)
    (folder / "notes.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(moves)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(folder.glob(".roundtrip.*.new"))) == 1
    assert (folder / "result.json").exists() == (moves == 0)
    check_place(folder)
    write_run(folder, OTHER, TABLES)
    assert read_run(folder).result.seed == 2
    names = {"backlog.parquet", "notes.txt", "result.json", "windows.parquet"}
    assert {path.name for path in folder.iterdir()} == names


def test_drafts_of_processes_that_run_stay(tmp_path: Path) -> None:
    write_run(tmp_path, RESULT, TABLES)
    alive = {f".roundtrip.{os.getppid()}.new", f".report.html.{os.getppid()}.new"}
    dead = {".roundtrip.999999999.new", ".report.html.999999999.new"}
    foreign = {".other.999999999.new", ".roundtrip.new"}
    for name in alive | dead | foreign:
        if "report" in name:
            (tmp_path / name).write_text("<p>")
        else:
            (tmp_path / name / "new").mkdir(parents=True)
    write_run(tmp_path, OTHER, TABLES)
    names = {path.name for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert names == alive | foreign


def test_a_run_may_be_written_in_a_thread(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            pool.submit(write_run, tmp_path / "run", RESULT, TABLES).result()
    assert read_run(tmp_path / "run").result == RESULT


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_too_little_memory_for_polars_is_told_before_it_aborts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (700 << 20, 2**62))
    with pytest.raises(MemoryError, match="MB are left of the 805 MB needed"):
        write_run(tmp_path / "run", RESULT, TABLES)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    write_run(folder, RESULT, TABLES)
    assert read_run(folder).result == RESULT


@pytest.mark.parametrize(
    "names",
    [
        *(["notes.txt"], ["result.json"], ["report.html"], ["result.json", "notes.txt"]),
        *(["report.html", "trace.pftrace", "notes.txt"], [".other.1.new"]),
    ],
)
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(RoundtripError, match="is not empty and holds no previous run"):
        check_place(tmp_path)
    with pytest.raises(RoundtripError, match="is not empty and holds no previous run"):
        write_run(tmp_path, RESULT, TABLES)
    assert _contents(tmp_path) == dict.fromkeys(names, b'{"mine": 1}')


@pytest.mark.parametrize(
    "contents",
    [
        {"result.json": '{"schema_version": 1, "verdict": {}}', "notes.txt": "mine"},
        {"result.json": '{"schema_ver', "windows.parquet": "", "notes.txt": "mine"},
        {"result.json": '{"version": 0}', "report.html": ""},
        {"windows.parquet": "", "backlog.parquet": ""},
        {".roundtrip.999999999.new": "", "windows.parquet": "", "notes.txt": "mine"},
    ],
)
def test_a_run_of_another_version_or_a_damaged_one_is_replaced(
    tmp_path: Path, contents: dict[str, str]
) -> None:
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    check_place(tmp_path)
    write_run(tmp_path, RESULT, TABLES)
    names = {"backlog.parquet", "result.json", "windows.parquet"} | ({"notes.txt"} & set(contents))
    assert set(_contents(tmp_path)) == names
    assert read_run(tmp_path).result == RESULT


def test_a_result_that_nothing_can_read_is_left_alone(tmp_path: Path) -> None:
    for content in ("[" * 100_000, "{", "[]", '{"verdict": "good"}'):
        (tmp_path / "result.json").write_text(content)
        with pytest.raises(RoundtripError, match="holds no previous run"):
            check_place(tmp_path)


def test_a_folder_by_the_name_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    write_run(tmp_path, RESULT, TABLES)
    (tmp_path / "trace.pftrace").mkdir()
    with pytest.raises(RoundtripError, match=r'trace.pftrace" is a folder where a file of'):
        check_place(tmp_path)


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.write_text("mine")
    with pytest.raises(RoundtripError, match="is a file; choose a folder"):
        write_run(place, RESULT, TABLES)
    with pytest.raises(RoundtripError, match="cannot write to"):
        write_run(place / "below", RESULT, TABLES)
    assert place.read_text() == "mine"


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("previous", [False, True])
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, previous: bool
) -> None:
    folder = tmp_path / "run"
    if previous:
        write_run(folder, RESULT, TABLES, {"report.html": "old"})
    before = _contents(folder) if previous else None
    place = folder if previous else folder / "below"

    def fail(path: Path, data: bytes) -> int:
        if path.name != "late.html":
            with path.open("wb") as file:
                return file.write(data)
        raise failure

    monkeypatch.setattr(Path, "write_bytes", fail)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else RoundtripError
    with pytest.raises(expected):
        write_run(place, OTHER, TABLES, {"late.html": "x"})
    assert [path.name for path in tmp_path.iterdir()] == (["run"] if previous else [])
    assert before is None or _contents(folder) == before


@pytest.mark.parametrize("moves", range(6))
@pytest.mark.parametrize("previous", [False, True])
def test_a_failed_move_restores_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, previous: bool
) -> None:
    folder = tmp_path / "run"
    if previous:
        write_run(folder, RESULT, TABLES)
    before = _contents(folder) if previous else None
    replace, left = Path.replace, [moves if previous else moves // 2]

    def fail(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(errno.EIO, "broken disk")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RoundtripError, match="broken disk; choose another place"):
        write_run(folder, OTHER, TABLES)
    assert [path.name for path in tmp_path.iterdir()] == (["run"] if previous else [])
    assert before is None or _contents(folder) == before


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "free some space or choose another place"),
        (errno.EDQUOT, "free some space or choose another place"),
        (errno.EACCES, "choose a folder that may be written"),
        (errno.EROFS, "choose a folder that may be written"),
        (errno.ENAMETOOLONG, "choose another place"),
    ],
)
def test_the_fix_fits_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    """And it is the folder itself that is tried, not the one above."""
    write_run(tmp_path, RESULT, TABLES)
    tried: list[Path] = []

    def fail(*, dir: Path) -> Any:  # noqa: A002 - the argument of the standard library
        tried.append(dir)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(RoundtripError) as refused:
        check_place(tmp_path)
    assert str(refused.value) == f'cannot write to "{tmp_path}": {os.strerror(number)}; {fix}.'
    with pytest.raises(RoundtripError):
        check_place(tmp_path / "deep/below")
    assert tried == [tmp_path, tmp_path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, RESULT, TABLES)
    folder.chmod(0o500)
    with pytest.raises(RoundtripError, match=r'write to ".*run".*; choose a folder that may be'):
        check_place(folder)
    folder.chmod(0o700)


def test_picoseconds_are_int64_and_names_are_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="applied_ps is float64"):
        write_run(tmp_path / "run", RESULT, {"windows": {"applied_ps": np.zeros(2)}})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="must not contain a folder"):
        write_run(tmp_path / "run", RESULT, TABLES, {"../x": "y"})
    assert not any(tmp_path.iterdir())


def test_what_is_no_run_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(RoundtripError, match=r"not the folder of a run, it has no result.json"):
        read_run(tmp_path)
    (tmp_path / "result.json").write_text(dumps(RESULT))
    with pytest.raises(RoundtripError, match=r"it has no windows.parquet"):
        read_run(tmp_path)
    (tmp_path / "windows.parquet").write_bytes(b"not parquet")
    with pytest.raises(RoundtripError, match="cannot be read"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 1}, "schema version 1, and this program reads 2; run it again"),
        ({"schema_version": 3}, "schema version 3, .* update Roundtrip or run it again"),
        ({"schema_version": None}, "states no schema version"),
        ({"schema_version": True}, "states no schema version"),
        ({"seed": "many"}, r"cannot be read \(seed: .*\); run it again"),
        ({"colour": "red"}, r"cannot be read \(colour: "),
    ],
)
def test_another_version_of_a_result_is_refused_by_name(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_run(tmp_path / "run", RESULT, TABLES)
    text = json.dumps({**json.loads(dumps(RESULT)), **change})
    (tmp_path / "run" / "result.json").write_text(text)
    with pytest.raises(RoundtripError, match=message):
        read_run(tmp_path / "run")
    (tmp_path / "run" / "result.json").write_text("[1, 2]")
    with pytest.raises(RoundtripError, match="no result of a run"):
        read_run(tmp_path / "run")


def test_a_place_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    check_place(tmp_path / "new" / "run")
    assert not any(tmp_path.iterdir())
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RoundtripError, match="holds no previous run"):
        check_place(tmp_path)
    with pytest.raises(RoundtripError, match=r"notes.txt/run"):
        check_place(tmp_path / "notes.txt" / "run")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"1")
    write_file(tmp_path / "a", b"2")
    assert _contents(tmp_path) == {"a": b"2"}
    with pytest.raises(RoundtripError, match=r'cannot write to ".*a/b"'):
        write_file(tmp_path / "a" / "b", b"3")
    assert _contents(tmp_path) == {"a": b"2"}
