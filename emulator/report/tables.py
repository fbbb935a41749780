"""The numbers of a result as tables of text, shared by the page and the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.report.display import (
    DASH,
    show_count,
    show_interval,
    show_number,
    show_percent,
    show_quantile,
    show_share,
    show_time,
    stage_label,
)
from emulator.results.quantiles import order_statistic

__all__ = [
    "Table",
    "backlog_table",
    "deadline_table",
    "idle_table",
    "logical_table",
    "predecoder_table",
    "reaction_table",
    "rounds_table",
    "run_table",
    "sources_table",
    "stage_table",
    "utilisation_table",
]

Result = Mapping[str, Any]

_CONFIDENCE_ORDER = ("assumed", "derived", "published", "measured")
_QUANTILES = (0.5, 0.9, 0.99, 0.999, 0.9999)


@dataclass(frozen=True)
class Table:
    """Text in rows under ``head``; the columns in ``text`` are prose, the others numbers.

    ``note`` says what a dash in this table means; it is shown only where there is one.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: frozenset[int] = frozenset({0})
    note: str = ""

    @property
    def has_dash(self) -> bool:
        """Whether some number of this table was not measured."""
        return any(DASH in cell for row in self.rows for cell in row)


def reaction_table(
    reaction_ps: NDArray[np.int64], reaction: Result, confidence: float | None = None
) -> Table:
    """Quantiles of the reaction times int64 (n,) in ps, and the asked one with its interval.

    A quantile is shown only where the sample reaches that far.
    """
    ordered = np.sort(reaction_ps)
    rows = [(show_quantile(q), show_time(order_statistic(ordered, q)), "") for q in _QUANTILES]
    longest = int(ordered[-1]) if len(ordered) else None
    rows.append(("maximum", show_time(longest), ""))
    asked = (
        f"{show_quantile(reaction.get('quantile'))}, as judged",
        show_time(reaction.get("value_ps")),
        show_interval(reaction.get("ci_ps"), show_time),
    )
    limit = ("limit", show_time(reaction.get("limit_ps")), "")
    return Table(
        "Reaction time of a window",
        ("Quantile", "Reaction time", _interval(confidence)),
        (*rows, asked, limit),
        note="too few windows, or no limit asked for",
    )


def stage_table(stages: Sequence[Result]) -> Table:
    """One row per stage of the reaction time, in the order of a window's way."""
    return Table(
        "Time spent in each stage",
        ("Stage", "Mean", "p50", "p99", "p99.9", "Max", "Share", "Timing", "Confidence"),
        tuple(
            (
                stage_label(stage["name"]),
                *(show_time(stage.get(f"{key}_ps")) for key in _STAGE_TIMES),
                show_share(stage.get("share")),
                stage.get("timing_source") or DASH,
                stage.get("timing_confidence") or DASH,
            )
            for stage in stages
        ),
        text=frozenset({0, 7, 8}),
        note="too few windows for this quantile, or no window at all",
    )


_STAGE_TIMES = ("mean", "p50", "p99", "p999", "max")


def utilisation_table(throughput: Result) -> Table:
    """Share of the time that the servers of each stage are busy."""
    by_stage = throughput.get("utilisation_by_stage") or {}
    return Table(
        "Utilisation",
        ("Stage", "Busy"),
        tuple((stage_label(name), show_percent(share)) for name, share in by_stage.items()),
        note="this stage was not observed",
    )


def backlog_table(
    backlog: NDArray[np.int64], throughput: Result, confidence: float | None = None
) -> Table:
    """Backlog int64 (k, 2) of time in ps and rounds at nine instants, its peak and its slope."""
    rows = []
    if len(backlog):
        picks = np.unique(np.linspace(0, len(backlog) - 1, 9).astype(np.int64))
        rows = [(show_time(int(at)), show_count(int(n)), "") for at, n in backlog[picks]]
        peak = backlog[int(backlog[:, 1].argmax())]
        rows.append((f"peak, at {show_time(int(peak[0]))}", show_count(int(peak[1])), ""))
    slope = throughput.get("backlog_slope_rounds_per_s")
    rows.append(
        (
            "slope, rounds per second",
            show_number(slope),
            show_interval(throughput.get("ci"), show_number),
        )
    )
    return Table(
        "Rounds emitted but not yet decoded",
        ("Time", "Rounds", _interval(confidence)),
        tuple(rows),
        note="the run is too short to tell",
    )


def logical_table(logical: Result, confidence: float | None = None) -> Table:
    """Logical errors per shot and per round, with the deadline and without."""
    return Table(
        "Logical errors",
        ("Quantity", "Value", _interval(confidence)),
        (
            ("shots", show_count(logical.get("shots")), ""),
            ("logical errors", show_count(logical.get("errors")), ""),
            _rate("logical error rate per shot", logical, "rate", "ci"),
            _rate(
                "… counting late answers", logical, "rate_with_deadline", "rate_with_deadline_ci"
            ),
            _rate("logical error rate per round", logical, "per_round", "per_round_ci"),
            ("limit per shot", show_number(logical.get("limit")), ""),
        ),
        note="not asked for, or not measured in this run",
    )


