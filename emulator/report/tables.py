"""The numbers of a result as tables of text, shared by the page and the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.report.display import (
    DASH,
    server_label,
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
from emulator.results.result import (
    Deadline,
    Disturbed,
    IdleCost,
    Logical,
    MachineFacts,
    PredecoderCounts,
    Reaction,
    Result,
    Rounds,
    Stage,
    StageLoad,
    Throughput,
    ValueOrigin,
)

__all__ = [
    "Table",
    "backlog_table",
    "deadline_table",
    "disturbed_table",
    "failure_causes",
    "idle_table",
    "logical_table",
    "machine_table",
    "predecoder_table",
    "reaction_table",
    "rounds_table",
    "run_table",
    "sources_table",
    "stage_table",
    "utilisation_table",
]

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


def reaction_table(reaction_ps: NDArray[np.int64], reaction: Reaction, confidence: float) -> Table:
    """Quantiles of the reaction times int64 (n,) in ps, the judged one with its interval.

    A quantile is shown only where the sample reaches that far.
    """
    ordered = np.sort(reaction_ps)
    rows = [
        (show_quantile(q), show_time(order_statistic(ordered, q)), "")
        for q in _QUANTILES
        if q != reaction.quantile
    ]
    judged = (
        f"{show_quantile(reaction.quantile)}, judged",
        show_time(reaction.value_ps),
        show_interval(reaction.ci_ps, show_time),
    )
    rows.insert(sum(q < reaction.quantile for q in _QUANTILES), judged)
    longest = int(ordered[-1]) if len(ordered) else None
    rows.append(("maximum", show_time(longest), ""))
    limit = ("limit", show_time(reaction.limit_ps), "")
    return Table(
        "Reaction time of a window",
        ("Quantile", "Reaction time", _interval(confidence)),
        (*rows, limit),
        note="too few windows, or no limit asked for",
    )


def stage_table(stages: Sequence[Stage]) -> Table:
    """One row per stage of the reaction time, in the order of a window's way."""
    return Table(
        "Time spent in each stage",
        ("Stage", "Mean", "p50", "p99", "p99.9", "Max", "Share", "Timing", "Confidence"),
        tuple(
            (
                stage_label(stage.name),
                *(
                    show_time(ps)
                    for ps in (
                        stage.mean_ps,
                        stage.p50_ps,
                        stage.p99_ps,
                        stage.p999_ps,
                        stage.max_ps,
                    )
                ),
                show_share(stage.share),
                stage.timing_source or DASH,
                stage.timing_confidence or DASH,
            )
            for stage in stages
        ),
        text=frozenset({0, 7, 8}),
        note="too few windows for this quantile, or no window at all",
    )


def utilisation_table(throughput: Throughput, confidence: float) -> Table:
    """Share of the time that the servers of each stage are busy, and the work offered to them."""
    unknown = StageLoad(value=None, ci=None)
    rows = []
    for name, share in throughput.utilisation_by_stage.items():
        load = throughput.load_by_stage.get(name, unknown)
        ends = show_interval(load.ci, show_percent)
        shown = {show_percent(end) for end in load.ci or ()}
        if shown == {show_percent(load.value)}:
            ends = ""  # every job took as good as the same
        rows.append((server_label(name), show_percent(share), show_percent(load.value), ends))
    return Table(
        "Utilisation and load",
        ("Stage", "Busy", "StageLoad", _interval(confidence)),
        tuple(rows),
        note="too few jobs, or batches that were not full, which take what is there",
    )


def backlog_table(backlog: NDArray[np.int64], throughput: Throughput, confidence: float) -> Table:
    """Backlog int64 (k, 2) of time in ps and rounds at nine instants, its peak and its slope."""
    rows = []
    if len(backlog):
        picks = np.unique(np.linspace(0, len(backlog) - 1, 9).astype(np.int64))
        rows = [(show_time(int(at)), show_count(int(n)), "") for at, n in backlog[picks]]
        peak = backlog[int(backlog[:, 1].argmax())]
        rows.append((f"peak, at {show_time(int(peak[0]))}", show_count(int(peak[1])), ""))
    slope = throughput.backlog_slope_rounds_per_s
    rows.append(
        (
            "slope, rounds per second",
            show_number(slope),
            show_interval(throughput.ci, show_number),
        )
    )
    return Table(
        "Rounds emitted but not yet decoded",
        ("Time", "Rounds", _interval(confidence)),
        tuple(rows),
        note="the run is too short to tell",
    )


def logical_table(logical: Logical, confidence: float) -> Table:
    """Shots that failed, what failed them, and the errors of the decoder alone."""

    def rate(value: float | None, ends: Sequence[float | None] | None) -> tuple[str, str]:
        return show_number(value), show_interval(ends, show_number)

    return Table(
        "Logical errors",
        ("Quantity", "Value", _interval(confidence)),
        (
            ("shots", show_count(logical.shots), ""),
            ("shots that failed", show_count(logical.errors), ""),
            ("logical error rate per shot", *rate(logical.rate, logical.ci)),
            ("… limit", show_number(logical.limit), ""),
            ("shots decoded wrong", show_count(logical.decoder_errors), ""),
            ("… rate per shot", *rate(logical.decoder_rate, logical.decoder_ci)),
            ("… rate per round", *rate(logical.decoder_per_round, logical.decoder_per_round_ci)),
            ("shots with a late window", show_count(logical.late), ""),
            ("shots with a lost window", show_count(logical.lost), ""),
            ("shots not finished, left out", show_count(logical.unfinished), ""),
        ),
        note="not asked for, or not measured in this run",
    )


