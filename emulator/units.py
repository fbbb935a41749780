"""Exact quantities: integer picoseconds, bits and bits per second; text only at the edges."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "MAX_TIME_PS",
    "PS_PER_S",
    "Clock",
    "format_rate",
    "format_size",
    "format_time",
    "parse_frequency",
    "parse_rate",
    "parse_size",
    "parse_time",
    "serialisation_ps",
]

PS_PER_S = 10**12

MAX_TIME_PS = 2**63 - 1
"""Longest time that a table of int64 picoseconds can hold: 106 days."""

_TIME = {"s": 10**12, "ms": 10**9, "us": 10**6, "µs": 10**6, "μs": 10**6, "ns": 10**3, "ps": 1}
_RATE = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12}
_RATE_SPELLINGS = {f"{prefix}bps": _RATE[f"{prefix}bit/s"] for prefix in ("", "k", "M", "G", "T")}
_FREQUENCY = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9}
_SIZE = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20}

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([^\d\s.].*?)\s*")


def _parse(value: object, units: dict[str, int], noun: str, example: str) -> Fraction:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} has no unit; write a {noun} with its unit, e.g. "{example}"')
    match = _QUANTITY.fullmatch(value)
    if match is None or match[2] not in units:
        raise ValueError(f'"{value}" is not a {noun}; write e.g. "{example}"')
    return Fraction(match[1]) * units[match[2]]


def _whole(quantity: Fraction, value: object, grid: str) -> int:
    if quantity.denominator != 1:
        raise ValueError(f'"{value}" is finer than {grid}')
    return int(quantity)


def parse_time(value: object) -> int:
    """Read a time such as ``"3.96 us"`` as integer picoseconds.

    Raises ValueError for a missing or unknown unit and for anything finer than 1 ps.
    """
    return _whole(_parse(value, _TIME, "time", "3.96 us"), value, "1 ps")


def parse_rate(value: object) -> int:
    """Read a line rate such as ``"400 Gbit/s"`` or ``"400 Gbps"`` as integer bits per second."""
    rate = _parse(value, _RATE | _RATE_SPELLINGS, "rate", "400 Gbit/s")
    return _whole(rate, value, "1 bit/s")


def parse_frequency(value: object) -> Fraction:
    """Read a clock frequency such as ``"322.265625 MHz"`` as an exact number of hertz."""
    return _parse(value, _FREQUENCY, "frequency", "322.265625 MHz")


def parse_size(value: object) -> int:
    """Read a size such as ``"4096 B"`` or ``"4 KiB"`` as integer bytes."""
    return _whole(_parse(value, _SIZE, "size", "4096 B"), value, "1 byte")


def _decimal(quantity: Fraction) -> str:
    """Write a fraction whose denominator has only factors 2 and 5 as an exact decimal."""
    digits = 0
    while (quantity * 10**digits).denominator != 1:
        digits += 1
    text = f"{int(quantity * 10**digits):0{digits + 1}d}"
    return text if digits == 0 else f"{text[:-digits]}.{text[-digits:]}"


def _format(quantity: int, units: dict[str, int]) -> str:
    sign, size = ("-", -quantity) if quantity < 0 else ("", quantity)
    fitting = [name for name, scale in units.items() if scale <= size]
    name = max(fitting, key=units.__getitem__) if fitting else min(units, key=units.__getitem__)
    return f"{sign}{_decimal(Fraction(size, units[name]))} {name}"


def format_time(ps: int) -> str:
    """Write integer picoseconds exactly, in the largest fitting unit: ``3960000`` → ``3.96 us``."""
    return _format(ps, {k: v for k, v in _TIME.items() if k.isascii()})


def format_rate(bps: int) -> str:
    """Write integer bits per second exactly, in the largest unit that fits."""
    return _format(bps, _RATE)


def format_size(size_bytes: int) -> str:
    """Write integer bytes exactly; always in bytes, because that is what a frame counts."""
    return f"{size_bytes} B"


def serialisation_ps(bits: int, line_rate_bps: int) -> int:
    """Picoseconds that ``bits`` occupy a line of ``line_rate_bps``, rounded up to the next one."""
    return -(-bits * PS_PER_S // line_rate_bps)


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock of exact frequency, whose edge n is at ``floor(n / f)`` picoseconds.

    Edges are computed from their number and never by adding rounded periods: at 322.265625 MHz
    the period is 102400/33 ps, and summing a rounded one drifts by 10 ppm.
    """

    hertz: Fraction
    # in lowest terms: this many edges in exactly this many picoseconds
    _edges: int = field(init=False, repr=False, compare=False)
    _span_ps: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a clock that never ticks or ticks faster than the picosecond grid."""
        if not 0 < self.hertz <= PS_PER_S:
            raise ValueError(f"clock frequency {self.hertz} Hz must be in (0, 1 THz]")
        period_ps = Fraction(PS_PER_S) / self.hertz
        object.__setattr__(self, "_edges", period_ps.denominator)
        object.__setattr__(self, "_span_ps", period_ps.numerator)

    @property
    def ratio(self) -> tuple[int, int]:
        """Edges and picoseconds, in lowest terms: so many edges in exactly so much time."""
        return self._edges, self._span_ps

    def edge_ps(self, number: int) -> int:
        """Time of edge ``number`` in picoseconds."""
        return number * self._span_ps // self._edges

    def edge_at_or_after(self, time_ps: int) -> int:
        """Return the number of the first edge that is not before ``time_ps``."""
        # floor(n / f) >= t, with whole t, wherever n / f >= t
        return -(-time_ps * self._edges // self._span_ps)

    def whole_cycles(self, span_ps: int) -> int:
        """Return how many whole cycles fit into ``span_ps``."""
        return span_ps * self._edges // self._span_ps
