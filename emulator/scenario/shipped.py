"""Scenarios that come with the program, found by their names."""

from pathlib import Path

from emulator import resources
from emulator.errors import ScenarioError
from emulator.scenario.mistakes import suggestion

__all__ = ["find_scenario", "scenario_names"]


def scenario_names() -> tuple[str, ...]:
    """Names that `find_scenario` knows, sorted."""
    return tuple(sorted(file.stem for file in _folder().glob("*.toml")))


def find_scenario(scenario: Path | str) -> Path:
    """File of a scenario: the one at that path, else the one of that name that comes along.

    A path that leads nowhere is returned as it is where it cannot be a name. Raises ScenarioError
    for a name that does not exist, with the names that do.
    """
    path = Path(scenario)
    is_name = path.suffix == "" and len(path.parts) == 1 and path.name not in {"", ".."}
    if path.is_file() or not is_name:
        return path
    names = scenario_names()
    if path.name in names:
        return _folder() / f"{path.name}.toml"
    if path.exists():
        return path
    raise ScenarioError(
        f'"{path}" is neither a file nor a scenario that comes with Roundtrip; '
        f"{suggestion(path.name, names)}there are {', '.join(names)}"
    )


def _folder() -> Path:
    return resources.ROOT / "scenarios"
