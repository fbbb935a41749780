"""Two runs on the same shots as one table in a terminal."""

from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emulator.report.display import (
    DASH,
    printable,
    show_count,
    show_interval,
    show_number,
    show_quantile,
    show_time,
)
from emulator.results.comparison import ArmSummary, Comparison, PairedErrors

__all__ = ["print_comparison"]

_INDENT = " " * 11
_STABLE = {True: "keeps up", False: "falls behind", None: "undecided"}


def print_comparison(comparison: Comparison, second_name: str, console: Console) -> None:
    """Print what `emulator.results.compare` returns; fits 80 columns.

    In characters that the console's encoding has.
    """
    first, second = comparison.arms
    quantile = show_quantile(first.verdict.reaction.quantile)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("scenario", second_name):
        table.add_column(Text(name), justify="right")
    rows: dict[str, Callable[[ArmSummary], str]] = {
        "decoding time per round": lambda arm: show_time(arm.decoding_ps_per_round),
        "reaction p50": lambda arm: show_time(arm.reaction_p50_ps),
        f"reaction {quantile}": lambda arm: show_time(arm.verdict.reaction.value_ps),
        "throughput": lambda arm: _STABLE[arm.verdict.throughput.stable],
        "budget": lambda arm: arm.verdict.outcome,
        "logical error rate": lambda arm: show_number(arm.verdict.logical.rate),
    }
    for label, cell in rows.items():
        cells = (Text(printable(cell(arm), console.encoding)) for arm in (first, second))
        table.add_row(label, *cells)
    console.print(table)
    caveats = [
        f"{arm}: {caveat}"
        for arm, of in zip(("Scenario", "Other arm"), (first, second), strict=True)
        for caveat in of.verdict.caveats
    ]
    for line in (*caveats, _speed(comparison), _errors(comparison.logical)):
        console.print(Text(printable(line, console.encoding)))


def _speed(comparison: Comparison) -> str:
    speedup = comparison.speedup
    if speedup is None:
        return f"Speed      {DASH} (an arm took no time to decode)"
    ratio = comparison.reaction_ratio
    return (
        f"Speed      scenario decodes {show_number(speedup)} times as fast;\n{_INDENT}"
        f"its reaction p50 is {show_number(1 / ratio if ratio else None)} times the other"
    )


def _errors(logical: PairedErrors | None) -> str:
    if logical is None:
        return f"Logical    {DASH} (true observables are not known)"
    mine, other = (show_count(count) for count in logical.errors)
    shots = f"errors on the same {show_count(logical.shots)} shots"
    if logical.ratio is None:
        return f"Logical    {mine} against {other} {shots}"
    return (
        f"Logical    {other} / {mine} {shots}: "
        f"{show_number(logical.ratio)} times as good\n{_INDENT}"
        f"({show_interval(logical.ratio_ci, show_number)}), "
        f"McNemar p = {show_number(logical.p_value)}"
    )
