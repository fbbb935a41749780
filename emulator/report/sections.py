"""What a report says, part by part: a lead in words, a figure, and the same numbers in tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.report import figures, tables
from emulator.report.display import (
    DASH,
    server_label,
    show_count,
    show_interval,
    show_number,
    show_percent,
    show_quantile,
    show_time,
)
from emulator.report.tables import Table
from emulator.results.result import (
    Deadline,
    Logical,
    PredecoderCounts,
    Reaction,
    Result,
    Rounds,
    Stage,
    Throughput,
    Verdict,
)

__all__ = ["ReportSection", "Tile", "sections_of", "tiles_of"]


@dataclass(frozen=True)
class Tile:
    """One number of the headline, with what it is to be held against."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class ReportSection:
    """A part of the report; ``lead`` says in words what the figure and the tables show."""

    name: str
    title: str
    lead: str
    figure: figures.Figure | None = None
    tables: tuple[Table, ...] = ()


def tiles_of(result: Result) -> list[Tile]:
    """Return the numbers that the verdict rests on."""
    verdict = result.verdict
    return [
        _reaction_tile(verdict.reaction),
        _busiest_tile(verdict.throughput),
        _backlog_tile(verdict.throughput),
        _deadline_tile(verdict.deadline),
        _logical_tile(verdict.logical),
        Tile(
            "Rounds lost",
            show_count(result.rounds.lost),
            f"of {show_count(result.rounds.emitted)} emitted",
        ),
    ]


_STABLE = {True: "keeps up", False: "falls behind", None: "too short a run to tell"}


def sections_of(
    result: Result, reaction_ps: NDArray[np.int64], backlog: NDArray[np.int64]
) -> list[ReportSection]:
    """Return the parts of the report in reading order.

    ``reaction_ps`` is int64 (n,), the reaction times of the windows that are judged; ``backlog``
    is int64 (k, 2) of time in ps and rounds. A part that was not measured stays, and says so.
    """
    verdict = result.verdict
    return [
        _reaction(verdict, reaction_ps),
        _stages(result.stages),
        _utilisation(verdict),
        _backlog(verdict, backlog),
        _logical(verdict),
        _predecoder(result.predecoder),
        _rounds(result.rounds),
        _sources(result),
        _run(result),
    ]


def _reaction_tile(reaction: Reaction) -> Tile:
    label, limit = f"Reaction time, {show_quantile(reaction.quantile)}", reaction.limit_ps
    against = "no limit asked for" if limit is None else f"limit {show_time(limit)}"
    if reaction.value_ps is None:
        against = f"{reaction.note or 'not measured'}; {against}"
    return Tile(label, show_time(reaction.value_ps), against)


def _busiest_tile(throughput: Throughput) -> Tile:
    name = throughput.bottleneck
    if name is None:
        return Tile("Busiest stage", DASH, "no stage was observed")
    load, busy = throughput.load_by_stage[name].value, throughput.utilisation_by_stage[name]
    if load is None:
        return Tile("Busiest stage", show_percent(busy), f"{server_label(name)}, busy")
    return Tile(
        "Highest load", show_percent(load), f"{server_label(name)}, busy {show_percent(busy)}"
    )


def _backlog_tile(throughput: Throughput) -> Tile:
    slope, known = throughput.backlog_slope_rounds_per_s, _STABLE[throughput.stable]
    if throughput.ci is None:
        return Tile("Backlog slope", show_number(slope), f"rounds per second, {known}")
    ends = show_interval(throughput.ci, show_number)
    return Tile("Backlog slope", show_number(slope), f"rounds per second ({ends}), {known}")


def _deadline_tile(deadline: Deadline | None) -> Tile:
    if deadline is None:
        return Tile("Missed deadlines", DASH, "no deadline asked for")
    return Tile(
        "Missed deadlines",
        show_percent(deadline.rate),
        f"{show_count(deadline.misses)} of {show_count(deadline.samples)} windows",
    )


def _logical_tile(logical: Logical) -> Tile:
    if logical.rate is None:
        return Tile("Logical error rate", DASH, "not measured in this run")
    counts = f"{show_count(logical.errors)} of {show_count(logical.shots)} shots"
    causes = tables.failure_causes(logical)
    return Tile(
        "Logical error rate",
        show_number(logical.rate),
        f"{counts}: {causes}" if causes else counts,
    )