def _rate(name: str, logical: Result, rate: str, interval: str) -> tuple[str, str, str]:
    ends = show_interval(logical.get(interval), show_number)
    return name, show_number(logical.get(rate)), ends


def deadline_table(deadline: Result, confidence: float | None = None) -> Table:
    """Windows answered after the deadline."""
    return Table(
        "Missed deadlines",
        ("Quantity", "Value", _interval(confidence)),
        (
            ("deadline", show_time(deadline.get("limit_ps")), ""),
            ("windows", show_count(deadline.get("samples")), ""),
            ("missed", show_count(deadline.get("misses")), ""),
            (
                "share missed",
                show_percent(deadline.get("rate")),
                show_interval(deadline.get("ci"), show_percent),
            ),
        ),
        note="not measured: too few windows",
    )


def idle_table(idle: Result) -> Table:
    """Rounds that a patch idles for its corrections, and what that costs in code distance."""
    return Table(
        "Idling for a correction",
        ("Quantity", "Value"),
        (
            ("operations that waited", show_count(idle.get("operations"))),
            ("rounds on average", show_number(idle.get("mean_rounds"))),
            ("rounds at most", show_count(idle.get("max_rounds"))),
            ("worth in code distance", show_number(idle.get("distance_to_compensate"))),
        ),
        note="counted only in a run with feedback, or known only with the error suppression",
    )


def predecoder_table(predecoder: Result) -> Table:
    """Detection events before and after the pre-decoder."""
    return Table(
        "Detection events per detector",
        ("Quantity", "Value"),
        (
            ("before the pre-decoder", show_percent(predecoder.get("density_in"))),
            ("after the pre-decoder", show_percent(predecoder.get("density_out"))),
            ("thinned by a factor of", show_number(predecoder.get("factor"))),
        ),
        note="not measured",
    )


def rounds_table(rounds: Result) -> Table:
    """What became of every round emitted."""
    emitted = rounds.get("emitted")

    def row(name: str, count: int | None) -> tuple[str, str, str]:
        share = None if count is None or not emitted else count / emitted
        return name, show_count(count), show_percent(share)

    causes = rounds.get("lost_by_cause") or {}
    return Table(
        "What became of every round",
        ("Rounds", "Count", "Share"),
        (
            row("emitted", emitted),
            row("decoded", rounds.get("decoded")),
            row("in flight at the end", rounds.get("in_flight")),
            row("lost", rounds.get("lost")),
            *(row(f"… {cause.replace('_', ' ')}", count) for cause, count in causes.items()),
        ),
        note="not counted",
    )


def sources_table(sources: Mapping[str, Result], scenario: Result) -> Table:
    """Every value of the scenario and where it comes from, the least certain ones first."""
    rows = _by_delay(sources, scenario)
    return Table(
        "Values and where they come from",
        ("Confidence", "Value of", "Value", "Set by", "Source"),
        tuple(
            (
                _confidence(origin),
                key,
                value,
                " ".join(str(origin[k]) for k in ("kind", "where") if origin.get(k)),
                origin.get("source") or DASH,
            )
            for (key, value), origin in sorted(rows.items(), key=_uncertainty)
        ),
        text=frozenset(range(5)),
        note="no source is stated",
    )


def _by_delay(sources: Mapping[str, Result], scenario: Result) -> dict[tuple[str, str], Result]:
    """Origin by key and value; what makes up one delay and has one origin is one row."""
    rows: dict[tuple[str, str], Result] = {}
    done: set[str] = set()
    for key, origin in sources.items():
        parent, _, name = key.rpartition(".")
        if name == "kind" and "." in parent:  # a section's own kind is no delay
            inside = [k for k in sources if k.startswith(f"{parent}.") and sources[k] == origin]
            named = [
                f"{k.removeprefix(f'{parent}.')} {_value_at(scenario, k)}"
                for k in inside
                if k != key
            ]
            rows[parent, f"{_value_at(scenario, key)}: {', '.join(named)}"] = origin
            done.update(inside)
    rows |= {(k, _value_at(scenario, k)): o for k, o in sources.items() if k not in done}
    return rows


def _interval(confidence: float | None) -> str:
    """Head of a column of intervals: ``0.95`` → ``"95 % interval"``."""
    return "Interval" if confidence is None else f"{confidence * 100:.10g} % interval"


def _confidence(origin: Result) -> str:
    if origin.get("confidence"):
        return str(origin["confidence"])
    return "default" if origin.get("kind") == "default" else "given"


def _uncertainty(item: tuple[tuple[str, str], Result]) -> tuple[int, str]:
    order = (*_CONFIDENCE_ORDER, "given", "default")
    confidence = _confidence(item[1])
    return order.index(confidence) if confidence in order else len(order), item[0][0]


def _value_at(scenario: Any, key: str) -> str:
    value = scenario
    for part in key.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return DASH
    return DASH if value is None else str(value)


def run_table(result: Result) -> Table:
    """What is needed to repeat the run."""
    versions = result.get("versions") or {}
    rows = [(name, result.get(name)) for name in ("seed", "engine", "schema_version")]
    return Table(
        "To repeat this run",
        ("Item", "Value"),
        tuple(
            (name.replace("_", " "), DASH if value is None else str(value))
            for name, value in (*rows, *sorted(versions.items()))
        ),
        note="not recorded",
    )
