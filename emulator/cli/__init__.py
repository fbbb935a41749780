"""The command line: one module a verb, each of which reads, calls one function and writes.

A verb is a module of this package with a function ``command`` and its name in ``VERBS``. The
function may return an exit code: 0 budget met, 1 budget missed, 2 usage or scenario error, 3 a
tool is missing. Imports of the work itself stand inside the function, so that help stays quick.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from typer.exceptions import TyperException

from emulator.errors import RoundtripError

__all__ = ["VERBS", "app", "main"]

VERBS = (
    "run",
    "compare",
    "report",
    "trace",
    "profile",
    "presets",
    "schema",
    "env",
)
"""In the order of the work, which is the order of the help."""

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
PIPE_CLOSED = 141  # 128 + SIGPIPE

app = typer.Typer(
    name="roundtrip",
    help="Does this decoder, behind this link, keep up with this quantum processor?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for _verb in VERBS:
    app.command(_verb)(import_module(f"emulator.cli.{_verb}").command)


@app.callback(invoke_without_command=True)
def _verb_or_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a user's mistake is no traceback."""
    try:
        return _run(arguments)
    except RoundtripError as error:
        return _fail(str(error), error.exit_code)
    except TyperException as error:
        return _fail(f"{error.format_message()} (see roundtrip --help)", 2)
    except BrokenPipeError:
        return _pipe_closed()
    except OSError as error:
        return _fail(_sentence(error), 2)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, prog_name="roundtrip", standalone_mode=False)
    except SystemExit as stop:
        # typer turns a closed pipe into exit code 1, which here would mean a missed budget
        if isinstance(stop.__context__, OSError):
            raise stop.__context__ from None
        raise
    sys.stdout.flush()
    if code == INTERRUPTED:
        return _fail("interrupted; nothing was written", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int) -> int:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)  # noqa: T201  # the end of the line for a message
    return code


def _sentence(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _pipe_closed() -> int:
    """Leave quietly when the reader has: what is left in the buffer has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
