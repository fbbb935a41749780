"""What a report says, part by part: a lead in words, a figure, and the same numbers in tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.report import figures, tables
from emulator.report.display import (
    DASH,
    show_count,
    show_number,
    show_percent,
    show_quantile,
    show_time,
    stage_label,
)
from emulator.report.tables import Table

__all__ = ["Section", "Tile", "sections_of", "tiles_of"]

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Tile:
    """One number of the headline, with what it is to be held against."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Section:
    """A part of the report; ``lead`` says in words what the figure and the tables show."""

    name: str
    title: str
    lead: str
    figure: figures.Figure | None = None
    tables: tuple[Table, ...] = ()


def tiles_of(result: Result) -> list[Tile]:
    """Return the numbers that the verdict rests on."""
    verdict = result.get("verdict") or {}
    throughput = verdict.get("throughput") or {}
    return [
        _reaction_tile(verdict.get("reaction") or {}),
        _busiest_tile(throughput.get("utilisation_by_stage") or {}),
        Tile(
            "Backlog slope",
            show_number(throughput.get("backlog_slope_rounds_per_s")),
            f"rounds per second, {_STABLE[throughput.get('stable')]}",
        ),
        _deadline_tile(verdict.get("deadline")),
        _logical_tile(verdict.get("logical")),
        _lost_tile(result.get("rounds") or {}),
    ]


_STABLE = {True: "stable", False: "growing", None: "too short a run to tell"}


def sections_of(
    result: Result, reaction_ps: NDArray[np.int64], backlog: NDArray[np.int64]
) -> list[Section]:
    """Return the parts of the report in reading order.

    ``reaction_ps`` is int64 (n,), the reaction time of every judged window; ``backlog`` is int64
    (k, 2) of time in ps and rounds. A part that was not measured stays, and says so.
    """
    verdict = result.get("verdict") or {}
    throughput = verdict.get("throughput") or {}
    return [
        _reaction(verdict, reaction_ps),
        _stages(result),
        _utilisation(throughput),
        _backlog(verdict, backlog),
        _logical(verdict),
        _predecoder(result.get("predecoder")),
        _rounds(result.get("rounds")),
        _sources(result),
        Section(
            "run",
            "Run",
            "The same scenario and seed give these numbers again, bit for bit.",
            tables=(tables.run_table(result),),
        ),
    ]


def _reaction_tile(reaction: Result) -> Tile:
    label = f"Reaction time, {show_quantile(reaction.get('quantile'))}"
    value, limit = reaction.get("value_ps"), reaction.get("limit_ps")
    against = "no limit asked for" if limit is None else f"limit {show_time(limit)}"
    if value is None:
        against = f"{reaction.get('note') or 'not measured'}; {against}"
    return Tile(label, show_time(value), against)


def _busiest_tile(by_stage: Mapping[str, float | None]) -> Tile:
    known = {name: share for name, share in by_stage.items() if share is not None}
    if not known:
        return Tile("Busiest stage", DASH, "no stage was observed")
    name = max(known, key=known.__getitem__)
    return Tile("Busiest stage", show_percent(known[name]), stage_label(name))


def _deadline_tile(deadline: Result | None) -> Tile:
    if deadline is None:
        return Tile("Missed deadlines", DASH, "no deadline asked for")
    return Tile(
        "Missed deadlines",
        show_percent(deadline.get("rate")),
        f"{show_count(deadline.get('misses'))} of {show_count(deadline.get('samples'))} windows",
    )


def _logical_tile(logical: Result | None) -> Tile:
    if logical is None or logical.get("rate") is None:
        return Tile("Logical error rate", DASH, "not measured in this run")
    counts = f"{show_count(logical.get('errors'))} of {show_count(logical.get('shots'))} shots"
    return Tile("Logical error rate", show_number(logical["rate"]), counts)


def _lost_tile(rounds: Result) -> Tile:
    lost = show_count(rounds.get("lost"))
    return Tile("Rounds lost", lost, f"of {show_count(rounds.get('emitted'))} emitted")


