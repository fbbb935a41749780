"""Options that several verbs have."""

from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emulator.scenario import Scenario

__all__ = ["NoPlugins", "ScenarioFile", "Set", "refuse_plugins"]


def _complete_scenario(incomplete: str) -> list[str]:
    """Scenarios that come along, and the files and folders here, that begin with what is typed."""
    from emulator.scenario import scenario_names

    names = [name for name in scenario_names() if name.startswith(incomplete)]
    files = [
        f"{path}/" if path.is_dir() else str(path)
        for path in sorted(Path().glob(f"{escape(incomplete)}*"))
        if path.is_dir() or path.suffix == ".toml"
    ]
    return names + files


ScenarioFile = Annotated[
    Path,
    typer.Argument(
        help="Scenario file (TOML), or the name of one that comes along, such as demo.",
        autocompletion=_complete_scenario,
    ),
]

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help='Override a value, e.g. --set link.up.rate="100 Gbit/s".'),
]

NoPlugins = Annotated[
    bool, typer.Option("--no-plugins", help='Refuse a scenario that runs code ("module:function").')
]


def refuse_plugins(scenario: "Scenario", *, refuse: bool) -> None:
    """Raise ScenarioError if a scenario names Python code to be run and ``refuse`` forbids it."""
    from emulator.errors import ScenarioError

    algorithm = scenario.decoder.algorithm
    if refuse and ":" in algorithm:
        raise ScenarioError(
            f'decoder.algorithm: "{algorithm}" runs code from outside Roundtrip, which '
            "--no-plugins refuses; name a decoder, or leave the option out if you trust the code"
        )