def _reaction(verdict: Verdict, reaction_ps: NDArray[np.int64]) -> ReportSection:
    reaction, confidence = verdict.reaction, verdict.confidence
    lead = (
        "Time from the end of the last round a window needs to the correction being applied, over "
        f"{show_count(len(reaction_ps))} windows."
    )
    if reaction.autocorrelation_windows is not None and reaction.autocorrelation_windows >= 1.05:
        lead += (
            " Neighbouring windows are correlated: the interval counts "
            f"{show_number(reaction.autocorrelation_windows)} of them as one."
        )
    if reaction.note:
        lead += f" Note: {reaction.note}."
    parts = [tables.reaction_table(reaction_ps, reaction, confidence)]
    if verdict.deadline is not None:
        parts.append(tables.deadline_table(verdict.deadline, confidence))
    if verdict.idle is not None:
        parts.append(tables.idle_table(verdict.idle))
    if verdict.disturbed is not None:
        parts.append(tables.disturbed_table(verdict.disturbed))
        if verdict.disturbed.left_out:
            lead += (
                f" {show_count(verdict.disturbed.left_out)} more were disturbed by other work on"
                " the machine: they are neither drawn nor judged."
            )
    figure = figures.latency_ccdf(reaction_ps, reaction)
    return ReportSection("reaction", "Reaction time", lead, figure, tuple(parts))


def _stages(stages: tuple[Stage, ...]) -> ReportSection:
    figure = figures.stage_waterfall(stages)
    if figure is None:
        return ReportSection("stages", "Stages", "Not measured: no window completed.")
    lead = (
        "Mean time in each stage, every stage starting where the mean of the one before ends. The"
        " pale bar reaches to the stage's own 99th percentile."
    )
    return ReportSection("stages", "Stages", lead, figure, (tables.stage_table(stages),))


def _utilisation(verdict: Verdict) -> ReportSection:
    throughput = verdict.throughput
    if not throughput.utilisation_by_stage:
        return ReportSection("utilisation", "Utilisation", "Not measured: no stage was observed.")
    lead = (
        "Share of the time that the servers of a stage are busy, and the work offered to them over"
        " what they can do. A stage whose load is above 100 % cannot keep up, however long it"
        " takes until that shows."
    )
    figure = figures.utilisation(throughput)
    table = tables.utilisation_table(throughput, verdict.confidence)
    return ReportSection("utilisation", "Utilisation", lead, figure, (table,))


def _backlog(verdict: Verdict, backlog: NDArray[np.int64]) -> ReportSection:
    lead = "Rounds that have left the processor and are not yet decoded, all patches together."
    if not len(backlog):
        lead = "Not measured: no window was decoded."
    figure = figures.backlog_over_time(backlog)
    table = tables.backlog_table(backlog, verdict.throughput, verdict.confidence)
    return ReportSection("backlog", "Backlog", lead, figure, (table,))


def _logical(verdict: Verdict) -> ReportSection:
    logical = verdict.logical
    if logical.rate is None:
        lead = "Not measured: this run compared no decoded shot with its true outcome."
        return ReportSection("logical", "Logical errors", lead)
    counts = f"{show_count(logical.errors)} of {show_count(logical.shots)} shots failed"
    causes = tables.failure_causes(logical)
    lead = (
        f"{counts}, {show_number(logical.rate)} per shot{f' ({causes})' if causes else ''}. A shot"
        " fails when its answer is wrong, or a window of it comes after the limit or never."
    )
    table = tables.logical_table(logical, verdict.confidence)
    figure = figures.logical_error(logical)
    return ReportSection("logical", "Logical errors", lead, figure, (table,))


def _predecoder(predecoder: PredecoderCounts | None) -> ReportSection:
    if predecoder is None or predecoder.density_in is None:
        lead = "Not measured: no pre-decoder was applied to syndromes in this run."
        return ReportSection("predecoder", "Pre-decoder", lead)
    lead = (
        "Share of detectors that fire, before and after the pre-decoder; what it removes, the"
        " matcher need not match."
    )
    figure, table = figures.thinning(predecoder), tables.predecoder_table(predecoder)
    return ReportSection("predecoder", "Pre-decoder", lead, figure, (table,))


def _rounds(rounds: Rounds) -> ReportSection:
    emitted, decoded, in_flight, lost = (
        show_count(count)
        for count in (rounds.emitted, rounds.decoded, rounds.in_flight, rounds.lost)
    )
    lead = (
        f"{emitted} emitted = {decoded} decoded + {in_flight} in flight at the end + {lost} lost."
    )
    return ReportSection("rounds", "Rounds", lead, tables=(tables.rounds_table(rounds),))


def _sources(result: Result) -> ReportSection:
    if not result.sources:
        return ReportSection("sources", "Assumptions", "No sources were recorded for this run.")
    lead = "Every value the run rests on, the least certain ones first."
    table = tables.sources_table(result.sources, result.scenario)
    return ReportSection("sources", "Assumptions", lead, tables=(table,))


def _run(result: Result) -> ReportSection:
    lead = "The same scenario and seed give these numbers again, bit for bit."
    if not result.repeatable:
        lead = (
            "Times of stages were measured on this machine. The same scenario and seed give the"
            " same shots and corrections again, but other times."
        )
    parts = [tables.run_table(result)]
    if result.machine is not None:
        parts.append(tables.machine_table(result.machine))
    return ReportSection("run", "Run", lead, tables=tuple(parts))
