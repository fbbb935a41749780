"""Values laid over a scenario: ``--set a.b=c`` of the command line, arguments of a call."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from emulator.errors import ScenarioError
from emulator.scenario.checks import KeyPath
from emulator.scenario.layers import Origin

__all__ = ["as_table", "parse_arguments", "parse_overrides"]


def parse_overrides(overrides: Sequence[str]) -> tuple[dict[str, Any], dict[KeyPath, Origin]]:
    """Read ``key=value`` texts as tables, and by key path the origin of each value.

    A value is TOML, or else plain text: ``run.shots=10``, ``link.up.rate=100 Gbit/s``. ``link.x``
    stands for both ``link.up.x`` and ``link.down.x``. The last of several for one key counts.
    Raises ScenarioError with a line for each text that is no ``key=value``.
    """
    tables: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    wrong = []
    for text in overrides:
        key, equals, raw = text.partition("=")
        path = _key_path(key) if equals else None
        if path is None:
            wrong.append(f"--set {text}: is no key=value; write e.g. --set run.shots=100")
            continue
        for target in _directions(path):
            _put(tables, target, _value(raw))
            origins[target] = Origin("command line", f"--set {text}")
    if wrong:
        raise ScenarioError("\n".join(wrong))
    return tables, origins


def parse_arguments(
    arguments: Mapping[str, object],
) -> tuple[dict[str, Any], dict[KeyPath, Origin]]:
    """Read the arguments of a call as `parse_overrides` reads texts.

    Keys may be dotted; values are those of Python, a mapping standing for keys inside a table:
    ``{"link.up.rate": "100 Gbit/s", "run": {"shots": 10}}``. Raises ScenarioError with a line for
    each key that is none and each value that a scenario cannot hold.
    """
    tables: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    wrong: list[str] = []

    def lay(path: KeyPath, value: object, name: str) -> None:
        if not isinstance(value, Mapping):
            put(path, value, name)
            return
        for key, inner in value.items():
            lay((*path, str(key)), inner, f"{name}.{key}")

    def put(path: KeyPath, value: object, name: str) -> None:
        try:
            plain = _plain(value)
        except TypeError as error:
            wrong.append(f"argument {name}: {error}")
            return
        for target in _directions(path):
            _put(tables, target, plain)
            origins[target] = Origin("argument", f"argument {name}={value!r}")

    for key, value in arguments.items():
        path = _key_path(key)
        if path is None:
            wrong.append(f"argument {key}: is no key; write e.g. **{{'run.shots': 100}}")
        else:
            lay(path, value, key)
    if wrong:
        raise ScenarioError("\n".join(wrong))
    return tables, origins


def as_table(scenario: Mapping[str, object]) -> dict[str, Any]:
    """Copy the tables of a scenario given as values of Python; its keys are not dotted.

    Raises ScenarioError for a value that a scenario cannot hold.
    """
    try:
        table = _plain(scenario)
    except TypeError as error:
        raise ScenarioError(f"scenario: {error}") from None
    assert isinstance(table, dict)
    return table


def _plain(value: object) -> object:
    """Value as TOML has it; numbers of NumPy become those of Python, paths become text.

    None, which TOML has not, stays: the models take it for a value that is not set.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f'{key!r} is no key, which is text; write e.g. "{key}"')
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _plain(value.item())
    kind = type(value).__name__
    raise TypeError(f"{value!r} is a {kind}; write text, a number, true or false, or a table")


def _key_path(key: str) -> KeyPath | None:
    """Read a key as TOML does, quotes included; None if it is no key."""
    try:
        table: Any = tomllib.loads(f"{key.strip()} = 0")
    except tomllib.TOMLDecodeError:
        return None
    path = []
    while isinstance(table, dict):
        [(part, table)] = table.items()
        path.append(part)
    return tuple(path)


def _value(raw: str) -> object:
    try:
        table = tomllib.loads(f"value = {raw.strip()}")
    except tomllib.TOMLDecodeError:
        return raw.strip()
    return table["value"] if len(table) == 1 else raw.strip()


def _directions(path: KeyPath) -> tuple[KeyPath, ...]:
    if path[0] == "link" and len(path) > 1 and path[1] not in {"up", "down"}:
        return ("link", "up", *path[1:]), ("link", "down", *path[1:])
    return (path,)


def _put(tables: dict[str, Any], path: KeyPath, value: object) -> None:
    for part in path[:-1]:
        inner = tables.get(part)
        if not isinstance(inner, dict):
            inner = tables[part] = {}
        tables = inner
    tables[path[-1]] = value
