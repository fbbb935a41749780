"""Physical quantities as field types of a scenario: text with a unit in a file, exact in memory."""

from collections.abc import Callable
from decimal import Context
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from emulator import units

__all__ = [
    "Frequency",
    "Number",
    "PositiveSize",
    "PositiveTime",
    "Probability",
    "Rate",
    "Section",
    "Size",
    "Time",
]

Q = TypeVar("Q", int, Fraction)

_NUMBER = r"\s*\+?\d+(\.\d+)?([eE][+-]?\d+)?\s*"


class Section(BaseModel):
    """A table of a scenario file: immutable, and an unknown key in it is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _format_frequency(hertz: Fraction) -> str:
    """Write a frequency exactly, in MHz; what a file can state always has a finite decimal."""
    megahertz = hertz / 10**6
    digits = Context(prec=100).divide(megahertz.numerator, megahertz.denominator)
    return f"{digits.normalize():f} MHz"


def _at_least_zero(parse: Callable[[object], Q]) -> Callable[[object], Q]:
    def read(value: object) -> Q:
        quantity = parse(value)
        if quantity < 0:
            raise ValueError(f'"{value}" is negative; write zero or more')
        return quantity

    return read


def _above_zero(parse: Callable[[object], Q]) -> Callable[[object], Q]:
    def read(value: object) -> Q:
        quantity = parse(value)
        if quantity <= 0:
            raise ValueError(f'"{value}" must be more than zero')
        return quantity

    return read


def _representable(parse: Callable[[object], int]) -> Callable[[object], int]:
    def read(value: object) -> int:
        time_ps = parse(value)
        if time_ps > units.MAX_TIME_PS:
            raise ValueError(f'"{value}" is longer than 106 days (2^63 - 1 ps); write less')
        return time_ps

    return read


def _schema(unit: str, *examples: str) -> WithJsonSchema:
    json: dict[str, Any] = {
        "type": "string",
        "pattern": rf"^{_NUMBER}({unit})\s*$",
        "examples": list(examples),
    }
    return WithJsonSchema(json)


_TIME_TEXT = PlainSerializer(units.format_time, return_type=str, when_used="json")
_TIME_SCHEMA = _schema("s|ms|us|µs|μs|ns|ps", "3.96 us", "25.3 ns")
_SIZE_TEXT = PlainSerializer(units.format_size, return_type=str, when_used="json")
_SIZE_SCHEMA = _schema("B|kB|KiB|MB|MiB", "4096 B", "4 KiB")

_parse_time = _representable(units.parse_time)

Time = Annotated[int, PlainValidator(_at_least_zero(_parse_time)), _TIME_TEXT, _TIME_SCHEMA]
"""Picoseconds, zero or more and less than 2**63; ``"3.96 us"`` in a file."""

PositiveTime = Annotated[int, PlainValidator(_above_zero(_parse_time)), _TIME_TEXT, _TIME_SCHEMA]
"""Picoseconds, more than zero and less than 2**63."""

Size = Annotated[int, PlainValidator(_at_least_zero(units.parse_size)), _SIZE_TEXT, _SIZE_SCHEMA]
"""Bytes, zero or more; ``"4096 B"`` in a file."""

PositiveSize = Annotated[
    int, PlainValidator(_above_zero(units.parse_size)), _SIZE_TEXT, _SIZE_SCHEMA
]
"""Bytes, more than zero."""

Rate = Annotated[
    int,
    PlainValidator(_above_zero(units.parse_rate)),
    PlainSerializer(units.format_rate, return_type=str, when_used="json"),
    _schema("[kMGT]?(bit/s|bps)", "100 Gbit/s"),
]
"""Bits per second, more than zero; ``"400 Gbit/s"`` in a file."""

Frequency = Annotated[
    Fraction,
    PlainValidator(_above_zero(units.parse_frequency)),
    PlainSerializer(_format_frequency, return_type=str, when_used="json"),
    _schema("Hz|kHz|MHz|GHz", "322.265625 MHz"),
]
"""Hertz as an exact fraction, more than zero; ``"322.265625 MHz"`` in a file."""

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
"""A number; neither text nor true."""

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
"""A number from 0 to 1; neither text nor true."""
