"""Every way a command can end: never code 0 or 1 by accident, never a traceback unasked."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer

from emulator import cli
from emulator.cli import app
from emulator.cli.ending import INTERNAL, INTERRUPTED, PIPE_CLOSED, USAGE
from emulator.errors import MissingToolError, PluginError, ScenarioError

Verb = Callable[[Callable[[], object]], None]

PROGRAM = "import sys; from emulator.cli import entry; sys.exit(entry())"


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Replace all verbs by one named ``try``."""

    def install(function: Callable[[], object]) -> None:
        application = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        application.callback()(lambda: None)
        application.command("try")(app._carried(function))
        monkeypatch.setattr(app, "build", lambda: application)

    return install


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that tracebacks are kept in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class Panic(BaseException):
    """As a Rust library raises it: no Exception."""


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def deep() -> None:
    deep()


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ScenarioError("a: b\nc: d"), 2, ["error: a: b", "error: c: d"]),
        (MissingToolError("no tool"), 3, ["error: no tool"]),
        (OSError(28, "No space left on device", "out.json"), 2, ["error: out.json: No space left"]),
        (PermissionError(13, "Permission denied", "x"), 2, ["error: x: Permission denied"]),
        (KeyboardInterrupt(), INTERRUPTED, ["error: interrupted; no file is left half-written"]),
    ],
)
def test_what_was_foreseen_is_a_sentence_and_a_code(
    *,
    error: BaseException,
    code: int,
    lines: list[str],
    verb: Verb,
    temporary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb(raising(error))
    assert cli.main(["try"]) == code
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == len(lines)
    assert all(line.startswith(start) for line, start in zip(shown, lines, strict=True))
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ZeroDivisionError("no\nway"), "internal failure, ZeroDivisionError: no; "),
        (RuntimeError("rounds vanished."), "internal failure, RuntimeError: rounds vanished; "),
        (PluginError("decoder x returned None"), "decoder x returned None; "),
        (
            BrokenPipeError(32, "Broken pipe"),
            "internal failure, BrokenPipeError: [Errno 32] Broken",
        ),
        (OSError(24, "Too many open files"), "internal failure, OSError: [Errno 24] Too many open"),
        (SystemExit(0), "code that was called ended the process with sys.exit(0); "),
        (SystemExit(None), "code that was called ended the process with sys.exit(None); "),
        (SystemExit("bye"), "code that was called ended the process with sys.exit('bye'); "),
        (typer.Exit(0), "internal failure, Exit: 0; "),
        (typer.Abort(), "internal failure, Abort; "),
        (EOFError(), "internal failure, EOFError; "),
        (Panic("rust"), "internal failure, Panic: rust; "),
        (GeneratorExit(), "internal failure, GeneratorExit; "),
        (MuteError(), "internal failure, MuteError; "),
        (MemoryError(), "out of memory"),
        (OSError(12, "Cannot allocate memory", "x"), "out of memory"),
        (ImportError("x.so: failed to map segment from shared object"), "out of memory"),
        (RuntimeError("std::bad_alloc"), "out of memory"),
    ],
)
def test_an_internal_failure_is_code_5_and_its_traceback_is_kept(
    error: BaseException,
    text: str,
    verb: Verb,
    temporary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb(raising(error))
    assert cli.main(["try"]) == INTERNAL
    [file] = temporary.iterdir()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {text}")
    assert line.endswith(f"; the traceback is in {file} (--debug prints it)")
    kept = file.read_text()
    assert kept.startswith("roundtrip try\nroundtrip-emulator ")
    assert "in fail" in kept
    assert type(error).__name__ in kept


def test_an_endless_recursion_is_an_internal_failure(
    verb: Verb, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(deep)
    assert cli.main(["try"]) == INTERNAL
    assert "internal failure, RecursionError: maximum recursion" in capsys.readouterr().err
    assert "more times" in next(temporary.iterdir()).read_text()


@pytest.mark.parametrize("arguments", [["--debug", "try"], ["try", "--debug"]])
def test_debug_prints_the_traceback_in_place_of_keeping_it(
    arguments: list[str], verb: Verb, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(ZeroDivisionError("no")))
    assert cli.main(arguments) == INTERNAL
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert shown.splitlines()[-1] == "error: internal failure, ZeroDivisionError: no"
    assert not list(temporary.iterdir())


def test_a_traceback_never_goes_to_the_working_folder_by_surprise(
    verb: Verb,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what Python takes when all else fails
    verb(raising(ZeroDivisionError("no")))
    assert cli.main(["try"]) == INTERNAL
    assert not list(tmp_path.iterdir())
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_verb_may_return_its_exit_code(verb: Verb) -> None:
    returned: int | None
    for returned in (1, 4, None):
        verb(lambda: returned)  # noqa: B023  (called at once)
        assert cli.main(["try"]) == (returned or 0)


@pytest.mark.parametrize("returned", [True, "0", [None], 0.0])
def test_a_verb_that_returns_something_else_has_no_verdict(
    returned: object, verb: Verb, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(lambda: returned)
    assert cli.main(["try"]) == INTERNAL
    assert repr(returned) in capsys.readouterr().err
    assert list(temporary.iterdir())


# -- interrupts ----------------------------------------------------------------------------------


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_second_interrupt_leaves_the_clean_up_in_peace(
    verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def work() -> None:
        try:
            press()
        finally:
            press()
            cleaned.append(True)

    verb(work)
    assert cli.main(["try"]) == INTERRUPTED
    assert cleaned == [True]
    assert capsys.readouterr().err == "error: interrupted; no file is left half-written\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_foreign_code_swallows_can_be_repeated(
    verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.cli.interrupts.GRACE_S", 0.0)

    def work() -> int:
        with contextlib.suppress(KeyboardInterrupt):
            press()
        press()
        return 0

    verb(work)
    assert cli.main(["try"]) == INTERRUPTED


def test_an_error_that_an_interrupt_was_turned_into_is_the_interrupt(
    verb: Verb, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        try:
            press()
        except KeyboardInterrupt:
            raise ImportError("numpy cannot be imported") from None

    verb(work)
    assert cli.main(["try"]) == INTERRUPTED
    assert capsys.readouterr().err == "error: interrupted; no file is left half-written\n"
    assert not list(temporary.iterdir())


def test_another_thread_and_another_handler_are_left_alone(verb: Verb) -> None:
    verb(lambda: 4)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(cli.main, ["try"]).result() == 4
    mine = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        verb(press)
        assert cli.main(["try"]) == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, mine)


def test_an_interrupt_while_modules_are_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def imports(_: str) -> object:
        press()
        raise AssertionError

    monkeypatch.setattr(app, "import_module", imports)
    assert cli.main(["schema"]) == INTERRUPTED
    assert capsys.readouterr().err == "error: interrupted; no file is left half-written\n"


# -- streams -------------------------------------------------------------------------------------


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which ``roundtrip`` is this checkout's."""
    root = str(Path(__file__).parents[2])
    start = f"roundtrip() {{ '{sys.executable}' -c '{PROGRAM}' \"$@\"; }}\n"
    return subprocess.run(
        ["bash", "-c", start + command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "code", "err"),
    [
        ("roundtrip schema | head -0; exit ${PIPESTATUS[0]}", PIPE_CLOSED, ""),
        (
            "roundtrip schema >&-",
            USAGE,
            "error: standard output is closed; send it to a file or to /dev/null\n",
        ),
        (
            "roundtrip schema >/dev/full",
            USAGE,
            "error: the output cannot be written: No space left on device\n",
        ),
        ("roundtrip no-verb 2>&-", USAGE, ""),
        ("roundtrip no-verb 2>/dev/full", USAGE, ""),
        ("roundtrip env <&- >/dev/null", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(command: str, code: int, err: str, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", err)
    assert not list(tmp_path.iterdir())


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    program = (
        "from emulator.cli import streams; import os; streams.prepare(); "
        "print(os.open(os.devnull, os.O_RDONLY) > 2)"
    )
    done = shell(f"'{sys.executable}' -c '{program}' <&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_reader_that_leaves_a_run_gets_no_verdict(recorded: Path, tmp_path: Path) -> None:
    done = shell(f"roundtrip run {recorded} | head -0; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (PIPE_CLOSED, "", "")


def test_foreign_code_may_close_standard_output(
    verb: Verb, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    verb(lambda: monkeypatch.setattr(sys, "stdout", stream))
    assert cli.main(["try"]) == USAGE
    assert capsys.readouterr().err.startswith("error: the output cannot be written: ")


def test_a_terminal_without_unicode_gets_plain_characters(recorded: Path, tmp_path: Path) -> None:
    plain = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "TERM": "dumb", "COLUMNS": "80"}
    done = shell(f"roundtrip run {recorded} --no-report", tmp_path, **plain)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert done.stdout.startswith("+ Budget met\n")
    assert "p99 5.04 us (-), limit 6.00 us" in done.stdout


def test_a_name_that_is_no_unicode_can_be_told(tmp_path: Path) -> None:
    done = shell("roundtrip run $'\\xff.toml'", tmp_path)
    assert done.returncode == USAGE
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("late", ["print('hook')", "raise SystemExit(0)", "sys.exit(1)"])
def test_what_foreign_code_leaves_for_the_end_is_done_and_changes_no_code(
    late: str,
) -> None:
    hook = f"import atexit, sys; atexit.register(lambda: exec({late!r}, {{'sys': sys}}))"
    start = [sys.executable, "-c", f"{hook}; {PROGRAM}", "no-verb"]
    done = subprocess.run(
        start,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == USAGE
    assert done.stdout == ("hook\n" if "hook" in late else "")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems differ")
def test_a_limit_of_memory_is_told(recorded: Path, tmp_path: Path) -> None:
    done = shell(f"ulimit -v 300000; roundtrip run {recorded}", tmp_path)
    assert done.returncode == INTERNAL
    assert "error: out of memory within the limit of 307 MB (ulimit -v); ask for" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()
