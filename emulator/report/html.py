"""The report of a run as one HTML file that needs nothing else, not even the network."""

import json
from collections.abc import Mapping

import jinja2
import numpy as np
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from emulator.report.display import MARKS
from emulator.report.figures import Figure
from emulator.report.headline import headline
from emulator.report.sections import ReportSection, sections_of, tiles_of
from emulator.report.tables import stage_table
from emulator.results.result import Result
from emulator.results.stages import judged_windows, reaction_times

__all__ = ["figures_of", "render_html", "render_summary"]


def render_html(
    result: Result, windows: Mapping[str, NDArray[np.int64]], backlog: NDArray[np.int64]
) -> str:
    """Write the report of one run as a self-contained HTML document.

    ``windows`` has an int64 array (n,) per name of ``emulator.loop.records.COLUMNS``, and
    ``disturbed`` where stages were measured (`emulator.results.stages.judged_windows`);
    ``backlog`` is int64 (k, 2) of time in ps and rounds. What the result holds as None is shown as
    a dash with the reason. Equal input gives equal text.
    """
    first = headline(result.verdict)
    sections = _sections(result, windows, backlog)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=_title(result),
            state=result.verdict.outcome,
            first=first,
            tiles=tiles_of(result),
            sections=sections,
            figures={s.name: s.figure for s in sections if s.figure is not None},
            scenario=json.dumps(result.scenario, indent=2, ensure_ascii=False),
            plotly=get_plotlyjs(),
        )
    )


def figures_of(
    result: Result, windows: Mapping[str, NDArray[np.int64]], backlog: NDArray[np.int64]
) -> dict[str, Figure]:
    """Figures of the report by the name of their part, in reading order, as plain data."""
    parts = _sections(result, windows, backlog)
    return {part.name: part.figure for part in parts if part.figure is not None}


def render_summary(result: Result) -> str:
    """Write verdict, key figures and stages of a run as a part of a page, for a notebook.

    Carries its own style and no script. Equal input gives equal text.
    """
    return (
        _environment()
        .get_template("summary.html.j2")
        .render(
            title=_title(result),
            state=result.verdict.outcome,
            mark=MARKS[result.verdict.outcome],
            marks=MARKS,
            first=headline(result.verdict),
            tiles=tiles_of(result),
            stages=stage_table(result.stages) if result.stages else None,
        )
    )


def _sections(
    result: Result, windows: Mapping[str, NDArray[np.int64]], backlog: NDArray[np.int64]
) -> list[ReportSection]:
    judged = judged_windows(dict(windows), result.verdict.warmup_windows)
    return sections_of(result, reaction_times(judged), backlog)


def _title(result: Result) -> str:
    title = result.scenario.get("run", {}).get("title")
    return str(title) if title else "Untitled scenario"


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("emulator.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
