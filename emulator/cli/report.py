"""``roundtrip report``: the HTML report of a run that has been done."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(
    folder: Annotated[Path, typer.Argument(help="Folder that roundtrip run has written.")],
    out: Annotated[Path | None, typer.Option(help="File; default <folder>/report.html.")] = None,
) -> int:
    """Print a run's verdict again and write its HTML report anew."""
    import numpy as np
    from rich.console import Console

    from emulator.report import print_result, render_html
    from emulator.results import read_run, write_file

    run = read_run(folder)
    backlog = np.stack([run.tables["backlog"][name] for name in ("time_ps", "rounds")], axis=1)
    file = out or folder / "report.html"
    write_file(file, render_html(run.result, run.tables["windows"], backlog).encode())
    console = Console(highlight=False)
    print_result(run.result, console)
    console.print(f"Report: {file}", markup=False)
    return 0 if run.result["verdict"]["meets_budget"] else 1
