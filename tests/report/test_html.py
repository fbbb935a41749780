import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from emulator.report.display import show_time
from emulator.report.html import render_html
from emulator.results import Budget, Outcome, Result
from tests.report.fixture import (
    DROPPED,
    STAND_IN,
    changed,
    finding,
    make_backlog,
    make_result,
    make_windows,
)
from tests.results.made import answers_of, disturbed, judged
from tests.results.queue import ROUND_PS, run_of

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


def page_of(result: Result) -> Page:
    return Page(render_html(result, WINDOWS, BACKLOG))


def test_the_page_states_verdict_and_numbers() -> None:
    page = page_of(RESULT)
    text = " ".join(" ".join(page.text).split())
    assert "Budget met" in text
    assert RESULT.scenario["run"]["title"] in page.text
    for sentence in (RESULT.verdict.text, *RESULT.verdict.reasons):
        assert sentence.removeprefix("budget met: ") in text
    for number in ("11,033", "11,000", "20,000", "0.00190", "0.00134 … 0.00261", "5.45", "47.8 %"):
        assert number in text
    for cell in ("pre-decoder queue", "95 % interval", "arXiv 2408.13687", "20260", "-310 … 335"):
        assert cell in page.cells
    assert "met" in page.classes
    assert "40.0 µs" in page.cells


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("met", "Budget met"), ("missed", "Budget missed"), ("undecided", "Undecided")],
)
def test_the_verdict_is_a_word_not_only_a_colour(outcome: Outcome, word: str) -> None:
    page = page_of(changed(RESULT, {"verdict.outcome": outcome}))
    assert word in page.text
    assert page.classes & {"met", "missed", "undecided"} == {outcome}


def test_what_would_decide_and_every_finding_stand_in_the_verdict() -> None:
    changes: dict[str, Any] = {
        "verdict.outcome": "undecided",
        "verdict.text": "undecided: a is short",
        "verdict.decide": "about 4,000 more shots",
        "verdict.findings": [
            finding("a is short", "undecided"),
            finding("b holds"),
            finding("c informs", None),
        ],
    }
    html = render_html(changed(RESULT, changes), WINDOWS, BACKLOG)
    verdict = html[html.index('<section class="verdict') : html.index("</section>")]
    assert "<strong>What would decide:</strong> about 4,000 more shots" in verdict
    assert '<li class="finding-met">b holds</li>' in verdict
    assert '<li class="finding-none">c informs</li>' in verdict
    assert '<li class="finding-undecided">' not in verdict
    assert "What would decide" not in render_html(RESULT, WINDOWS, BACKLOG)


def test_what_the_answers_do_not_stand_for_comes_before_the_verdict_line() -> None:
    changes = {"verdict.stand_ins": [STAND_IN], "verdict.dropped": DROPPED}
    html = render_html(changed(RESULT, changes), WINDOWS, BACKLOG)
    places = [
        html.index(text)
        for text in (
            "<strong>Answers are those of pymatching, times those of an FPGA</strong>",
            "<strong>The decoder did without 1 of 2 errors</strong>",
            '<p class="text">',
        )
    ]
    assert places == sorted(places)


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
    assert render_html(RESULT, WINDOWS, BACKLOG) == render_html(
        make_result(WINDOWS), WINDOWS, BACKLOG
    )


def test_text_of_a_scenario_cannot_become_markup() -> None:
    evil = '</script><script>alert("x")</script><img src="http://evil/x">'
    result = changed(
        RESULT,
        {
            "scenario.run.title": evil,
            "verdict.text": evil,
            "verdict.decide": evil,
            "verdict.findings": [finding(evil)],
            "verdict.throughput.utilisation_by_stage": {evil: 0.5},
            "verdict.throughput.load_by_stage": {evil: {"value": 0.5, "ci": None}},
            "verdict.throughput.bottleneck": evil,
            "sources": {evil: {"kind": evil, "where": evil, "source": evil, "confidence": evil}},
        },
    )
    page, clean = page_of(result), page_of(RESULT)
    assert page.tags.count("script") == clean.tags.count("script")
    assert "img" not in page.tags
    assert page.loads == ["data:,"]
    assert evil in page.text
    assert json.loads(page.data["figures"])["utilisation"]["data"][0]["y"] != []


