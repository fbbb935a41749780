"""Options that several verbs have."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emulator.scenario import Scenario

__all__ = ["NoPlugins", "Set", "refuse_plugins"]

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