def _reaction(verdict: Result, reaction_ps: NDArray[np.int64]) -> Section:
    reaction = verdict.get("reaction") or {}
    lead = (
        "Time from the end of the last round a window needs to the correction being applied, over "
        f"{show_count(len(reaction_ps))} windows."
    )
    correlation = reaction.get("autocorrelation_windows")
    if correlation is not None:
        lead += (
            f" Neighbouring windows are correlated over {show_number(correlation)} windows, which"
            " the interval allows for."
        )
    if reaction.get("note"):
        lead += f" Note: {reaction['note']}."
    confidence = verdict.get("confidence")
    parts = [tables.reaction_table(reaction_ps, reaction, confidence)]
    if verdict.get("deadline"):
        parts.append(tables.deadline_table(verdict["deadline"], confidence))
    if verdict.get("idle"):
        parts.append(tables.idle_table(verdict["idle"]))
    figure = figures.latency_ccdf(reaction_ps, reaction)
    return Section("reaction", "Reaction time", lead, figure, tuple(parts))


def _stages(result: Result) -> Section:
    stages = result.get("stages") or []
    lead = (
        "Mean time in each stage, every stage starting where the mean of the one before ends. The"
        " pale bar reaches to the stage's own 99th percentile."
    )
    parts = (tables.stage_table(stages),) if stages else ()
    if not stages:
        lead = "Not measured: no window completed."
    return Section("stages", "Stages", lead, figures.stage_waterfall(stages), parts)


def _utilisation(throughput: Result) -> Section:
    by_stage = throughput.get("utilisation_by_stage") or {}
    if not by_stage:
        return Section("utilisation", "Utilisation", "Not measured: no stage was observed.")
    lead = "Share of the time that the servers of a stage are busy; at 100 % it cannot keep up."
    figure, table = figures.utilisation(by_stage), tables.utilisation_table(throughput)
    return Section("utilisation", "Utilisation", lead, figure, (table,))


def _backlog(verdict: Result, backlog: NDArray[np.int64]) -> Section:
    lead = "Rounds that have left the processor and are not yet decoded, all patches together."
    throughput = verdict.get("throughput") or {}
    if not len(backlog):
        lead = "Not measured: no window was decoded."
    figure = figures.backlog_over_time(backlog)
    return Section(
        "backlog",
        "Backlog",
        lead,
        figure,
        (tables.backlog_table(backlog, throughput, verdict.get("confidence")),),
    )


def _logical(verdict: Result) -> Section:
    logical = verdict.get("logical")
    if logical is None or logical.get("rate") is None:
        lead = "Not measured: this run compared no decoded shot with its true outcome."
        return Section("logical", "Logical errors", lead)
    counts = f"{show_count(logical.get('errors'))} in {show_count(logical.get('shots'))} shots"
    lead = f"Logical errors: {counts}, {show_number(logical['rate'])} per shot."
    table = tables.logical_table(logical, verdict.get("confidence"))
    figure = figures.logical_error(logical)
    return Section("logical", "Logical errors", lead, figure, (table,))


def _predecoder(predecoder: Result | None) -> Section:
    if predecoder is None or predecoder.get("density_in") is None:
        lead = "Not measured: no pre-decoder was applied to syndromes in this run."
        return Section("predecoder", "Pre-decoder", lead)
    lead = (
        "Share of detectors that fire, before and after the pre-decoder; what it removes, the"
        " matcher need not match."
    )
    figure, table = figures.thinning(predecoder), tables.predecoder_table(predecoder)
    return Section("predecoder", "Pre-decoder", lead, figure, (table,))


def _rounds(rounds: Result | None) -> Section:
    if not rounds:
        return Section("rounds", "Rounds", "Not counted in this run.")
    emitted, decoded, in_flight, lost = (
        show_count(rounds.get(key)) for key in ("emitted", "decoded", "in_flight", "lost")
    )
    lead = (
        f"{emitted} emitted = {decoded} decoded + {in_flight} in flight at the end + {lost} lost."
    )
    return Section("rounds", "Rounds", lead, tables=(tables.rounds_table(rounds),))


def _sources(result: Result) -> Section:
    sources = result.get("sources") or {}
    if not sources:
        return Section("sources", "Assumptions", "No sources were recorded for this run.")
    lead = "Every value the run rests on, the least certain ones first."
    table = tables.sources_table(sources, result.get("scenario") or {})
    return Section("sources", "Assumptions", lead, tables=(table,))
