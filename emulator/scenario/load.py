"""From a scenario file to a resolved scenario: defaults, presets, file and command line merged."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emulator.errors import ScenarioError
from emulator.scenario.checks import ContradictionError, KeyPath, Mistake, Parts, contradictions
from emulator.scenario.files import locate_files
from emulator.scenario.layers import Layers, Origin, Table, leaves, sections
from emulator.scenario.lines import key_lines
from emulator.scenario.mistakes import mistakes_of
from emulator.scenario.overrides import as_table, parse_arguments, parse_overrides
from emulator.scenario.presets import PRESET_KINDS, Preset, read_preset
from emulator.scenario.scenario import Scenario, dump
from emulator.scenario.shipped import find_scenario

__all__ = ["Resolved", "load_scenario", "resolve"]

_AT_ONCE = {"kind": "constant", "value": "0 ps"}

_DEFAULTS: Table = {
    "qpu": {"readout": _AT_ONCE},
    "code": {"source": "generated"},
    "link": {"up": {"latency": _AT_ONCE}, "down": {"latency": _AT_ONCE}},
    "host": {"dispatch": _AT_ONCE},
}
"""Defaults that a higher layer may override in part; all others are in the models."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A scenario and, by dotted key of ``dump(scenario)``, where each of its values comes from."""

    scenario: Scenario
    origins: dict[str, Origin]
    path: Path | None = None


