"""Published figures over code distance and error rate, met exactly or joined by power laws."""

from bisect import bisect_left
from math import exp, log
from typing import TypeVar

from emulator.errors import ScenarioError
from emulator.scenario.delays import Curve, CurvePoint
from emulator.timing.context import TimingContext

__all__ = ["curve_ps"]

T = TypeVar("T")

_ANY_RATE = 1.0  # stands for the error rate of a curve that has none


def curve_ps(curve: Curve, context: TimingContext) -> int:
    """Picoseconds that ``curve`` gives for the code of ``context``: per window or per round.

    Between listed points the value is a power law (a straight line of logarithms), first in
    distance at each listed error rate, then in error rate. Points that state their rounds hold for
    plans whose longest window reads that many rounds, interpolated in the same way. Raises
    ScenarioError outside the listed ranges, and where the scenario does not state what the curve
    depends on.
    """
    value = _at(curve, context, [float(point.value) for point in curve.points])
    rounds = [float(point.rounds) for point in curve.points if point.rounds is not None]
    if rounds:
        published, longest = round(_at(curve, context, rounds)), _longest_window(context)
        if longest != published:
            raise ScenarioError(
                f"{_name(curve)} at distance {context.distance} is for windows of {published} "
                f"rounds, but the windows have {longest}; set them to {published}, or "
                "choose another timing."
            )
    if curve.per == "round":
        _longest_window(context)
    return round(value)


def _longest_window(context: TimingContext) -> int:
    return _stated(max(context.window_rounds, default=None), "number of rounds per window")


def _at(curve: Curve, context: TimingContext, values: list[float]) -> float:
    """Interpolate ``values``, one per point of the curve, at the code of the context."""
    distance = _stated(context.distance, "code distance")
    if all(point.p is None for point in curve.points):
        p = _ANY_RATE
    else:
        p = _stated(context.p, "physical error rate")
    rows: dict[float, list[tuple[float, float]]] = {}
    for point, value in zip(curve.points, values, strict=True):
        rows.setdefault(point.p or _ANY_RATE, []).append((point.distance, value))
    at_distance = [(rate, _power_law(row, distance)) for rate, row in rows.items()]
    found = _power_law([(rate, value) for rate, value in at_distance if value is not None], p)
    if found is None:
        raise ScenarioError(
            f"{_name(curve)} has no value for distance {distance}{_at_rate(context.p)}: "
            f"it lists {_listed(curve.points)}; stay within that range, or choose another timing."
        )
    return found


def _power_law(row: list[tuple[float, float]], x: float) -> float | None:
    """Value at ``x`` of the power laws that join the points, None outside them."""
    row = sorted(row)
    above = bisect_left(row, x, key=lambda point: point[0])
    if above < len(row) and row[above][0] == x:
        return row[above][1]
    if above in {0, len(row)}:
        return None
    (x0, y0), (x1, y1) = row[above - 1 : above + 1]
    return y0 * exp(log(y1 / y0) * log(x / x0) / log(x1 / x0))


def _stated(value: T | None, noun: str) -> T:
    if value is None:
        raise ScenarioError(
            f"a published curve needs the {noun}, which is not known here; "
            "state it, or choose another timing."
        )
    return value


def _name(curve: Curve) -> str:
    return f"the curve of {curve.source}" if curve.source else "the curve"


def _at_rate(p: float | None) -> str:
    return "" if p is None else f" at p = {p}"


def _listed(points: tuple[CurvePoint, ...]) -> str:
    distances: dict[float | None, list[int]] = {}
    for point in points:
        distances.setdefault(point.p, []).append(point.distance)
    return " and ".join(
        f"distances {min(row)} to {max(row)}{_at_rate(p)}"
        if len(row) > 1
        else f"distance {row[0]}{_at_rate(p)}"
        for p, row in distances.items()
    )
