"""The report of a run as one HTML file that needs nothing else, not even the network."""

import json
from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from emulator.report.headline import headline
from emulator.report.sections import sections_of, tiles_of

__all__ = ["render_html"]

_STATES = {True: "met", False: "missed", None: "undecided"}


def render_html(
    result: Mapping[str, Any], windows: Mapping[str, NDArray[np.int64]], backlog: NDArray[np.int64]
) -> str:
    """Write the report of one run as a self-contained HTML document.

    ``result`` is the content of ``result.json``; ``windows`` has an int64 array (n,) per name of
    ``emulator.loop.records.COLUMNS``; ``backlog`` is int64 (k, 2) of time in ps and rounds. What
    the result holds as None is shown as a dash with the reason. Equal input gives equal text.
    """
    verdict = result.get("verdict") or {}
    scenario = result.get("scenario") or {}
    word, text, reasons = headline(verdict)
    sections = sections_of(result, _judged(windows, verdict.get("reaction") or {}), backlog)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=(scenario.get("run") or {}).get("title") or "Untitled scenario",
            state=_STATES[verdict.get("meets_budget")],
            word=word,
            text=text,
            reasons=reasons,
            tiles=tiles_of(result),
            sections=sections,
            figures={s.name: s.figure for s in sections if s.figure is not None},
            scenario=json.dumps(scenario, indent=2, ensure_ascii=False),
            plotly=get_plotlyjs(),
        )
    )


def _judged(
    windows: Mapping[str, NDArray[np.int64]], reaction: Mapping[str, Any]
) -> NDArray[np.int64]:
    """Reaction times of the windows that were judged: all but the first ones, if it warmed up."""
    reaction_ps = windows["applied_ps"] - windows["emitted_ps"]
    samples = reaction.get("samples")
    return reaction_ps if samples is None else reaction_ps[max(0, len(reaction_ps) - samples) :]


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("emulator.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
