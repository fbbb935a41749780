"""Delays of every kind, drawn around a time that the scenario suggests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.units import format_time
from tests.fuzz.choices import Choices

__all__ = ["EXTREME_PS", "Facts", "Table", "draw_delay", "draw_time"]

Table = dict[str, Any]

EXTREME_PS = (0, 1, 2**31, 10**15, 10**18, 2**62, 2**63 - 1, 2**63, 2**64, 10**30)
RATIOS = (0.1, 0.3, 0.01, 0.001, 0.03, 0.2, 0.5, 0.9, 1, 1.1, 2, 10, 100, 1000)


@dataclass(frozen=True)
class Facts:
    """What the tables of one scenario have to agree about; ``p`` is None where it is not known."""

    period_ps: int
    rounds: int
    task: str
    distance: int
    p: float | None
    known: bool = True
    """Whether the source of the shots tells its distance, without which a curve has no answer."""
    by_window: bool = False
    """Whether delays are for windows, for which alone a curve may count rounds."""

    @property
    def shot_ps(self) -> int:
        """Time from the beginning of a shot to the end of its last round."""
        return self.period_ps * self.rounds


def draw_time(choose: Choices, around_ps: int, *, least_ps: int = 0) -> str:
    """A time of 0.001 to 1,000 times ``around_ps``, a hundredth of all an extreme one."""
    if choose.rarely(100):
        ps = choose.pick(*EXTREME_PS)
    else:
        ps = int(around_ps * choose.pick(*RATIOS)) + choose.pick(0, 0, 1, 333)
    ps = max(ps, least_ps)
    return f"{ps} ps" if choose.pick(False, True) else format_time(ps)


def draw_delay(choose: Choices, around_ps: int, facts: Facts, depth: int = 0) -> Table:
    """A delay of any kind; ``depth`` counts the delays it is part of, of which not all may be."""
    kinds = ["constant", "constant", "normal", "lognormal", "quantiles", "empirical"]
    kinds += ["curve"] if facts.known else []
    kinds += ["mixture"] if depth < 2 else []
    kinds += ["load", "warmup", "batch"] if depth == 0 else []
    kind = choose.pick(*kinds)
    table = {"kind": kind, **_DELAYS[kind](choose, around_ps, facts, depth)}
    choose.maybe(table, "source", lambda: choose.pick("a bench", "arXiv 1", ""))
    choose.maybe(table, "confidence", lambda: choose.pick("measured", "published", "derived"))
    return table


def _constant(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    return {"value": draw_time(choose, around_ps)}


def _normal(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    table = {
        "mean": draw_time(choose, around_ps, least_ps=1),
        "sd": draw_time(choose, around_ps, least_ps=1),
    }
    choose.maybe(table, "floor", lambda: draw_time(choose, around_ps))
    return table


def _lognormal(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    table: Table = {"median": draw_time(choose, around_ps, least_ps=1)}
    table["sigma"] = 5.0 if choose.rarely(20) else choose.pick(0.3, 0.01, 1)
    choose.maybe(table, "shift", lambda: draw_time(choose, around_ps))
    return table


def _quantiles(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    steps = sorted(choose.pick(*RATIOS) for _ in range(choose.between(2, 4)))
    levels = (0, 0.5, 0.99, 1)[: len(steps)]
    return {
        "points": {
            str(level): f"{max(1, int(around_ps * step))} ps"
            for level, step in zip(levels, steps, strict=True)
        }
    }


def _empirical(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    table = dict(
        choose.pick(
            {"file": "times.csv", "column": "delta_ns"},
            {"file": "profile.json", "column": "decode"},
            {"file": "times.csv"},
            {"file": "times.csv", "column": "delta_ns", "unit": "ns"},
        )
    )
    choose.maybe(table, "order", lambda: choose.pick("replay", "draw"))
    return table


def _curve(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    points = []
    with_p, with_rounds = (
        choose.pick(False, True) and facts.p,
        choose.rarely(12) and facts.by_window,
    )
    for distance in sorted({facts.distance, choose.between(2, 9)}):
        point: Table = {"distance": distance, "value": draw_time(choose, around_ps, least_ps=1)}
        if with_p:
            point["p"] = facts.p
        if with_rounds:
            point["rounds"] = facts.rounds
        points.append(point)
    return {
        "per": choose.pick("window", "round") if facts.by_window else "window",
        "points": points,
    }


def _mixture(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:
    count = choose.pick(2, 1, 3)
    return {
        "components": [
            {
                "weight": choose.pick(1, 0.001, 99.0),
                "delay": draw_delay(choose, around_ps, facts, depth + 1),
            }
            for _ in range(count)
        ]
    }


def _load(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:
    return {
        "idle": draw_delay(choose, around_ps, facts, depth + 1),
        "loaded": draw_delay(choose, around_ps, facts, depth + 1),
        "servers": choose.pick(2, 3, 8),
    }


def _warmup(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:
    table = {
        "first": draw_delay(choose, around_ps, facts, depth + 1),
        "then": draw_delay(choose, around_ps, facts, depth + 1),
    }
    choose.maybe(table, "messages", lambda: choose.pick(1, 3, 10**6))
    return table


def _batch(choose: Choices, around_ps: int, facts: Facts, depth: int) -> Table:  # noqa: ARG001
    fills = (1, 4, 64) if choose.rarely(3) else (64,)
    return {"points": {str(fill): draw_time(choose, around_ps, least_ps=1) for fill in fills}}


_DELAYS: dict[str, Callable[[Choices, int, Facts, int], Table]] = {
    "constant": _constant,
    "normal": _normal,
    "lognormal": _lognormal,
    "quantiles": _quantiles,
    "empirical": _empirical,
    "curve": _curve,
    "mixture": _mixture,
    "load": _load,
    "warmup": _warmup,
    "batch": _batch,
}
