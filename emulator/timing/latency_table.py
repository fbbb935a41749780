"""A column of latencies out of a table of text, in the many forms that measuring tools write it."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.units import MAX_TIME_PS

__all__ = ["PS_PER_UNIT", "read_latencies"]

PS_PER_UNIT = {"ps": 1.0, "ns": 1e3, "us": 1e6, "ms": 1e9, "s": 1e12}

_WORDS = {"psec": "ps", "nsec": "ns", "usec": "us", "msec": "ms", "sec": "s", "secs": "s"} | {
    f"{prefix}second{plural}": unit
    for prefix, unit in (
        ("pico", "ps"),
        ("nano", "ns"),
        ("micro", "us"),
        ("milli", "ms"),
        ("", "s"),
    )
    for plural in ("", "s")
}
_UNITS = {unit: unit for unit in PS_PER_UNIT} | _WORDS
_ENDING = re.compile(rf"(?:^|[\s_.,:/(\[-])({'|'.join(_UNITS)})[\s.)\]]*$")
_CAMEL = re.compile(r"[a-z0-9](Ps|Ns|Us|Ms)$")
_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?|[+-]?(nan|inf|infinity)", re.IGNORECASE
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d{1,3})?", re.IGNORECASE)
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_QUOTED = re.compile(r'"([^"]*)"')
_COMMENTS = ("#", "%", "//")
_LOOK_AHEAD = 100
_RULE = (
    "the name of such a column ends with its unit, one of _ps, _ns, _us, _ms, _s, or has it in "
    "brackets, as in latency_us or latency [us]"
)

Row = tuple[int, list[str]]
"""Number of a line, counted from 1, and its fields."""


def read_latencies(
    path: Path, column: str | None = None, unit: str | None = None
) -> NDArray[np.int64]:
    """Read times in ps as int64 of shape (n,), n >= 1, rounded to whole picoseconds.

    The table may have lines of comments, blank lines and a header, fields between commas,
    semicolons, tabs or blanks, and decimal commas where commas are not separators and at least one
    value shows that they do not stand after thousands; its text is
    UTF-8, UTF-16 or, where it is neither, Latin-1. ``column`` is a name of the header, or a number
    from 1 on where there is none; None takes the only one with a unit. ``unit`` is that of the
    column where its name does not end with it. Raises ScenarioError, with what was found.
    """
    text, encoding = _decoded(path)
    table = _Table.of(text, f'"{path}"{"" if encoding == "UTF-8" else f" (read as {encoding})"}')
    place, unit = table.choose(column, unit)
    return table.times_ps(place, PS_PER_UNIT[unit])


def _decoded(path: Path) -> tuple[str, str]:
    """Text of a file and the name of its encoding."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f'"{path}" cannot be read: {error.strerror}.') from error
    encoding = "UTF-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "UTF-16"
    elif b"\0" in content[1:2] or b"\0" in content[:1]:  # one of two bytes, without its mark
        encoding = "UTF-16LE" if content[1:2] == b"\0" else "UTF-16BE"
    for codec in (encoding, "Latin-1, as it is not UTF-8"):
        try:
            text = content.decode("utf-8-sig" if codec == "UTF-8" else codec.partition(",")[0])
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, codec
    raise ScenarioError(f'"{path}" is not a text file; write a table of times as UTF-8 text.')


