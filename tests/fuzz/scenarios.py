"""Scenarios drawn at random over every option of a scenario file, most of them valid.

Times are drawn around the round period and the shot, so that all loads from idle to hopeless
occur; now and then one is zero, one picosecond, or beyond what 64 bits hold.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fuzz.choices import Choices
from tests.fuzz.delays import Table
from tests.fuzz.sections import draw_tables

__all__ = ["Case", "leaves", "scenarios", "toml_text"]

ENTROPY_BYTES = 800  # of which a long scenario reads most

BAD_VALUES: tuple[object, ...] = (
    *(-1, 0, 1.5, 10**30, True, "", "abc", [], ["1 us"], {}, {"kind": "constant"}),
    *("1", "-1 us", "5 parsec", "0.0001 ps", "1e400 s", "nan us", float("nan"), float("inf")),
    *("none", "profile", "measured", "no:where", "../missing.toml", "\u2713"),
)


@dataclass(frozen=True)
class Case:
    """One call of ``roundtrip run``: the tables of the file, and values given as ``--set``.

    ``report`` asks for the report as well, ``again`` for a second run that must give the same.
    """

    tables: Table
    overrides: tuple[str, ...] = ()
    report: bool = False
    again: bool = False

    def __repr__(self) -> str:
        """The scenario file, ready to be copied into an issue."""
        sets = "".join(f"# --set {text}\n" for text in self.overrides)
        return f"\n{sets}{toml_text(self.tables)}"


def toml_text(tables: Table) -> str:
    """Write tables as TOML, one section a line group and everything below it inline."""
    lines: list[str] = []
    for name, section in tables.items():
        if not isinstance(section, dict):
            lines.insert(0, f"{name} = {_inline(section)}")
            continue
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key)} = {_inline(value)}" for key, value in section.items()]
    return "\n".join(lines) + "\n"


def _inline(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_inline(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(item) for item in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def leaves(tables: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value in ``tables`` that is no table, with its path."""
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def scenarios() -> st.SearchStrategy[Case]:
    """Scenarios as `Case`, five in six of them as the documentation wants them."""
    return st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES).map(_case)


def _case(source: bytes) -> Case:
    choose = Choices(source)
    report, again = choose.rarely(12), choose.rarely(5)
    tables = draw_tables(choose)
    overrides = _moved(choose, tables) if choose.rarely(8) else ()
    if choose.rarely(6):
        _spoil(choose, tables)
    return Case(tables, overrides, report, again)


def _moved(choose: Choices, tables: Table) -> tuple[str, ...]:
    """Give one value on the command line instead of in the file."""
    path, value = choose.pick(*leaves(tables))
    if value == {} or any(isinstance(part, list) for part in (value, *path)):
        return ()
    inner = tables
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    key = ".".join(part if part.isidentifier() else json.dumps(part) for part in path)
    return (f"{key}={_inline(value)}",)


def _spoil(choose: Choices, tables: Table) -> None:
    """Make one mistake: a wrong value, a key too many or too few, a table that is none."""
    path, _ = choose.pick(*leaves(tables))
    depth = choose.pick(len(path), len(path), 1)
    inner = tables
    for part in path[: depth - 1]:
        inner = inner[part]
    slip = choose.pick("value", "value", "value", "extra", "gone")
    if slip == "value":
        inner[path[depth - 1]] = choose.pick(*BAD_VALUES)
    elif slip == "gone":
        del inner[path[depth - 1]]
    else:
        inner["unheard_of"] = choose.pick(*BAD_VALUES)
