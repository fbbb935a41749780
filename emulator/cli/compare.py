"""``roundtrip compare``: a scenario against itself with some values changed, on the same shots."""

from pathlib import Path
from typing import Annotated

import typer

from emulator.cli.run import Set

__all__ = ["command"]


def command(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    against: Annotated[
        list[str],
        typer.Option(help="A value of the other arm, e.g. --against predecoder.kind=none."),
    ],
    overrides: Set = None,
) -> None:
    """Run both arms on the same shots and print speed, reaction time and logical errors."""
    from rich.console import Console

    from emulator.cli.progress import progress_bar
    from emulator.report import print_comparison
    from emulator.results import Arm, compare
    from emulator.run import run_experiment
    from emulator.scenario import load_scenario

    common = overrides or []
    arms = [load_scenario(scenario, common), load_scenario(scenario, [*common, *against])]
    with progress_bar() as progress:
        runs = [run_experiment(arm, progress=progress) for arm in arms]
    first, second = (Arm(run.result, run.record, run.answers.wrong) for run in runs)
    print_comparison(compare(first, second), ", ".join(against), Console(highlight=False))
