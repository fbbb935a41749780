"""``roundtrip compare``: a scenario against itself with some values changed, on the same shots."""

from typing import TYPE_CHECKING, Annotated

import typer

from emulator.cli.options import NoPlugins, ScenarioFile, Set, refuse_plugins

if TYPE_CHECKING:
    from emulator.scenario import Scenario

__all__ = ["command"]


def command(
    scenario: ScenarioFile,
    against: Annotated[
        list[str],
        typer.Option(help="A value of the other arm, e.g. --against predecoder.kind=none."),
    ],
    overrides: Set = None,
    no_plugins: NoPlugins = False,
) -> None:
    """Run a scenario with and without a change, on the same shots.

    Prints speed, reaction time and logical errors of both side by side.
    """
    from rich.console import Console

    from emulator.cli.progress import progress_bar
    from emulator.report import print_comparison
    from emulator.results import Arm, compare
    from emulator.run import run_experiment
    from emulator.scenario import load_scenario

    common = overrides or []
    arms = [load_scenario(scenario, common), load_scenario(scenario, [*common, *against])]
    for arm in arms:
        refuse_plugins(arm.scenario, refuse=no_plugins)
    _check_paired(arms[0].scenario, arms[1].scenario)
    with progress_bar() as progress:
        run = run_experiment(arms[0], progress=progress)
        runs = (run, run_experiment(arms[1], like=run, progress=progress))
    first, second = (Arm(run.result, run.record, run.wrong) for run in runs)
    print_comparison(compare(first, second), ", ".join(against), Console(highlight=False))


def _check_paired(first: "Scenario", second: "Scenario") -> None:
    """Both arms must decode the same shots, or their errors could not be set against each other."""
    from emulator.errors import ScenarioError
    from emulator.run import different_shots

    different = different_shots(first, second)
    if different:
        raise ScenarioError(
            f"--against changes {' and '.join(different)}, but both arms must decode the same "
            "shots; change it for both with --set"
        )
