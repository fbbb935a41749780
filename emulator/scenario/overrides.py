"""Values given on the command line: ``--set a.b=c``."""

import tomllib
from collections.abc import Sequence
from typing import Any

from emulator.errors import ScenarioError
from emulator.scenario.checks import KeyPath
from emulator.scenario.toml_text import BoundsError, read_toml

__all__ = ["parse_overrides"]


def parse_overrides(overrides: Sequence[str]) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Read ``key=value`` texts as tables, and by key path the text each value was given in.

    A value is TOML, or else plain text: ``run.shots=10``, ``link.up.rate=100 Gbit/s``. ``link.x``
    stands for both ``link.up.x`` and ``link.down.x``. The last of several for one key counts.
    Raises ScenarioError with a line for each text that is no ``key=value``.
    """
    tables: dict[str, Any] = {}
    texts: dict[KeyPath, str] = {}
    wrong = []
    for text in overrides:
        key, equals, raw = text.partition("=")
        path = _key_path(key) if equals else None
        if path is None:
            wrong.append(f"--set {text}: is no key=value; write e.g. --set run.shots=100")
            continue
        try:
            value = _value(raw)
        except BoundsError as error:
            wrong.append(f"--set {key}: {error}")
            continue
        for target in _directions(path):
            _put(tables, target, value)
            texts[target] = text
    if wrong:
        raise ScenarioError("\n".join(wrong))
    return tables, texts


def _key_path(key: str) -> KeyPath | None:
    """Read a key as TOML does, quotes included; None if it is no key."""
    try:
        table: Any = read_toml(f"{key.strip()} = 0")
    except (tomllib.TOMLDecodeError, BoundsError):
        return None
    path = []
    while isinstance(table, dict):
        [(part, table)] = table.items()
        path.append(part)
    return tuple(path)


def _value(raw: str) -> object:
    try:
        table = read_toml(f"value = {raw.strip()}")
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
