"""``roundtrip run``: one scenario from syndromes to verdict; the exit code is the verdict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emulator.cli.options import NoPlugins, ScenarioFile, Set, refuse_plugins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.results.store import Table
    from emulator.run import Experiment

__all__ = ["command"]


def command(
    scenario: ScenarioFile,
    *,
    overrides: Set = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; default runs/<scenario>.")
    ] = None,
    engine: Annotated[
        Literal["auto", "compiled", "simpy"],
        typer.Option(help="Event engine: the results are the same. auto: compiled, if it can be."),
    ] = "auto",
    seed: Annotated[int | None, typer.Option(help="Same as --set run.seed=N.")] = None,
    report: Annotated[
        bool, typer.Option(help="Write report.html, once the verdict is out.")
    ] = True,
    no_plugins: NoPlugins = False,
) -> int:
    """Run a scenario: print the verdict, write the folder of results.

    The folder has result.json, report.html, and the tables as Parquet files.
    Exit code 0: the budget is met; 1: it is missed; 4: the run does not tell.
    """
    from rich.console import Console

    from emulator.cli.folder import exit_code
    from emulator.cli.progress import progress_bar
    from emulator.cli.streams import write_error
    from emulator.report import print_result
    from emulator.results import check_place, write_run
    from emulator.run import run_experiment, run_tables
    from emulator.scenario import load_scenario

    extra = [] if seed is None else [f"run.seed={seed}"]
    resolved = load_scenario(scenario, [*(overrides or []), *extra])
    refuse_plugins(resolved.scenario, refuse=no_plugins)
    folder = out or Path("runs") / scenario.stem
    check_place(folder)
    with progress_bar() as progress:
        experiment = run_experiment(resolved, engine=engine, progress=progress)
    if experiment.record.engine_note:
        write_error(f"note: run by SimPy, the slower engine: {experiment.record.engine_note}")
    result, tables = experiment.result, run_tables(experiment)
    console = Console(highlight=False)
    try:
        write_run(folder, result, tables)
    except Exception:
        print_result(result, console)  # what a long run has found is not lost with its folder
        raise
    print_result(result, console)
    if report:
        _write_report(experiment, tables, folder / "report.html")
    return exit_code(result.verdict.outcome)


def _write_report(experiment: "Experiment", tables: "Mapping[str, Table]", file: Path) -> None:
    from emulator.report import render_html
    from emulator.results import write_file

    html = render_html(experiment.result, tables["windows"], experiment.record.backlog)
    write_file(file, html.encode())
    typer.echo(f"Report: {file}")
