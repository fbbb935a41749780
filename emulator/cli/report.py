"""``roundtrip report``: the HTML report of a run that has been done."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(
    folder: Annotated[Path, typer.Argument(help="Folder that roundtrip run has written.")],
    out: Annotated[Path | None, typer.Option(help="File; default <folder>/report.html.")] = None,
) -> int:
    """Print a run's verdict again and write its HTML report anew.

    Exit code as of roundtrip run: 0: the budget is met; 1: it is missed; 4: the run does not tell.
    """
    from rich.console import Console

    from emulator.cli.folder import backlog, exit_code, open_run
    from emulator.report import print_result, render_html
    from emulator.results import write_file

    run = open_run(folder, "backlog")
    file = out or folder / "report.html"
    write_file(file, render_html(run.result, run.tables["windows"], backlog(run)).encode())
    print_result(run.result, Console(highlight=False))
    typer.echo(f"Report: {file}")
    return exit_code(run.result.verdict.outcome)
