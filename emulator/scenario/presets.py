"""The preset library: TOML files of values, each with its source and how far to trust it."""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from emulator.errors import ScenarioError
from emulator.scenario.codes import Count
from emulator.scenario.delays import Confidence
from emulator.scenario.mistakes import suggestion
from emulator.scenario.quantities import Section

__all__ = ["PRESET_KINDS", "Preset", "Provenance", "library", "preset_names", "read_preset"]

PRESET_KINDS = ("qpu", "fpga", "link", "host", "predecoder", "decoder")
"""Tables of a scenario that take a preset; ``link`` stands for both directions."""

Text = Annotated[str, Field(min_length=1)]


class Provenance(Section):
    """Where one value is from, and how far to trust it; what is left out is that of the preset."""

    source: str | None = None
    confidence: Confidence | None = None


class Preset(Section):
    """Values for one table of a scenario, with where they are from and the facts about them.

    ``sources`` maps a key of ``values``, dotted if it is inside a delay, to its own ``source`` and
    ``confidence``; what is not listed there has those of the whole preset. Programs read the facts
    and never the title, the notes or the name, which are for people.
    """

    kind: str
    name: str
    title: Text
    source: Text
    confidence: Confidence
    notes: str = ""

    distance: Count | None = None
    """Code distance that the figures hold for; left out where they hold for several."""
    rounds: Count | None = None
    """Rounds of the windows that the figures hold for; left out where they hold for several."""
    colour: StrictBool | None = None
    """Whether the figures are for a colour code."""
    includes_matching: StrictBool | None = None
    """Whether the time of a pre-decoder has the matching in it of what it leaves."""
    includes_dispatch: StrictBool | None = None
    """Whether the latency of a link has the dispatch on the host in it."""
    includes_fpga: StrictBool | None = None
    """Whether the latency of a link has the logic at the FPGA in it."""
    includes_link: StrictBool | None = None
    """Whether the time of a decoder has the way to it and back in it."""
    stands_in: StrictBool | None = None
    """Whether the decoder that answers is another one than the one that was timed."""
    use_with: dict[Literal["qpu", "fpga", "link", "host", "predecoder", "decoder"], Text] = Field(
        default_factory=dict
    )
    """Presets of other tables that this one was measured or fitted with, by kind."""

    values: dict[str, Any] = Field(default_factory=dict)
    sources: dict[str, Provenance] = Field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that the file states, by name."""
        return {name: getattr(self, name) for name in _FACTS if name in self.model_fields_set}

    def provenance(self, key: str) -> tuple[str, Confidence]:
        """Source and confidence of a (dotted) key of ``values``."""
        while key:
            if key in self.sources:
                own = self.sources[key]
                return own.source or self.source, own.confidence or self.confidence
            key = key.rpartition(".")[0]
        return self.source, self.confidence


_FACTS = (
    "distance",
    "rounds",
    "colour",
    "includes_matching",
    "includes_dispatch",
    "includes_fpga",
    "includes_link",
    "stands_in",
    "use_with",
)
_KEYS = tuple(name for name in Preset.model_fields if name not in {"kind", "name"})


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
        unknown = [_unknown(key) for key in content if key not in _KEYS]
        if unknown:
            raise ScenarioError("; ".join(unknown))
        return Preset.model_validate({**content, "kind": kind, "name": name})
    except ValidationError as error:
        found = "; ".join(_mistake(details) for details in error.errors(include_url=False))
        raise ScenarioError(f"preset {kind}/{name} cannot be read: {found}") from None
    except (tomllib.TOMLDecodeError, ScenarioError) as error:
        raise ScenarioError(f"preset {kind}/{name} cannot be read: {error}") from None


def _unknown(key: str) -> str:
    return f'"{key}" is no key of a preset; {suggestion(key, _KEYS)}known are {", ".join(_KEYS)}'


def _mistake(details: ErrorDetails) -> str:
    return f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}"
