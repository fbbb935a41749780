"""``roundtrip presets``: what is in the preset library, with sources."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from emulator.scenario import Preset

__all__ = ["command"]


def command(
    kind: Annotated[str | None, typer.Argument(help="Only this kind, such as link.")] = None,
    name: Annotated[str | None, typer.Argument(help="Show this preset with all values.")] = None,
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
    if kind is not None and name is not None:
        _print(_values(read_preset(kind, name)))
        return
    kinds = PRESET_KINDS if kind is None else (kind,)
    _print(_listing([read_preset(k, n) for k in kinds for n in preset_names(k)]))


def _print(table: "Table") -> None:
    """Fit the table to a terminal, and write it as wide as it needs to be into a file or pipe."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=1000)
    console.print(table)


def _listing(presets: "list[Preset]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table("preset", "title", "key figures", "confidence", "source", box=box.SIMPLE)
    for preset in presets:
        table.add_row(
            f"{preset.kind}/{preset.name}",
            preset.title,
            _figures(preset),
            preset.confidence,
            preset.source,
        )
    return table


def _figures(preset: "Preset") -> str:
    """The first values of a preset in a line; a delay by its kind and typical time."""
    return ", ".join(f"{key} {_short(value)}" for key, value in list(preset.values.items())[:4])


def _short(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    typical = [value[key] for key in ("value", "median", "mean") if key in value]
    return " ".join([value.get("kind", "delay"), *typical])


def _values(preset: "Preset") -> "Table":
    from rich import box
    from rich.table import Table

    from emulator.scenario.layers import leaves
    from emulator.scenario.mistakes import in_toml

    facts = (f"{name} = {_fact(value)}" for name, value in preset.facts.items())
    caption = "\n".join(line for line in (preset.title, *facts, preset.notes) if line)
    table = Table(
        "key",
        "value",
        "confidence",
        "source",
        box=box.SIMPLE,
        title=f"{preset.kind}/{preset.name}",
        caption=caption,
        title_justify="left",
        caption_justify="left",
    )
    for path, value in leaves(preset.values):
        key = ".".join(path)
        source, confidence = preset.provenance(key)
        text = str(value) if isinstance(value, list) else in_toml(value)
        table.add_row(key, text, confidence, source)
    return table


def _fact(value: object) -> str:
    """Write a fact as the file does."""
    from emulator.scenario.mistakes import in_toml

    if not isinstance(value, dict):
        return in_toml(value)
    return f"{{ {', '.join(f'{key} = {in_toml(inner)}' for key, inner in value.items())} }}"
