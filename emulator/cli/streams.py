"""Standard output and error: open, able to print every character, and flushed in time."""

import codecs
import contextlib
import os
import select
import sys
import unicodedata
from typing import TextIO

from emulator.errors import RoundtripError

__all__ = ["OutputError", "abandon", "flush", "is_broken", "prepare", "write_error"]

# of the same width, so that tables stay aligned
_ASCII = {
    "✓": "+",
    "✗": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "─": "-",
    "━": "-",
    "…": "~",
    "µ": "u",
    "μ": "u",
    "·": ".",
    "×": "x",
    "≤": "<",
    "≥": ">",
    "σ": "s",
    "τ": "t",
}
_ERRORS = "emulator.ascii"


class OutputError(RoundtripError):
    """Standard output cannot take what was to be printed."""


def prepare() -> None:
    """Make the standard streams safe to print to.

    A character that a stream cannot encode becomes a plain one: µ becomes u. Raises OutputError
    when standard output is closed, before any work is done for nothing.
    """
    codecs.register_error(_ERRORS, _plain)
    closed = sys.stdout is None
    _open_missing()
    for stream in (sys.stdout, sys.stderr):
        # streams that tests and notebooks put in place are left as they are
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ERRORS)
    if closed:
        raise OutputError("standard output is closed; send it to a file or to /dev/null")


def flush() -> None:
    """Write out what was printed; OutputError or BrokenPipeError when it cannot be."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:  # ValueError: foreign code has closed it
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"the output cannot be written: {reason}") from error


def is_broken() -> bool:
    """Whether nobody reads standard output any more."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(number, 0)  # errors are reported without being asked for
    return bool(poll.poll(0))


def abandon() -> None:
    """Drop what is left for standard output, so that no later flush fails on it again."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def write_error(text: str) -> None:
    """Write to standard error; a failure to do so is ignored, as there is no place to report it."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201  (the end of the line for a message)


def _open_missing() -> None:
    """Put the null device where a standard stream is closed: a result file would take its number.

    Whatever prints to number 1 or 2, in whatever language, would then write into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = sys.stdout or _null()
    sys.stderr = sys.stderr or _null()


def _null() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  (for the whole process)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Stand-in for what cannot be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_plain_character(character) for character in found), error.end


def _plain_character(character: str) -> str:
    if character in _ASCII:
        return _ASCII[character]
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base or "?"
