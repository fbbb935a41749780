"""``roundtrip schema``: the JSON schema of scenario files."""

import typer

__all__ = ["command"]


def command() -> None:
    """Print the JSON schema of scenario files, for editors and checks."""
    from emulator.scenario import schema_text

    typer.echo(schema_text(), nl=False)