@dataclass(frozen=True, slots=True)
class _Table:
    """Fields of a table: ``names`` is None without a header; ``origin`` is for errors.

    ``separator`` is what stood between the fields, None for blanks.
    """

    origin: str
    names: list[str] | None
    rows: list[Row]
    separator: str | None

    @classmethod
    def of(cls, text: str, origin: str) -> "_Table":
        lines = [
            (number, line.strip())
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        ]
        heading, begin = _heading([line for _, line in lines])
        data = [(n, line) for n, line in lines[begin:] if not line.startswith(_COMMENTS)]
        if not data:
            found = f"; it holds only {_quoted([lines[-1][1]])}" if lines else ""
            raise ScenarioError(f"{origin} has no rows of times; record at least one{found}.")
        separator = _separator([line for _, line in data[:_LOOK_AHEAD]], heading)
        rows = list(_rows(data, separator, origin))
        width = Counter(len(fields) for _, fields in rows[:_LOOK_AHEAD]).most_common(1)[0][0]
        names = None
        if heading is not None:
            names = _names(heading, separator, width, origin)
            width = len(names)
        for number, fields in rows:
            if len(fields) != width:
                columns = f"{width} columns" if names is None else f"columns {_quoted(names)}"
                raise ScenarioError(
                    f"{origin}, line {number}: found {len(fields)} fields, {_quoted(fields)}, "
                    f"instead of {columns}; write a value in each, with a decimal point."
                )
        return cls(origin, names, rows, separator)

    @property
    def width(self) -> int:
        return len(self.rows[0][1]) if self.names is None else len(self.names)

    def choose(self, column: str | None, unit: str | None) -> tuple[int, str]:
        """Place and unit of the column that was asked for, or of the only one that fits."""
        units = [_unit_of(name) for name in self.names or [""] * self.width]
        if column is not None:
            place = self._place(column)
        else:
            timed = [k for k, found in enumerate(units) if found is not None]
            if not timed and unit is not None and self.width == 1:
                timed = [0]
            if len(timed) != 1:
                raise ScenarioError(self._unclear(timed, unit))
            place = timed[0]
        chosen = unit or units[place]
        if units[place] not in (None, chosen):
            raise ScenarioError(
                f"{self.origin}: column {self._called(place)} is in {units[place]} by its name, "
                f'and unit = "{unit}" contradicts that; delete unit.'
            )
        if chosen is None:
            raise ScenarioError(
                f"{self.origin}: the unit of column {self._called(place)} is not known, as {_RULE}"
                f'; rename it or write e.g. unit = "us". {self._found()}'
            )
        return place, chosen

    def times_ps(self, place: int, unit_ps: float) -> NDArray[np.int64]:
        """Values of a column in whole ps; ScenarioError with the line of the first wrong one."""
        self._check_commas(place)
        values = np.empty(len(self.rows))
        wrong: list[tuple[int, str, str]] = []
        for k, (number, fields) in enumerate(self.rows):
            field = fields[place]
            value = _value(field)
            values[k] = 0 if value is None else value * unit_ps
            reason = _reason(field, value, values[k])
            if reason:
                wrong.append((number, field, reason))
        if wrong:
            number, field, reason = wrong[0]
            shown = field if len(field) <= 40 else f"{field[:40]}…"
            raise ScenarioError(
                f'{self.origin}, line {number}, column {self._called(place)}: "{shown}" {reason} '
                f"({len(wrong)} of {len(values)} values cannot be latencies); write times above 0, "
                "or delete these lines."
            )
        whole: NDArray[np.int64] = np.rint(values).astype(np.int64)
        return whole

    def _check_commas(self, place: int) -> None:
        """Raise ScenarioError where a comma in a column may stand after thousands."""
        commas = [(n, fields[place].strip('"')) for n, fields in self.rows if "," in fields[place]]
        numbers = [(n, field) for n, field in commas if not re.search(r"[^-+\d.,eE]", field)]
        if not numbers:
            return
        number, field = numbers[0]
        where = f"{self.origin}, line {number}, column {self._called(place)}"
        if self.separator == ",":
            raise ScenarioError(
                f"{where}: {_quoted([field])} has a comma in it, in a file with commas between its "
                "fields; write it without a thousands separator, and the decimals behind a point."
            )
        if all(_MAYBE_THOUSANDS.fullmatch(field) for _, field in numbers):
            raise ScenarioError(
                f"{where}: the comma in {_quoted([field])} may stand before decimals or after "
                "thousands, as no value of the column tells which; write it without a thousands "
                "separator, and the decimals behind a point."
            )

    def _place(self, column: str) -> int:
        if self.names is None:
            if column.isdecimal() and 1 <= int(column) <= self.width:
                return int(column) - 1
            raise ScenarioError(
                f'{self.origin} has no header and so no column "{column}"; set column to a number '
                f"from 1 to {self.width} and unit to that of its times, or write a header."
            )
        for alike in (str, _plain):
            places = [k for k, name in enumerate(self.names) if alike(name) == alike(column)]
            if len(places) == 1:
                return places[0]
            if places:
                raise ScenarioError(
                    f'{self.origin} has {len(places)} columns "{column}"; rename all but one.'
                )
        timed = [name for name in self.names if _unit_of(name)]
        advice = f"set column to one of {', '.join(timed or self.names)}"
        raise ScenarioError(f'{self.origin}: no column "{column}"; {advice}.')

    def _unclear(self, timed: list[int], unit: str | None) -> str:
        if timed:
            names = ", ".join(self._name(k) for k in timed)
            return f"{self.origin}: no column chosen; set column to one of {names}."
        if self.names is None:
            which = "" if self.width == 1 else "column to its number (from 1 on) and "
            return (
                f"{self.origin} has no column of known times: it has no header, and {_RULE}; write "
                f'a header, or set {which}unit to e.g. "us". {self._found()}'
            )
        fix = (
            "set column to the one with times"
            if unit
            else 'rename it, or set column and unit = "us"'
        )
        return f"{self.origin} has no column of times, as {_RULE}; {fix}. {self._found()}"

    def _found(self) -> str:
        if self.names is None:
            return f"Found {self.width} column(s), the first line {_quoted(self.rows[0][1])}."
        return f"Its header says {_quoted(self.names)}."

    def _name(self, place: int) -> str:
        return str(place + 1) if self.names is None else self.names[place]

    def _called(self, place: int) -> str:
        return f'"{self._name(place)}"' if self.names else self._name(place)


