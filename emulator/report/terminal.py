"""The result of a run as it stands in a terminal: the verdict first, then the tables behind it."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from emulator.report import tables
from emulator.report.display import (
    MARKS,
    printable,
    server_label,
    show_count,
    show_interval,
    show_number,
    show_percent,
    show_quantile,
    show_time,
)
from emulator.report.headline import headline
from emulator.report.tables import Table
from emulator.results.result import (
    Deadline,
    Logical,
    Outcome,
    Reaction,
    Result,
    Rounds,
    Throughput,
    Verdict,
)

__all__ = ["print_result"]

_STYLES: dict[Outcome, str] = {
    "met": "bold green",
    "missed": "bold red",
    "undecided": "bold yellow",
}
_STAGE_COLUMNS = ("Stage", "Mean", "p99", "p99.9", "Max", "Share", "Confidence")


def print_result(result: Result, console: Console) -> None:
    """Print a result: verdict, what would decide it, stages, rounds and logical errors.

    Fits 80 columns; without colours where the console has none, as in a file or a pipe, and in
    characters that its encoding has.
    """
    _print_verdict(result.verdict, console)
    if result.stages:
        _print_table(_short(tables.stage_table(result.stages)), console)
    for line in _lines(result):
        _print(line, console)


def _print(line: str, console: Console, style: str = "") -> None:
    console.print(Text(printable(line, console.encoding), style))


def _print_verdict(verdict: Verdict, console: Console) -> None:
    first = headline(verdict)
    _print(f"{MARKS[verdict.outcome]} {first.word}", console, _STYLES[verdict.outcome])
    for caveat in first.caveats:
        _print(caveat, console, "bold")
    _print(first.text, console)
    if first.decide:
        _print(f"What would decide: {first.decide}", console, "bold")
    for finding in first.findings:
        _print(f"  {MARKS[finding.outcome]} {finding.text}", console)


def _short(table: Table) -> Table:
    """Return the columns of the stage table that 80 characters have room for."""
    keep = [table.head.index(name) for name in _STAGE_COLUMNS]
    rows = tuple(tuple(row[k] for k in keep) for row in table.rows)
    text = frozenset(new for new, old in enumerate(keep) if old in table.text)
    return Table(table.caption, _STAGE_COLUMNS, rows, text, table.note)


def _print_table(table: Table, console: Console) -> None:
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for k, name in enumerate(table.head):
        is_text = k in table.text
        drawn.add_column(
            name,
            justify="left" if is_text else "right",
            no_wrap=not is_text,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell, console.encoding)) for cell in row))
    console.print(drawn)
    if table.has_dash:
        _print(f"– {table.note}", console)


def _lines(result: Result) -> list[str]:
    verdict = result.verdict
    facts = [
        ("Reaction", _reaction(verdict.reaction)),
        ("Deadline", _deadline(verdict.deadline)),
        ("Throughput", _throughput(verdict.throughput)),
        ("Logical", _logical(verdict.logical)),
        ("Rounds", _rounds(result.rounds)),
        ("Lost", _lost(result.rounds)),
    ]
    return [f"{name:<11} {fact}" for name, fact in facts if fact]


def _reaction(reaction: Reaction) -> str:
    limit = reaction.limit_ps
    against = "no limit asked for" if limit is None else f"limit {show_time(limit)}"
    if reaction.value_ps is None:
        return f"– ({reaction.note or 'not measured'}), {against}"
    quantile, value = show_quantile(reaction.quantile), show_time(reaction.value_ps)
    return f"{quantile} {value} ({show_interval(reaction.ci_ps, show_time)}), {against}"


def _deadline(deadline: Deadline | None) -> str:
    if deadline is None:
        return "– not asked for"
    counts = f"{show_count(deadline.misses)} of {show_count(deadline.samples)} windows late"
    return f"{counts}, {show_percent(deadline.rate)}"


def _throughput(throughput: Throughput) -> str:
    stage = throughput.bottleneck
    busy = "– no stage observed"
    if stage is not None:
        load = throughput.load_by_stage[stage].value
        share = show_percent(throughput.utilisation_by_stage[stage])
        busy = f"{server_label(stage)} busy {share}"
        if load is not None:
            busy += f", load {show_number(load)}"
    slope = throughput.backlog_slope_rounds_per_s
    if slope is None:
        return f"{busy}, backlog slope – (too few windows)"
    return f"{busy}, backlog slope {show_number(slope)} rounds/s"


def _logical(logical: Logical) -> str:
    if logical.rate is None:
        return "– not measured in this run"
    counts = f"{show_count(logical.errors)} of {show_count(logical.shots)} shots failed"
    interval = show_interval(logical.ci, show_number)
    text = f"{counts}, rate {show_number(logical.rate)} ({interval})"
    if logical.late_unknown and logical.decoder_ci is not None:
        alone = show_interval(logical.decoder_ci, show_number)
        text = f"{text}, wrong answers alone {show_number(logical.decoder_rate)} ({alone})"
    causes = tables.failure_causes(logical)
    return f"{text}: {causes}" if causes else text


def _rounds(rounds: Rounds) -> str:
    emitted, decoded, in_flight, lost = (
        show_count(count)
        for count in (rounds.emitted, rounds.decoded, rounds.in_flight, rounds.lost)
    )
    return f"{emitted} emitted = {decoded} decoded + {in_flight} in flight + {lost} lost"


def _lost(rounds: Rounds) -> str:
    causes = {cause: count for cause, count in rounds.lost_by_cause.items() if count}
    return ", ".join(f"{cause.replace('_', ' ')} {count:,}" for cause, count in causes.items())
