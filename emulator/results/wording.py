"""Numbers as words of a verdict: three significant digits, an interval in the unit of its value."""

from collections.abc import Sequence

__all__ = ["number", "percentile", "share", "time_with_interval", "with_interval"]

_UNITS = (("s", 10**12), ("ms", 10**9), ("us", 10**6), ("ns", 10**3), ("ps", 1))


def number(value: float) -> str:
    """Write with three significant digits or as a whole number: ``0.00123``, ``1100``, ``610,000``.

    A whole number of more than five digits is rounded to three, like any other.
    """
    if 1000 <= abs(value) < 100_000:
        return f"{value:.0f}"
    if 100_000 <= abs(value) < 1e9:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def percentile(quantile: float) -> str:
    """Name a quantile the way latencies are quoted: 0.999 is ``p99.9``."""
    return f"p{100 * quantile:.10g}"


def share(value: float) -> str:
    """Write a share of one in per cent: 0.0123 is ``1.23%``."""
    return f"{number(100 * value)}%"


def with_interval(value: float, interval: Sequence[float] | None) -> str:
    """Write a number and its interval: ``0.0123 [0.011, 0.0136]``."""
    if interval is None:
        return number(value)
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def time_with_interval(value_ps: int, interval_ps: Sequence[int] | None) -> str:
    """Write a time and its interval in one unit: ``45.1 us [44.0, 46.3]``."""
    rounded = int(float(f"{value_ps:.3g}"))
    unit, scale = next((name, size) for name, size in _UNITS if rounded >= size or size == 1)
    digits = 0 if scale == 1 else max(0, 3 - len(str(rounded // scale)))
    text = f"{value_ps / scale:.{digits}f} {unit}"
    if interval_ps is None:
        return text
    low, high = (f"{end / scale:.{digits}f}" for end in interval_ps)
    return f"{text} [{low}, {high}]"