def test_a_run_that_measured_nothing_still_has_a_report() -> None:
    record = run_of(np.full(3, 50 * ROUND_PS, dtype=np.int64), drain=False)
    result = judged(record, Budget(limit_ps=10 * ROUND_PS))
    page = Page(render_html(result, record.windows, np.empty((0, 2), dtype=np.int64)))
    text = " ".join(page.text)
    assert "Undecided" in text
    assert "Untitled scenario" in text
    assert text.count("Not measured") >= 4
    assert set(json.loads(page.data["figures"])) == {"utilisation"}
    assert "What would decide:" in text


def test_parts_without_a_number_say_why() -> None:
    logical = dict.fromkeys(RESULT.verdict.logical.model_dump())
    changes: dict[str, Any] = {
        "verdict.reaction.value_ps": None,
        "verdict.reaction.ci_ps": None,
        "verdict.reaction.note": "9 windows are too few",
        "verdict.logical": logical,
        "verdict.deadline": None,
        "verdict.throughput.backlog_slope_rounds_per_s": None,
        "verdict.throughput.ci": None,
        "verdict.throughput.stable": None,
        "predecoder": None,
    }
    text = " ".join(" ".join(page_of(changed(RESULT, changes)).text).split())
    assert "9 windows are too few; limit 40.0 µs" in text
    assert "Not measured: this run compared no decoded shot with its true outcome." in text
    assert "Not measured: no pre-decoder was applied" in text
    assert "no deadline asked for" in text
    assert "too short a run to tell" in text


def test_windows_of_the_warm_up_are_left_out() -> None:
    result = changed(RESULT, {"verdict.warmup_windows": 100})
    windows = {name: column.copy() for name, column in WINDOWS.items()}
    windows["applied_ps"][:100] += 10**12
    page = Page(render_html(result, windows, BACKLOG))
    assert "over 900 windows" in " ".join(page.text)
    assert not any(cell.startswith("1.00 s") for cell in page.cells)


def test_idling_is_shown_when_there_is_feedback() -> None:
    idle = {
        "operations": 77,
        "mean_rounds": 21.4,
        "max_rounds": 63,
        "distance_to_compensate": None,
    }
    cells = page_of(changed(RESULT, {"verdict.idle": idle})).cells
    assert cells[cells.index("operations that waited") + 1] == "77"
    assert cells[cells.index("worth in code distance") + 1] == "–"


def test_only_what_comes_again_is_said_to_come_again() -> None:
    again = "The same scenario and seed give these numbers again, bit for bit."
    assert again in page_of(RESULT).text
    measured = page_of(changed(RESULT, {"repeatable": False}))
    assert again not in measured.text
    assert any("measured on this machine" in text for text in measured.text)
    for cell in ("EPYC", "tsc", "2026-01-02T03:04:05Z"):
        assert cell in measured.cells


def test_lost_shots_stand_beside_the_error_rate() -> None:
    text = " ".join(" ".join(page_of(RESULT).text).split())
    assert "38 of 20,000 shots: 31 wrong, 6 late, 1 lost" in text
    assert "A shot fails when its answer is wrong" in text


def test_what_judge_makes_is_understood() -> None:
    shots = 1000
    calls = np.arange(shots) % 50 == 0
    record = run_of(np.full(shots, 3 * ROUND_PS, dtype=np.int64))
    result = judged(
        record,
        Budget(limit_ps=10 * ROUND_PS),
        disturbed(answers_of(shots, 1), calls),
        warmup_windows=100,
        measured=frozenset({"decode"}),
    )
    # twice as slow where disturbed: neither drawn nor among the quantiles
    slow = record.windows["applied_ps"] + calls * 3 * ROUND_PS
    windows = record.windows | {"disturbed": calls.astype(np.int64), "applied_ps": slow}
    page = Page(render_html(result, windows, record.backlog))
    text = " ".join(" ".join(page.text).split())
    assert "over 882 windows" in text
    assert "18 more were disturbed by other work on the machine" in text
    assert page.cells[page.cells.index("maximum") + 1] == show_time(3 * ROUND_PS)
    assert "1 of 1,000 shots failed, 0.00100 per shot" in text
    assert "rounds on average" in text
    assert result.verdict.text.partition(": ")[2] in text


@pytest.mark.parametrize(("windows", "said"), [(1.8, True), (1.04, False), (None, False)])
def test_the_lead_mentions_a_correlation_that_the_interval_allows_for(
    windows: float | None, said: bool
) -> None:
    page = page_of(changed(RESULT, {"verdict.reaction.autocorrelation_windows": windows}))
    text = " ".join(" ".join(page.text).split())
    assert ("the interval counts 1.80 of them as one" in text) is said
    assert ("Neighbouring windows are correlated" in text) is said
