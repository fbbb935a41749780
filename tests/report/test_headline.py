import pytest

from emulator.report.headline import headline
from emulator.results.result import Outcome
from tests.report.fixture import (
    DROPPED,
    STAND_IN,
    changed,
    finding,
    make_result,
    make_windows,
)

RESULT = make_result(make_windows(200))


@pytest.mark.parametrize(
    ("outcome", "word", "prefix"),
    [
        ("met", "Budget met", "budget met"),
        ("missed", "Budget missed", "budget missed"),
        ("undecided", "Undecided", "undecided"),
    ],
)
def test_the_line_does_not_repeat_the_word(outcome: Outcome, word: str, prefix: str) -> None:
    result = changed(
        RESULT,
        {
            "verdict.outcome": outcome,
            "verdict.text": f"{prefix}: stage decode is overloaded",
            "verdict.findings": [],
            "verdict.decide": "about 40 more shots",
        },
    )
    found = headline(result.verdict)
    assert (found.word, found.text) == (word, "stage decode is overloaded")
    assert (found.decide, found.findings) == ("about 40 more shots", ())


def test_findings_of_the_line_are_not_listed_again() -> None:
    findings = [finding("a", "missed"), finding("b", "missed"), finding("c d")]
    changes = {"verdict.text": "budget missed: a; b", "verdict.outcome": "missed"}
    result = changed(RESULT, {**changes, "verdict.findings": findings})
    assert [found.text for found in headline(result.verdict).findings] == ["c d"]


def test_caveats_stand_apart() -> None:
    changes = {"verdict.stand_ins": [STAND_IN], "verdict.dropped": DROPPED}
    assert headline(changed(RESULT, changes).verdict).caveats == (
        "Answers are those of pymatching, times those of an FPGA",
        "The decoder did without 1 of 2 errors",
    )
    assert headline(RESULT.verdict).caveats == ()
