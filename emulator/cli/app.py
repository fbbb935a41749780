"""The verbs as one Typer application, and what a verb raises carried past Typer unchanged."""

import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from emulator.cli import DEBUG, VERBS
from emulator.memory import check_memory
from emulator.version import __version__

__all__ = ["VerbError", "build", "run"]


LIGHT = ("presets", "init", "schema", "env")
"""Verbs that need no numeric libraries."""
NEEDED_BYTES = 1 << 30
"""Address space that the libraries of the other verbs reserve on a small machine."""


class VerbError(Exception):
    """Carries what a verb raised: Typer gives some exceptions a meaning and a code of its own.

    Typer would make ``typer.Exit(0)`` of foreign code a success, and a closed pipe exit code 1.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(repr(error))
        self.error = error


def run(arguments: Sequence[str]) -> int:
    """Parse ``arguments``, run their verb and return its exit code.

    Raises VerbError with whatever the verb raised, TyperException for a usage error, and
    KeyboardInterrupt.
    """
    try:
        code = build()(list(arguments), prog_name="roundtrip", standalone_mode=False)
    except SystemExit as end:  # Typer's own, after a completion: a verb's would be a VerbError
        return 2 if end.code else 0
    if code is None:
        return 0
    if type(code) is not int:
        raise TypeError(f"a verb returned {code!r} in place of an exit code.")
    if code == 130:  # how Typer hands on an interrupt of its own work
        raise KeyboardInterrupt
    return code


def build() -> typer.Typer:
    """Make the application of all verbs."""
    application = typer.Typer(
        name="roundtrip",
        help="Does this decoder, behind this link, keep up with this quantum processor?",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    application.callback(invoke_without_command=True)(_verb_or_help)
    for verb in VERBS:
        command = import_module(f"emulator.cli.{verb}").command
        application.command(verb)(_carried(command, 0 if verb in LIGHT else NEEDED_BYTES))
    return application


def _verb_or_help(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Print the traceback of an internal failure; any place.")
    ] = False,
) -> None:
    del debug  # taken out before the arguments are parsed; here for the help
    if version:
        typer.echo(f"roundtrip {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _carried(command: Callable[..., Any], needed_bytes: int = 0) -> Callable[..., Any]:
    """Wrap a verb so that it first checks for memory, and fails with VerbError alone."""

    @functools.wraps(command)
    def carried(*values: Any, **named: Any) -> Any:
        try:
            check_memory(needed_bytes)
            return command(*values, **named)
        except BaseException as error:
            raise VerbError(error) from error

    return carried
