"""The result of a run as it stands in a terminal: the verdict first, then the tables behind it."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from emulator.report import tables
from emulator.report.display import (
    show_count,
    show_interval,
    show_number,
    show_percent,
    show_quantile,
    show_time,
    stage_label,
)
from emulator.report.headline import headline
from emulator.report.tables import Table

__all__ = ["print_result"]

Result = Mapping[str, Any]

_MARKS = {True: ("✓", "bold green"), False: ("✗", "bold red"), None: ("?", "bold yellow")}
_STAGE_COLUMNS = ("Stage", "Mean", "p99", "p99.9", "Max", "Share", "Confidence")


def print_result(result: Result, console: Console) -> None:
    """Print the content of ``result.json``: verdict, stages, rounds and logical errors.

    Fits 80 columns; without colours where the console has none, as in a file or a pipe.
    """
    verdict = result.get("verdict") or {}
    _print_verdict(verdict, console)
    stages = result.get("stages") or ()
    if stages:
        _print_table(_short(tables.stage_table(stages)), console)
    for line in _lines(result, verdict):
        console.print(Text(line))


def _print_verdict(verdict: Result, console: Console) -> None:
    mark, style = _MARKS[verdict.get("meets_budget")]
    word, text, reasons = headline(verdict)
    console.print(Text(f"{mark} {word}", style))
    if text:
        console.print(Text(text))
    for reason in reasons:
        console.print(Text(f"  - {reason}"))


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
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
    if table.has_dash:
        console.print(Text(f"– {table.note}"))


def _lines(result: Result, verdict: Result) -> list[str]:
    facts = [
        ("Reaction", _reaction(verdict.get("reaction") or {})),
        ("Deadline", _deadline(verdict.get("deadline"))),
        ("Throughput", _throughput(verdict.get("throughput") or {})),
        ("Logical", _logical(verdict.get("logical"))),
        ("Rounds", _rounds(result.get("rounds"))),
        ("Lost", _lost(result.get("rounds"))),
    ]
    return [f"{name:<11} {fact}" for name, fact in facts if fact]


def _reaction(reaction: Result) -> str:
    limit = reaction.get("limit_ps")
    against = "no limit asked for" if limit is None else f"limit {show_time(limit)}"
    if reaction.get("value_ps") is None:
        return f"– ({reaction.get('note') or 'not measured'}), {against}"
    quantile, value = show_quantile(reaction.get("quantile")), show_time(reaction["value_ps"])
    return f"{quantile} {value} ({show_interval(reaction.get('ci_ps'), show_time)}), {against}"


def _deadline(deadline: Result | None) -> str:
    if deadline is None:
        return "– not asked for"
    counts = f"{_count(deadline, 'misses')} of {_count(deadline, 'samples')} windows late"
    return f"{counts}, {show_percent(deadline.get('rate'))}"


def _throughput(throughput: Result) -> str:
    shares = {k: v for k, v in (throughput.get("utilisation_by_stage") or {}).items() if v}
    busiest = max(shares, key=shares.__getitem__, default=None)
    busy = (
        "– no stage observed"
        if busiest is None
        else f"{stage_label(busiest)} busy {show_percent(shares[busiest])}"
    )
    slope = throughput.get("backlog_slope_rounds_per_s")
    if slope is None:
        return f"{busy}, backlog slope – (run too short)"
    return f"{busy}, backlog slope {show_number(slope)} rounds/s"


def _logical(logical: Result | None) -> str:
    if logical is None or logical.get("rate") is None:
        return "– not measured in this run"
    counts = f"{_count(logical, 'errors')} errors in {_count(logical, 'shots')} shots"
    interval = show_interval(logical.get("ci"), show_number)
    return f"{counts}, rate {show_number(logical['rate'])} ({interval})"


def _rounds(rounds: Result | None) -> str:
    if not rounds:
        return "– not counted in this run"
    parts = [f"{_count(rounds, key)} {key.replace('_', ' ')}" for key in _ROUNDS]
    return f"{parts[0]} = {' + '.join(parts[1:])}"


def _lost(rounds: Result | None) -> str:
    causes = {k: n for k, n in ((rounds or {}).get("lost_by_cause") or {}).items() if n}
    return ", ".join(f"{cause.replace('_', ' ')} {n:,}" for cause, n in causes.items())


_ROUNDS = ("emitted", "decoded", "in_flight", "lost")


def _count(counts: Result, key: str) -> str:
    return show_count(counts.get(key))
