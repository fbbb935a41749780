"""The shipped scenarios, run in this process with values of one's own on top."""

from pathlib import Path

from emulator.run import Experiment, run_experiment
from emulator.scenario import load_scenario

__all__ = ["experiment"]

FOLDER = Path(__file__).parents[2] / "scenarios"


def experiment(name: str, *overrides: str) -> Experiment:
    """Run ``scenarios/<name>.toml`` with ``overrides`` as given to ``--set``."""
    return run_experiment(load_scenario(FOLDER / f"{name}.toml", overrides))