def failure_causes(logical: Logical) -> str:
    """Say what failed where it was not the decoder alone: ``"12 wrong, 3 late, 4 lost"``."""
    if not logical.late and not logical.lost:
        return ""
    counts = (("wrong", logical.decoder_errors), ("late", logical.late), ("lost", logical.lost))
    return ", ".join(f"{show_count(count)} {name}" for name, count in counts if count)


def deadline_table(deadline: Deadline, confidence: float) -> Table:
    """Windows answered after the deadline."""
    return Table(
        "Missed deadlines",
        ("Quantity", "Value", _interval(confidence)),
        (
            ("deadline", show_time(deadline.limit_ps), ""),
            ("windows", show_count(deadline.samples), ""),
            ("missed", show_count(deadline.misses), ""),
            (
                "share missed",
                show_percent(deadline.rate),
                show_interval(deadline.ci, show_percent),
            ),
        ),
        note="not measured: too few windows",
    )


def idle_table(idle: IdleCost) -> Table:
    """Rounds that a patch idles for its corrections, and what that costs in code distance."""
    return Table(
        "Idling for a correction",
        ("Quantity", "Value"),
        (
            ("operations that waited", show_count(idle.operations)),
            ("rounds on average", show_number(idle.mean_rounds)),
            ("rounds at most", show_count(idle.max_rounds)),
            ("worth in code distance", show_number(idle.distance_to_compensate)),
        ),
        note="counted only in a run with feedback, or known only with the error suppression",
    )


def predecoder_table(predecoder: PredecoderCounts) -> Table:
    """Detection events before and after the pre-decoder."""
    return Table(
        "Detection events per detector",
        ("Quantity", "Value"),
        (
            ("before the pre-decoder", show_percent(predecoder.density_in)),
            ("after the pre-decoder", show_percent(predecoder.density_out)),
            ("thinned by a factor of", show_number(predecoder.factor)),
        ),
        note="not measured",
    )


def disturbed_table(disturbed: Disturbed) -> Table:
    """Windows left out because something disturbed the measurement of a stage."""
    shares = disturbed.share_by_stage.items()
    return Table(
        "Disturbed measurements",
        ("Quantity", "Value"),
        (
            ("windows", show_count(disturbed.windows)),
            ("left out", show_count(disturbed.left_out)),
            ("share left out", show_percent(disturbed.share)),
            *((f"… {stage_label(stage)}", show_percent(share)) for stage, share in shares),
        ),
    )


def rounds_table(rounds: Rounds) -> Table:
    """What became of every round emitted."""

    def row(name: str, count: int) -> tuple[str, str, str]:
        share = count / rounds.emitted if rounds.emitted else None
        return name, show_count(count), show_percent(share)

    causes = rounds.lost_by_cause.items()
    return Table(
        "What became of every round",
        ("Rounds", "Count", "Share"),
        (
            row("emitted", rounds.emitted),
            row("decoded", rounds.decoded),
            row("in flight at the end", rounds.in_flight),
            row("lost", rounds.lost),
            *(row(f"… {cause.replace('_', ' ')}", count) for cause, count in causes),
        ),
        note="no round was emitted",
    )


def sources_table(sources: Mapping[str, ValueOrigin], scenario: Mapping[str, Any]) -> Table:
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
                " ".join(text for text in (origin.kind, origin.where) if text),
                origin.source or DASH,
            )
            for (key, value), origin in sorted(rows.items(), key=_uncertainty)
        ),
        text=frozenset(range(5)),
        note="no source is stated",
    )


def _by_delay(
    sources: Mapping[str, ValueOrigin], scenario: Mapping[str, Any]
) -> dict[tuple[str, str], ValueOrigin]:
    """Origin by key and value; what makes up one delay and has one origin is one row."""
    rows: dict[tuple[str, str], ValueOrigin] = {}
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


def _interval(confidence: float) -> str:
    """Head of a column of intervals: ``0.95`` → ``"95 % interval"``."""
    return f"{confidence * 100:.10g} % interval"


def _confidence(origin: ValueOrigin) -> str:
    return origin.confidence or ("default" if origin.kind == "default" else "given")


def _uncertainty(item: tuple[tuple[str, str], ValueOrigin]) -> tuple[int, str]:
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
    rows = {
        "seed": result.seed,
        "engine": result.engine,
        "schema version": result.schema_version,
        **dict(sorted(result.versions.items())),
    }
    return Table(
        "To repeat this run",
        ("Item", "Value"),
        tuple((name, str(value)) for name, value in rows.items()),
    )


def machine_table(machine: MachineFacts) -> Table:
    """The machine that the run was made on."""
    rows = {
        "model": machine.model,
        "hypervisor": machine.hypervisor,
        "processor": machine.processor,
        "cores": machine.cores,
        "clock": machine.clock,
        "load, last minute": machine.load,
        "date": machine.date,
        "system": machine.system,
    }
    return Table(
        "The machine",
        ("Item", "Value"),
        tuple((name, DASH if value is None else str(value)) for name, value in rows.items()),
        note="the machine does not tell",
    )
