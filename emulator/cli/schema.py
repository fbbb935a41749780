"""``roundtrip schema``: the JSON schemas of scenario files and of results."""

from typing import Annotated, Literal

import typer

__all__ = ["command"]


def command(
    what: Annotated[
        Literal["scenario", "result"],
        typer.Argument(help="Files to describe: scenarios, or the result.json of a run."),
    ] = "scenario",
) -> None:
    """Print the JSON schema of scenario files, or of results."""
    if what == "result":
        from emulator.results import result_schema_text

        typer.echo(result_schema_text(), nl=False)
    else:
        from emulator.scenario import schema_text

        typer.echo(schema_text(), nl=False)
