"""The preset library: TOML files of values, each with its source and how far to trust it."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from emulator.errors import ScenarioError
from emulator.scenario.delays import Confidence
from emulator.scenario.mistakes import suggestion

__all__ = ["PRESET_KINDS", "Preset", "library", "preset_names", "read_preset"]

PRESET_KINDS = ("qpu", "fpga", "link", "host", "predecoder", "decoder")
"""Tables of a scenario that take a preset; ``link`` stands for both directions."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Values for one table of a scenario, with where they are from.

    ``sources`` maps a key of ``values``, dotted if it is inside a delay, to its own ``source`` and
    ``confidence``; what is not listed there has those of the whole preset.
    """

    kind: str
    name: str
    title: str
    source: str
    confidence: Confidence
    notes: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    def provenance(self, key: str) -> tuple[str, Confidence]:
        """Source and confidence of a (dotted) key of ``values``."""
        while key:
            if key in self.sources:
                own = self.sources[key]
                return own.get("source", self.source), own.get("confidence", self.confidence)
            key = key.rpartition(".")[0]
        return self.source, self.confidence


def library() -> Traversable:
    """Folder of the presets: one folder a kind, one file a preset."""
    return files("emulator") / "presets"


def preset_names(kind: str) -> tuple[str, ...]:
    """Names of all presets of a kind, sorted; none for an unknown kind."""
    folder = library() / kind
    if not folder.is_dir():
        return ()
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def read_preset(kind: str, name: str) -> Preset:
    """Read one preset; ScenarioError, with the names there are, when it does not exist."""
    names = preset_names(kind)
    if name not in names:
        known = f"there are {', '.join(names)}" if names else f"there are none for {kind}"
        raise ScenarioError(f'"{name}" is no {kind} preset; {suggestion(name, names)}{known}')
    try:
        content = tomllib.loads((library() / kind / f"{name}.toml").read_text(encoding="utf-8"))
        return Preset(kind=kind, name=name, **content)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ScenarioError(f"preset {kind}/{name} cannot be read: {error}") from None
