"""``roundtrip presets``: what is in the preset library, with sources."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emulator.scenario import Preset

__all__ = ["command"]

WIDTH = 80
"""Of every line, whether a terminal, a file or a pipe takes it, but for longer single words."""


def _complete_kind(incomplete: str) -> list[str]:
    from emulator.scenario import PRESET_KINDS

    return [kind for kind in PRESET_KINDS if kind.startswith(incomplete)]


def _complete_name(context: typer.Context, incomplete: str) -> list[str]:
    from emulator.scenario import preset_names

    names = preset_names(context.params.get("kind") or "")
    return [name for name in names if name.startswith(incomplete)]


def command(
    kind: Annotated[
        str | None,
        typer.Argument(help="Only this kind, such as link.", autocompletion=_complete_kind),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(help="Show this preset with all values.", autocompletion=_complete_name),
    ] = None,
) -> None:
    """List the presets, or show one with the source of every value."""
    from emulator.errors import ScenarioError
    from emulator.scenario import PRESET_KINDS, preset_names, read_preset
    from emulator.scenario.mistakes import suggestion

    if kind is not None and kind not in PRESET_KINDS:
        hint = suggestion(kind, PRESET_KINDS)
        raise ScenarioError(
            f'"{kind}" is no kind of preset; {hint}there are {", ".join(PRESET_KINDS)}'
        )
    if kind is None:
        lines = [line for kind in PRESET_KINDS for line in _names(kind)]
        lines.append("roundtrip presets KIND has their figures, presets KIND NAME every value.")
    elif name is None:
        lines = [line for name in preset_names(kind) for line in _outline(read_preset(kind, name))]
    else:
        lines = _details(read_preset(kind, name))
    typer.echo("\n".join(lines))


def _names(kind: str) -> list[str]:
    """The presets of a kind by name and title, under its name."""
    from emulator.scenario import preset_names, read_preset

    return [
        kind,
        *(
            line
            for name in preset_names(kind)
            for line in _wrapped(read_preset(kind, name).title, f"  {name}", column=36)
        ),
        "",
    ]


def _outline(preset: "Preset") -> list[str]:
    """A preset in a few lines: title, key figures, and where they are from."""
    return [
        preset.name,
        *_wrapped(preset.title),
        *_wrapped(_figures(preset)),
        *_wrapped(f"{preset.confidence}: {preset.source}"),
        "",
    ]


def _details(preset: "Preset") -> list[str]:
    """Everything about a preset, each value with its source."""
    from emulator.scenario.layers import leaves
    from emulator.scenario.mistakes import in_toml

    facts = (f"{name} = {_fact(value)}" for name, value in preset.facts.items())
    lines = [f"{preset.kind}/{preset.name}"]
    for text in (preset.title, *facts, preset.notes):
        lines += _wrapped(text)
    lines.append("")
    for path, value in leaves(preset.values):
        key = ".".join(path)
        source, confidence = preset.provenance(key)
        text = str(value) if isinstance(value, list) else in_toml(value)
        lines += _wrapped(f"{key} = {text}", column=0)
        lines += _wrapped(f"{confidence}: {source}")
    return lines


def _wrapped(text: str, head: str = "", column: int = 4) -> list[str]:
    """Lines of ``text``, each in lines that fit, from ``column`` on, the first behind ``head``."""
    import textwrap

    indent = " " * max(column, 4)
    wrapped: list[str] = []
    for line in text.splitlines():
        wrapped += textwrap.wrap(
            line,
            WIDTH,
            initial_indent=indent if wrapped else f"{head:<{column}}",
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return wrapped


def _figures(preset: "Preset") -> str:
    """The first values of a preset in a line; a delay by its kind and typical time."""
    return ", ".join(f"{key} {_short(value)}" for key, value in list(preset.values.items())[:4])


def _short(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    typical = [value[key] for key in ("value", "median", "mean") if key in value]
    return " ".join([value.get("kind", "delay"), *typical])


def _fact(value: object) -> str:
    """Write a fact as the file does."""
    from emulator.scenario.mistakes import in_toml

    if not isinstance(value, dict):
        return in_toml(value)
    return f"{{ {', '.join(f'{key} = {in_toml(inner)}' for key, inner in value.items())} }}"
