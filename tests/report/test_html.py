import json
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from emulator.loop.records import Record, Pool
from emulator.report.html import render_html
from emulator.results import Budget, assemble
from tests.report.fixture import LIMIT_PS, make_backlog, make_result, make_windows

WINDOWS = make_windows(1000)
BACKLOG = make_backlog(WINDOWS)
RESULT = make_result(WINDOWS)


class Page(HTMLParser):
    """Text outside scripts, cells of tables, attributes that load, and scripts by id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.cells: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.classes: set[str] = set()
        self.data: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]
        self.classes |= set((dict(attrs).get("class") or "").split())
        self._open.append((tag, dict(attrs)))
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, attrs = self._open[-1] if self._open else ("", {})
        if tag == "script":
            self.data[attrs.get("id") or ""] = data
        elif tag != "style":
            self.text.append(data)
            if tag in {"td", "th"}:
                self.cells[-1] += data


def page_of(result: dict[str, Any]) -> Page:
    return Page(render_html(result, WINDOWS, BACKLOG))


def test_the_page_states_verdict_and_numbers() -> None:
    page = page_of(RESULT)
    text = " ".join(" ".join(page.text).split())
    assert "Budget met" in text
    assert RESULT["scenario"]["run"]["title"] in page.text
    for sentence in (RESULT["verdict"]["text"], *RESULT["verdict"]["reasons"]):
        assert sentence.removeprefix("budget met: ") in text
    for number in ("11,033", "11,000", "20,000", "0.00155", "0.00108 … 0.00216", "5.45", "47.8 %"):
        assert number in text
    for cell in ("pre-decoder queue", "95 % interval", "arXiv 2408.13687", "20260", "-310 … 335"):
        assert cell in page.cells
    assert "met" in page.classes
    assert "40.0 µs" in page.cells


@pytest.mark.parametrize(
    ("meets", "word", "css"),
    [
        (True, "Budget met", "met"),
        (False, "Budget missed", "missed"),
        (None, "Undecided", "undecided"),
    ],
)
def test_the_verdict_is_a_word_not_only_a_colour(meets: bool | None, word: str, css: str) -> None:
    result = deepcopy(RESULT)
    result["verdict"]["meets_budget"] = meets
    page = page_of(result)
    assert word in page.text
    assert page.classes & {"met", "missed", "undecided"} == {css}


def test_every_figure_has_its_place_and_a_table() -> None:
    html = render_html(RESULT, WINDOWS, BACKLOG)
    figures = json.loads(Page(html).data["figures"])
    assert sorted(figures) == [
        "backlog",
        "logical",
        "predecoder",
        "reaction",
        "stages",
        "utilisation",
    ]
    for name in figures:
        part = html[html.index(f'<section id="{name}">') :]
        part = part[: part.index("</section>")]
        assert f'id="figure-{name}"' in part
        assert "<table" in part


def test_the_page_loads_nothing_and_stays_small() -> None:
    html = render_html(RESULT, WINDOWS, BACKLOG)
    assert Page(html).loads == ["data:,"]
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert len(html.encode()) < 6_000_000
    assert len(Page(html).data["figures"]) < 200_000


def test_the_page_is_the_same_every_time() -> None:
    assert render_html(RESULT, WINDOWS, BACKLOG) == render_html(deepcopy(RESULT), WINDOWS, BACKLOG)


def test_text_of_a_scenario_cannot_become_markup() -> None:
    evil = '</script><script>alert("x")</script><img src="http://evil/x">'
    result = deepcopy(RESULT)
    result["scenario"]["run"]["title"] = evil
    result["verdict"]["text"] = evil
    result["verdict"]["reasons"] = [evil]
    result["verdict"]["throughput"]["utilisation_by_stage"] = {evil: 0.5}
    result["sources"] = {evil: {"kind": evil, "where": evil, "source": evil, "confidence": evil}}
    page, clean = page_of(result), page_of(RESULT)
    assert page.tags.count("script") == clean.tags.count("script")
    assert "img" not in page.tags
    assert page.loads == ["data:,"]
    assert evil in page.text
    assert json.loads(page.data["figures"])["utilisation"]["data"][0]["y"] != []


def test_a_run_that_measured_nothing_still_has_a_report() -> None:
    windows = {name: column[:0] for name, column in WINDOWS.items()}
    html = render_html({}, windows, np.empty((0, 2), dtype=np.int64))
    page = Page(html)
    text = " ".join(page.text)
    assert "Undecided" in text
    assert "Untitled scenario" in text
    assert text.count("Not measured") >= 4
    assert json.loads(page.data["figures"]) == {}
    assert "0" not in page.cells


def test_parts_without_a_number_say_why() -> None:
    result = deepcopy(RESULT)
    verdict = result["verdict"]
    verdict["reaction"] |= {"value_ps": None, "ci_ps": None, "note": "9 windows are too few"}
    verdict["logical"] = dict.fromkeys(verdict["logical"])
    verdict["deadline"] = None
    verdict["throughput"] |= {"backlog_slope_rounds_per_s": None, "ci": None, "stable": None}
    result["predecoder"] = None
    text = " ".join(" ".join(page_of(result).text).split())
    assert "9 windows are too few; limit 40.0 µs" in text
    assert "Not measured: this run compared no decoded shot with its true outcome." in text
    assert "Not measured: no pre-decoder was applied" in text
    assert "no deadline asked for" in text
    assert "too short a run to tell" in text


def test_windows_of_the_warm_up_are_left_out() -> None:
    result = deepcopy(RESULT)
    result["verdict"]["reaction"]["samples"] = 900
    windows = {name: column.copy() for name, column in WINDOWS.items()}
    windows["applied_ps"][:100] += 10**12
    page = Page(render_html(result, windows, BACKLOG))
    assert "over 900 windows" in " ".join(page.text)
    assert not any(cell.startswith("1.00 s") for cell in page.cells)


def test_idling_is_shown_when_there_is_feedback() -> None:
    result = deepcopy(RESULT)
    result["verdict"]["idle"] = {
        "operations": 77,
        "mean_rounds": 21.4,
        "max_rounds": 63,
        "distance_to_compensate": None,
    }
    cells = page_of(result).cells
    assert cells[cells.index("operations that waited") + 1] == "77"
    assert cells[cells.index("worth in code distance") + 1] == "–"


def test_what_the_results_assemble_is_understood() -> None:
    rounds = 11 * len(WINDOWS["window"])
    record = Record(
        windows=WINDOWS,
        lost=np.empty((0, 4), dtype=np.int64),
        causes=(),
        emitted=rounds,
        decoded=rounds,
        in_flight=0,
        lost_by_cause={},
        pools={"predecode": Pool(2, 10**10), "decode": Pool(3, 7 * 10**9)},
        horizon_ps=int(WINDOWS["emitted_ps"][-1]),
        end_ps=int(WINDOWS["applied_ps"].max()),
        backlog=BACKLOG,
        messages={},
        responses=np.empty((0, 2), dtype=np.int64),
    )
    result = assemble(
        record,
        budget=Budget(limit_ps=LIMIT_PS),
        timing={"decode": ("profile", "measured")},
        scenario=RESULT["scenario"],
        sources=RESULT["sources"],
        versions={},
        seed=1,
        engine="batch",
        round_period_ps=10**6,
        rounds_per_shot=1100,
        wrong=np.arange(10).reshape(1, 10) == 3,
        warmup_windows=100,
    )
    text = " ".join(" ".join(page_of(result).text).split())
    assert "over 900 windows" in text
    assert "1 in 10 shots, 0.100 per shot" in text
    assert "Budget " in text
    assert "rounds on average" in text
    assert result["verdict"]["text"].partition(": ")[2] in text