def _heading(lines: list[str]) -> tuple[str | None, int]:
    """The line with the names, or None, and the number of the first line of data.

    That is the first line with a unit and without numbers; else the last one above the first
    number, of which comments come second.
    """
    looked = lines[:_LOOK_AHEAD]
    numbers = [any(_value(field) is not None for field in _pieces(line)) for line in looked]
    first = next(
        (k for k, line in enumerate(looked) if numbers[k] and not line.startswith(_COMMENTS)),
        len(lines),
    )
    for is_comment in (False, True):
        for k, line in enumerate(looked):
            found = any(_unit_of(field) for field in _pieces(line)) and not numbers[k]
            if found and line.startswith(_COMMENTS) == is_comment and (k < first or not is_comment):
                return line, k + 1
    plain = [line for line in lines[:first] if not line.startswith(_COMMENTS)]
    return (plain[-1] if plain else None), first


def _pieces(line: str) -> list[str]:
    """Fields of a line whose separator is not known yet."""
    pieces = re.split(r"[,;\t|]", line.lstrip("#%/ \t"))
    return [piece.strip().strip('"').strip() for piece in pieces]


def _separator(lines: list[str], heading: str | None) -> str | None:
    """What stands between fields, None for blanks: what cuts most lines into more than one."""
    for mark in (";", "\t", "|", ","):
        if sum(mark in line for line in lines) * 2 < len(lines):
            continue
        decimal = mark == "," and all(_DECIMAL_COMMA.fullmatch(line) for line in lines)
        if not decimal or heading is None or mark in heading:
            return mark
    return None if sum(" " in line for line in lines) * 2 >= len(lines) else ";"


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    ends_with_separator = len(fields) > 1 and not fields[-1]
    return [field.strip() for field in (fields[:-1] if ends_with_separator else fields)]


def _rows(lines: Iterable[tuple[int, str]], separator: str | None, origin: str) -> Iterator[Row]:
    for number, line in lines:
        try:
            yield number, _split(line, separator)
        except csv.Error as error:
            raise ScenarioError(
                f"{origin}, line {number}, is no line of a CSV file ({error}); write a header and "
                "one time a line."
            ) from error


def _names(heading: str, separator: str | None, width: int, origin: str) -> list[str]:
    """Names of the columns; ScenarioError where they are not as many as the fields below."""
    found: list[str] = []
    for option in (heading.lstrip("#%/ \t"), heading):
        for mark in dict.fromkeys((separator, "\t", ",", ";")):
            names = [_unquoted(option)] if width == 1 else _split(option, mark)
            if len(names) == width:
                return names
            found = found or names
    raise ScenarioError(
        f"{origin}: its header has {len(found)} name(s), {_quoted(found)}, and the lines below "
        f"have {width} values; write as many names as values, with the separator of the values."
    )


def _unquoted(name: str) -> str:
    """A name without the quotation marks around it."""
    quoted = _QUOTED.fullmatch(name)
    return quoted[1].strip() if quoted else name


def _unit_of(name: str) -> str | None:
    """Unit that a name ends with, or None."""
    camel = _CAMEL.search(name)
    ending = _ENDING.search(_plain(name))
    if ending:
        return _UNITS[ending[1]]
    return camel[1].lower() if camel else None


def _plain(name: str) -> str:
    """A name for comparison: small letters, u for a micro sign, single blanks."""
    small = " ".join(name.casefold().split())
    return small.replace("\u00b5", "u").replace("\u03bc", "u")


def _value(field: str) -> float | None:
    """The number that a field is, or None."""
    field = field.strip().strip('"')
    if len(field) > 64:
        return None
    if _NUMBER.fullmatch(field):
        return float(field)
    return float(field.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(field) else None


def _reason(field: str, value: float | None, time_ps: float) -> str:
    """Why a field cannot be a latency; empty if it can."""
    if value is None:
        return "is no number" if field else "is empty"
    if not isfinite(value):
        return "is not finite"
    if value <= 0:
        return "is negative" if value < 0 else "is zero, which nothing takes"
    return "" if time_ps < MAX_TIME_PS else "is longer than 106 days (2^63 - 1 ps)"


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name if len(name) <= 40 else name[:40] + "…"}"' for name in names[:12])