def load_scenario(
    path: Path | str, overrides: Sequence[str] = (), arguments: Mapping[str, object] | None = None
) -> Resolved:
    """Read the scenario file at ``path`` with ``overrides`` such as ``"run.shots=10"`` on top.

    ``path`` may also be the name of a scenario that comes along, such as ``"demo"``.
    ``arguments`` are overrides as values of Python, by dotted key: ``{"run.shots": 10}``. Raises
    ScenarioError with one line for each mistake of the file and of the overrides.
    """
    path = find_scenario(path)
    text = _read(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(_syntax(path, str(error))) from None
    return _Resolution(tables, overrides, arguments or {}, path, text).result()


def resolve(
    tables: Mapping[str, object],
    overrides: Sequence[str] = (),
    arguments: Mapping[str, object] | None = None,
) -> Resolved:
    """Do the same for tables that were not read from a file; paths are as seen from here."""
    return _Resolution(as_table(tables), overrides, arguments or {}, None, "").result()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{path}: there is no such scenario file; check the path") from None
    except IsADirectoryError:
        raise ScenarioError(f"{path}: is a folder; name a scenario file in it") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not a text file in UTF-8; save it as such") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None


def _syntax(path: Path, message: str) -> str:
    what, _, place = message.partition(" (at ")
    numbers = re.findall(r"\d+", place)
    line, column = (f":{numbers[0]}", f"column {numbers[1]}") if numbers else ("", "the end")
    return f"{path.name}{line}: is not valid TOML at {column}: {what[0].lower()}{what[1:]}"


class _Resolution:
    """One scenario on its way through the layers, with the mistakes found so far."""

    def __init__(
        self,
        tables: Table,
        overrides: Sequence[str],
        arguments: Mapping[str, object],
        path: Path | None,
        text: str,
    ) -> None:
        self.path = path
        self.name = path.name if path else "scenario"
        self.lines = key_lines(text)
        self.tables = tables
        self.given = [parse_overrides(overrides), parse_arguments(arguments)]
        self.layers = Layers()
        self.mistakes: list[Mistake] = []
        self.without_preset: list[KeyPath] = []

    def result(self) -> Resolved:
        self.layers.lay(_DEFAULTS, lambda _: Origin("default", "built-in"))
        self.layers.origins.clear()
        for kind in PRESET_KINDS:
            for section in sections(kind):
                self._lay_preset(kind, section)
        self.layers.lay(self.tables, self._file_origin)
        for given, origins in self.given:
            self.layers.lay(given, partial(_given_origin, origins))
        folder = self.path.parent if self.path else None
        self.mistakes += locate_files(self.layers.tables, folder)
        scenario = self._validated()
        if scenario is None or self.mistakes:
            raise ScenarioError(self._report())
        return Resolved(scenario, self._origins(scenario), self.path)

    def _report(self) -> str:
        """A line for each mistake: first those that are not in the file, then in its order."""
        lines = []
        for mistake in self.mistakes:
            where = self._where(mistake.path)
            in_file = where.startswith(f"{self.name}:")
            order = self._line(mistake.path) if in_file else None
            lines.append((order or 0, f"{where}: {mistake}"))
        return "\n".join(line for _, line in sorted(lines, key=lambda numbered: numbered[0]))

    def _lay_preset(self, kind: str, section: KeyPath) -> None:
        name = _at(self.tables, (*section, "preset"))
        for given, _ in self.given:
            name = _at(given, (*section, "preset"), name)
        if not isinstance(name, str):
            return
        try:
            preset = read_preset(kind, name)
        except ScenarioError as error:
            self.mistakes.append(Mistake((*section, "preset"), str(error)))
            self.without_preset.append(section)
            return
        values: Table = preset.values
        for part in reversed(section):
            values = {part: values}
        self.layers.lay(values, lambda path: _preset_origin(preset, path[len(section) :]))

    def _file_origin(self, path: KeyPath) -> Origin:
        line = self._line(path)
        return Origin("file", self.name if line is None else f"{self.name}:{line}")

    def _line(self, path: KeyPath) -> int | None:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def _validated(self) -> Scenario | None:
        tables = self.layers.tables
        try:
            return Scenario.model_validate(tables)
        except ContradictionError as error:
            self.mistakes += error.mistakes
        except ValidationError as error:
            found = mistakes_of(error, Scenario, tables)
            unreadable = {mistake.path[0] for mistake in found}
            self.mistakes += [mistake for mistake in found if not self._preset_would_tell(mistake)]
            self.mistakes += contradictions(_readable(tables, unreadable), unreadable)
        return None

    def _preset_would_tell(self, mistake: Mistake) -> bool:
        """Whether a value is missing only because the preset that has it was misspelt."""
        absent = mistake.text.startswith("is missing")
        return absent and any(mistake.path[: len(s)] == s for s in self.without_preset)

    def _where(self, path: KeyPath) -> str:
        """Place to look at for a mistake: its value, or else the table that it belongs in."""
        plain = tuple(part.partition("[")[0] for part in path)
        for length in range(len(plain), 0, -1):
            key = plain[:length]
            origin = self.layers.origins.get(key)
            if origin is None and key in self.lines:
                return f"{self.name}:{self.lines[key]}"
            if origin is None and key == plain:
                origin = next(
                    (o for k, o in self.layers.origins.items() if k[:length] == key), None
                )
            if origin is not None:
                return f"preset {origin.where}" if origin.kind == "preset" else origin.where
        return self.name

    def _origins(self, scenario: Scenario) -> dict[str, Origin]:
        exact = dict(leaves(scenario.model_dump(exclude_none=True)))
        origins = {}
        for path, written in leaves(dump(scenario)):
            origin = self.layers.origins.get(path) or _default_origin(path, exact[path], written)
            origins[".".join(path)] = origin
        return origins


def _at(tables: object, path: KeyPath, default: object = None) -> object:
    for part in path:
        if not isinstance(tables, dict) or part not in tables:
            return default
        tables = tables[part]
    return tables


def _given_origin(origins: Mapping[KeyPath, Origin], path: KeyPath) -> Origin:
    """Origin of a value in an override: its own, or that of the table it was given in."""
    while path not in origins:
        path = path[:-1]
    return origins[path]


def _preset_origin(preset: Preset, path: KeyPath) -> Origin:
    source, confidence = preset.provenance(".".join(path))
    return Origin("preset", f"{preset.kind}/{preset.name}", source, confidence)


def _default_origin(path: KeyPath, value: object, written: object) -> Origin:
    """Defaults of physical quantities are assumptions; those of settings claim nothing."""
    quantity = isinstance(value, int | Fraction) and isinstance(written, str)
    cycles = path[0] == "fpga" and type(value) is int
    physical = (quantity or cycles or path[-1] == "loss") and path[-1] != "batch_timeout"
    return Origin("default", "built-in", confidence="assumed" if physical else None)


def _readable(tables: Table, unreadable: set[str]) -> Parts:
    """Read the tables that are right in themselves, to hold them against one another."""
    parts: dict[str, Any] = {}
    for name in Parts.names():
        field = Scenario.model_fields[name]
        if name in unreadable:
            continue
        if name in tables:
            adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
            parts[name] = adapter.validate_python(tables[name])
        else:
            parts[name] = field.default
    return Parts(**parts)
