"""Numbers as people read them: three significant digits, sensible units, a dash for no number."""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Context, Decimal

from emulator.results.result import Outcome

__all__ = [
    "DASH",
    "MARKS",
    "printable",
    "server_label",
    "show_count",
    "show_interval",
    "show_number",
    "show_percent",
    "show_quantile",
    "show_share",
    "show_time",
    "stage_label",
    "time_unit",
]

DASH = "–"
"""Stands for a number that was not measured; never 0."""

MARKS: dict[Outcome | None, str] = {"met": "✓", "missed": "✗", "undecided": "?", None: "·"}
"""Marks of the three verdicts, and of what only informs."""

_PLAIN = {"✓": "+", "✗": "x", "·": "-", "–": "-", "…": "..", "×": "x", "µ": "u", "→": "->"}
_PLAIN |= {"—": "-", "─": "-", "⁻": "-", **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))}

_UNITS = (("ps", 1), ("ns", 10**3), ("µs", 10**6), ("ms", 10**9), ("s", 10**12))
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_THREE_DIGITS = Context(prec=3)

_STAGE_LABELS = {
    "ring": "ring wait",
    "predecode_queue": "pre-decoder queue",
    "predecode": "pre-decode",
    "decode_queue": "matcher queue",
}


def printable(text: str, encoding: str) -> str:
    """Write ``text`` in characters that ``encoding`` has: ``"✓ 3 µs"`` → ``"+ 3 us"`` in ASCII.

    What has no plain form becomes a question mark; an encoding that is not known is taken for
    ASCII.
    """
    try:
        text.encode(encoding)
    except LookupError:
        return printable(text, "ascii")
    except UnicodeEncodeError:
        # a power of ten keeps its meaning only with the sign of the exponent
        text = re.sub("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", r"10^\1", text)
        return "".join(c if _has(encoding, c) else _PLAIN.get(c, "?") for c in text)
    return text


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def stage_label(name: str) -> str:
    """Name of a stage as it stands in text: ``"predecode_queue"`` → ``"pre-decoder queue"``."""
    return _STAGE_LABELS.get(name, name.replace("_", " "))


def server_label(name: str) -> str:
    """Name of what serves a stage: of the ring it is the slots, not the wait for one."""
    return "ring slots" if name == "ring" else stage_label(name)


def time_unit(ps: int) -> tuple[str, int]:
    """Largest unit that fits ``ps`` picoseconds, and the picoseconds in it."""
    return next((unit for unit in reversed(_UNITS) if unit[1] <= abs(ps)), _UNITS[0])


def show_time(ps: float | None) -> str:
    """Write picoseconds to three significant digits: ``3964999`` → ``"3.96 µs"``."""
    if ps is None:
        return DASH
    if ps == 0:
        return "0"
    rounded = _THREE_DIGITS.create_decimal(Decimal(ps))
    unit, scale = time_unit(int(rounded))
    return f"{_three_digits(rounded / scale, whole=scale == 1)} {unit}"


def show_number(value: float | None) -> str:
    """Write a number to three significant digits, with a power of ten outside 0.001 … 99999."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == 0:
        return "0"
    rounded = _THREE_DIGITS.create_decimal(Decimal(value))
    if Decimal("0.001") <= abs(rounded) < 100_000:
        return _three_digits(rounded, whole=abs(rounded) >= 1000)
    exponent = rounded.adjusted()
    power = str(exponent).translate(_SUPERSCRIPT)
    return f"{_three_digits(rounded.scaleb(-exponent))} × 10{power}"


def show_percent(share: float | None) -> str:
    """Write a share of one in per cent to three significant digits: ``0.0123`` → ``"1.23 %"``."""
    text = DASH if share is None else show_number(share * 100)
    return text if text == DASH else f"{text} %"


def show_share(share: float | None) -> str:
    """Write a part of a whole to a tenth of a percent, which is as fine as a budget is split."""
    if share is None:
        return DASH
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share * 100:.1f} %"


def show_count(count: int | None) -> str:
    """Write a count in groups of three digits: ``20000`` → ``"20,000"``."""
    return DASH if count is None else f"{count:,}"


def show_interval(
    interval: Sequence[float | None] | None, show: Callable[[float | None], str]
) -> str:
    """Write an interval as ``"low … high"``, each end as ``show`` writes it."""
    if interval is None or all(end is None for end in interval):
        return DASH
    return " … ".join(show(end) for end in interval)


def show_quantile(quantile: float | None) -> str:
    """Name of a quantile: ``0.999`` → ``"p99.9"``."""
    if quantile is None:
        return DASH
    percent = (Decimal(repr(quantile)) * 100).normalize()
    return f"p{percent:f}"


def _three_digits(value: Decimal, *, whole: bool = False) -> str:
    """Write a decimal with three digits in all, or with none after the point when ``whole``."""
    decimals = 0 if whole else max(0, 2 - value.adjusted()) if value else 0
    return f"{value:,.{decimals}f}"
