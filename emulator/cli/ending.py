"""How a command that fails ends: a sentence on standard error, the exit code, a traceback kept."""

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from emulator.cli import streams
from emulator.errors import RoundtripError

__all__ = ["INTERNAL", "INTERRUPTED", "PIPE_CLOSED", "USAGE", "end"]

USAGE = RoundtripError.exit_code
INTERNAL = 5
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
PIPE_CLOSED = 141  # 128 + SIGPIPE

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_NO_MEMORY = ("cannot allocate memory", "failed to map segment", "bad_alloc", "bad allocation")


def end(
    error: BaseException, arguments: Sequence[str], *, debug: bool, interrupted: bool = False
) -> int:
    """Tell why the command ``arguments`` ended with ``error``; return the exit code.

    With ``interrupted`` an unexpected error is taken for the consequence of the interrupt: many
    libraries turn a KeyboardInterrupt into an error of their own while they are imported.
    """
    from emulator.cli.app import VerbError

    if isinstance(error, VerbError):
        error = error.error
    if _reader_has_left(error):
        return PIPE_CLOSED
    try:
        streams.flush()  # what was printed precedes the message
    except (BrokenPipeError, streams.OutputError):
        streams.abandon()
    code, text = _told(error)
    if interrupted and code == INTERNAL:
        code, text = _told(KeyboardInterrupt())
    if code == INTERNAL:
        text += _kept(error, arguments, debug=debug)
    for line in text.splitlines():
        streams.write_error(f"error: {line}")
    return code


def _reader_has_left(error: BaseException) -> bool:
    """Whether an error is that the other end of standard output is closed; drops the output then.

    Rich makes SystemExit(1) of it, which here would be a missed budget.
    """
    if isinstance(error, SystemExit):
        return isinstance(error.__context__, BrokenPipeError)
    if not isinstance(error, BrokenPipeError) or not streams.is_broken():
        return False
    streams.abandon()
    return True


def _told(error: BaseException) -> tuple[int, str]:
    """Exit code and sentence of an error; one that nobody foresaw is an internal failure."""
    if isinstance(error, RoundtripError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; no file is left half-written"
    if _is_usage(error):
        return USAGE, f"{error.format_message()} (see roundtrip --help)"  # type: ignore[attr-defined]
    if isinstance(error, OSError) and not _is_memory(error):
        if error.filename:
            return USAGE, f"{error.filename}: {error.strerror or error}"
        if error.errno in _FULL:
            return USAGE, f"the output cannot be written: {error.strerror}"
    return INTERNAL, _internal(error)


def _internal(error: BaseException) -> str:
    if _is_memory(error):
        return (
            f"out of memory{_limit()}; ask for less at a time (run.shots, run.chunk_shots) or give "
            "the process more"
        )
    if isinstance(error, SystemExit):
        return f"code that was called ended the process with sys.exit({error.code!r})"
    return f"internal failure, {_in_a_line(error)}"


def _is_usage(error: BaseException) -> bool:
    typer = sys.modules.get("typer.exceptions")
    return typer is not None and isinstance(error, typer.TyperException)


def _is_memory(error: BaseException) -> bool:
    """Whether memory ran out, which not every library says with a MemoryError."""
    for cause in _causes(error):
        if isinstance(cause, MemoryError):
            return True
        if isinstance(cause, OSError) and cause.errno == errno.ENOMEM:
            return True
        if isinstance(cause, ImportError | RuntimeError | OSError):
            text = _text(cause).lower()
            if any(words in text for words in _NO_MEMORY):
                return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        following = error.__cause__ or error.__context__
        if following is None:
            return
        error = following


def _limit() -> str:
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, OSError):
        return ""
    if limit == resource.RLIM_INFINITY:
        return ""
    return f" within the limit of {limit / 1e6:,.0f} MB (ulimit -v)"


def _in_a_line(error: BaseException) -> str:
    lines = _text(error).splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0].rstrip('.')}" if lines else name


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _kept(error: BaseException, arguments: Sequence[str], *, debug: bool) -> str:
    """Print or keep the traceback; return what there is to say about it."""
    try:
        text = _traceback(error, arguments)
    except Exception:
        return "; its traceback could not be written"
    if not debug:
        file = _keep(text)
        if file is not None:
            return f"; the traceback is in {file} (--debug prints it)"
    streams.write_error(text)
    return ""


def _traceback(error: BaseException, arguments: Sequence[str]) -> str:
    from platform import platform, python_version

    from emulator.version import __version__

    head = (
        f"roundtrip {' '.join(arguments)}\n"
        f"roundtrip-emulator {__version__}, Python {python_version()}, {platform()}\n"
    )
    text = head + "".join(traceback.format_exception(error))
    for cause in _causes(error):
        traceback.clear_frames(cause.__traceback__)  # what they hold may be what fills the memory
    return text


def _keep(text: str) -> Path | None:
    """File of its own in the folder for temporary files that ``text`` is in; None without one."""
    try:
        folder = tempfile.gettempdir()
        # Python's last resort is the working folder, where nobody expects a file
        if Path(folder).resolve() == Path.cwd() and folder not in _temporary():
            return None
        number, name = tempfile.mkstemp(prefix="roundtrip-failure-", suffix=".txt", dir=folder)
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return None
    return Path(name)


def _temporary() -> list[str]:
    chosen = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    return [str(Path(place).absolute()) for place in (*chosen, "/tmp", "/var/tmp") if place]
