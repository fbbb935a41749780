"""``roundtrip init``: a scenario to start from, with every key explained."""

from typing import Annotated

import typer

__all__ = ["command"]


def command(
    name: Annotated[str, typer.Argument(help="Name of the file; .toml is added.")] = "scenario",
) -> None:
    """Write a scenario to start from, with every key explained.

    A file that exists is never overwritten.
    """
    from importlib.resources import files
    from pathlib import Path

    from emulator.errors import RoundtripError

    file = Path(name if name.endswith(".toml") else f"{name}.toml")
    text = (files("emulator.cli") / "starter.toml").read_text(encoding="utf-8")
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text.format(file=file))
    except FileExistsError:
        raise RoundtripError(
            f'"{file}" exists already and stays as it is; give another name'
        ) from None
    except OSError as error:
        raise RoundtripError(f'"{file}" cannot be written: {error.strerror}') from None
    typer.echo(f"{file}: edit it, then roundtrip run {file}")
