import errno
import json
from pathlib import Path

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


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    write_run(folder, RESULT, TABLES)
    assert read_run(folder).result == RESULT


@pytest.mark.parametrize("foreign", ["notes.txt", "result.json"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).write_text('{"mine": 1}')
    with pytest.raises(RoundtripError, match="is not empty and holds no previous run"):
        write_run(tmp_path, RESULT, TABLES)
    assert _contents(tmp_path) == {foreign: b'{"mine": 1}'}


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

    def fail(path: Path, data: bytes) -> int:
        if path.name != "late.html":
            with path.open("wb") as file:
                return file.write(data)
        raise failure

    monkeypatch.setattr(Path, "write_bytes", fail)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else RoundtripError
    with pytest.raises(expected):
        write_run(folder, RESULT, TABLES, {"late.html": "x"})
    assert [path.name for path in tmp_path.iterdir()] == (["run"] if previous else [])
    assert before is None or _contents(folder) == before


def test_a_failed_swap_restores_the_previous_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    write_run(folder, RESULT, TABLES)
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError(errno.EIO, "broken disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RoundtripError, match="broken disk; free some space or choose another"):
        write_run(folder, OTHER, TABLES)
    assert read_run(folder).result == RESULT
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


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
