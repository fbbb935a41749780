"""A run in one call, and its result with tables and figures: what programs and notebooks use."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emulator.errors import MissingToolError, RoundtripError
from emulator.results.comparison import Arm, Comparison
from emulator.results.comparison import compare as compare_arms
from emulator.results.result import Result, Rounds, Stage, Verdict
from emulator.results.store import Table, check_place, read_run, write_run
from emulator.run.decoding import different_shots
from emulator.run.experiment import Experiment, run_experiment, run_tables
from emulator.run.preparation import load
from emulator.run.progress import Progress
from emulator.scenario.load import Resolved

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from plotly.graph_objects import Figure

__all__ = ["Run", "compare", "read", "run"]

_WIDTH = 80


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A finished run: its result, the tables behind it, and what can be drawn of both.

    ``tables`` has the columns of ``windows``, ``messages`` and ``backlog`` by name, int64 (n,),
    instants in picoseconds. ``experiment`` has every value between scenario and result; None for a
    run read from a folder. A notebook shows a run as its verdict, key figures and stages.
    """

    result: Result
    tables: Mapping[str, Table]
    experiment: Experiment | None = None

    @property
    def verdict(self) -> Verdict:
        """What the run amounts to: ``verdict.outcome`` is met, missed or undecided."""
        return self.result.verdict

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Where the reaction time goes."""
        return self.result.stages

    @property
    def rounds(self) -> Rounds:
        """What became of every round."""
        return self.result.rounds

    @property
    def windows(self) -> "pl.DataFrame":
        """A row a window: who it is, and the instant of every stage (``emulator.loop.records``)."""
        return self._frame("windows")

    @property
    def messages(self) -> "pl.DataFrame":
        """A row a message up the link."""
        return self._frame("messages")

    @property
    def backlog(self) -> "pl.DataFrame":
        """Rounds emitted and not yet decoded over time."""
        return self._frame("backlog")

    def to_pandas(self, table: str = "windows") -> "pd.DataFrame":
        """One of the tables as a pandas frame; MissingToolError without pandas."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingToolError(
                "pandas is not installed; pip install 'roundtrip-emulator[pandas]', or take "
                "run.windows, which is a Polars frame."
            ) from error
        return pd.DataFrame(dict(self._columns(table)))

    def summary(self) -> str:
        """The run in text of 80 columns, as ``roundtrip run`` prints it: the verdict first."""
        from rich.console import Console

        from emulator.report.terminal import print_result

        text = io.StringIO()
        print_result(self.result, Console(file=text, width=_WIDTH, no_color=True))
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def figures(self) -> "dict[str, Figure]":
        """The figures of the report that this run has, by name, such as ``reaction``."""
        from plotly.graph_objects import Figure

        from emulator.report.html import figures_of

        drawn = figures_of(self.result, dict(self._columns("windows")), self._backlog())
        return {
            name: Figure(figure).update_layout(template="none") for name, figure in drawn.items()
        }

    def figure(self, name: str = "reaction") -> "Figure":
        """One of `figures`; RoundtripError, with the names there are, for another."""
        figures = self.figures()
        if name not in figures:
            raise RoundtripError(
                f'"{name}" is no figure of this run; there are {", ".join(figures)}.'
            )
        return figures[name]

    def save(self, folder: Path | str) -> None:
        """Write a run folder as ``roundtrip run`` does, with the report; RoundtripError if not."""
        write_run(Path(folder), self.result, self.tables, {"report.html": self.report()})

    def report(self) -> str:
        """The report of the run, one HTML document that needs no network."""
        from emulator.report.html import render_html

        return render_html(self.result, self._columns("windows"), self._backlog())

    def _columns(self, table: str) -> Table:
        if table not in self.tables:
            raise RoundtripError(
                f'"{table}" is no table of this run; there are {", ".join(self.tables)}.'
            )
        return self.tables[table]

    def _frame(self, table: str) -> "pl.DataFrame":
        import polars as pl

        return pl.DataFrame(dict(self._columns(table)))

    def _backlog(self) -> NDArray[np.int64]:
        backlog = self._columns("backlog")
        return np.stack([backlog["time_ps"], backlog["rounds"]], axis=1)

    def __repr__(self) -> str:
        return f"<Run {self.verdict.outcome}: {self.verdict.text}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from emulator.report.html import render_summary

        return render_summary(self.result)


def run(
    scenario: Path | str | Mapping[str, Any] | Resolved,
    /,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    like: Run | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    **arguments: Any,
) -> Run:
    """Run a scenario from syndromes to verdict.

    ``scenario``, ``overrides`` and ``arguments`` are those of `load`, or ``scenario`` is what it
    returned. ``like`` is a run whose source and answers are taken over where this one would have
    the same, so that nothing is decoded twice. No file is written but with ``out``, a folder for
    result, tables and report. ``progress`` is called with a word, and how many pieces of how many
    are done. Raises RoundtripError.
    """
    if not isinstance(scenario, Resolved):
        scenario = load(scenario, overrides, **arguments)
    elif overrides or arguments:
        raise RoundtripError("a loaded scenario cannot be changed; give the changes to load.")
    if like is not None and like.experiment is None:
        raise RoundtripError("like: a run read from a folder has no answers to take over.")
    if out is not None:
        check_place(Path(out))
    earlier = None if like is None else like.experiment
    experiment = run_experiment(scenario, like=earlier, progress=progress)
    finished = Run(experiment.result, run_tables(experiment), experiment)
    if out is not None:
        finished.save(out)
    return finished


def read(folder: Path | str) -> Run:
    """Read the folder of a run; RoundtripError when it is none, or of another version."""
    found = read_run(Path(folder))
    return Run(found.result, found.tables)


def compare(first: Run, second: Run) -> Comparison:
    """Set two runs on the same shots side by side: speed, reaction times, paired logical errors.

    Ratios are those of the second over the first. Raises RoundtripError for runs on other shots,
    and for one read from a folder, which does not tell which shots were decoded wrongly.
    """
    arms, scenarios = [], []
    for each in (first, second):
        done = each.experiment
        if done is None:
            raise RoundtripError("a run read from a folder cannot be compared; run it again.")
        arms.append(Arm(done.result, done.record, done.wrong))
        scenarios.append(done.prepared.scenario)
    different = different_shots(*scenarios)
    if different:
        raise RoundtripError(
            f"the runs differ in {' and '.join(different)}, so they did not decode the same shots; "
            "run both with the same."
        )
    return compare_arms(*arms)
