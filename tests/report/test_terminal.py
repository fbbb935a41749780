import io
from typing import Any

import pytest
from rich.console import Console

from emulator.report.terminal import print_result
from emulator.results.result import Outcome, Result
from tests.report.fixture import (
    DROPPED,
    STAND_IN,
    changed,
    finding,
    make_result,
    make_windows,
)

RESULT = make_result(make_windows(200))


def printed(result: Result, *, terminal: bool = False, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=stream,
        width=80,
        force_terminal=terminal,
        color_system="standard" if terminal else "auto",
    )
    print_result(result, console)
    stream.seek(0)
    return stream.read()


SMALL = changed(
    RESULT,
    {
        "verdict.outcome": "missed",
        "verdict.text": "budget missed: p99 reaction over the limit",
        "verdict.findings": [
            finding("p99 reaction 34.1 us over the limit of 30 us", "missed"),
            finding("no round lost"),
            finding("25 of 2000 windows late", None),
        ],
        "verdict.reaction.quantile": 0.99,
        "verdict.reaction.value_ps": 34_100_000,
        "verdict.reaction.ci_ps": (33_000_000, 35_500_000),
        "verdict.reaction.limit_ps": 30_000_000,
        "verdict.deadline.misses": 25,
        "verdict.deadline.samples": 2000,
        "verdict.deadline.rate": 0.0125,
        "verdict.throughput.utilisation_by_stage": {"decode": 0.97, "predecode": 0.5},
        "verdict.throughput.load_by_stage": {
            "decode": {"value": 1.73, "ci": None},
            "predecode": {"value": 0.5, "ci": None},
        },
        "verdict.throughput.bottleneck": "decode",
        "verdict.throughput.backlog_slope_rounds_per_s": 1250.0,
        "verdict.logical.errors": 3,
        "verdict.logical.shots": 1000,
        "verdict.logical.rate": 0.003,
        "verdict.logical.ci": (0.00062, 0.00874),
        "verdict.logical.decoder_errors": 1,
        "verdict.logical.late": 2,
        "verdict.logical.lost": 0,
        "stages": [
            {
                "name": "decode_queue",
                "timing_source": "waiting",
                "timing_confidence": None,
                "mean_ps": 1_234_567,
                "p50_ps": None,
                "p99_ps": 9_870_000,
                "p999_ps": None,
                "max_ps": 12_000_000,
                "share": 0.125,
            }
        ],
        "rounds": {
            "emitted": 22_000,
            "decoded": 21_900,
            "in_flight": 89,
            "lost": 11,
            "lost_by_cause": {"ring_full": 11, "link": 0},
        },
    },
)

GOLDEN = """\
✗ Budget missed
p99 reaction over the limit
  ✗ p99 reaction 34.1 us over the limit of 30 us
  ✓ no round lost
  · 25 of 2000 windows late

 Stage              Mean       p99   p99.9       Max    Share   Confidence
 ─────────────────────────────────────────────────────────────────────────
 matcher queue   1.23 µs   9.87 µs       –   12.0 µs   12.5 %   –

– too few windows for this quantile, or no window at all
Reaction    p99 34.1 µs (33.0 µs … 35.5 µs), limit 30.0 µs
Deadline    25 of 2,000 windows late, 1.25 %
Throughput  decode busy 97.0 %, load 1.73, backlog slope 1,250 rounds/s
Logical     3 of 1,000 shots failed, rate 0.00300 (6.20 × 10⁻⁴ … 0.00874): 1
wrong, 2 late
Rounds      22,000 emitted = 21,900 decoded + 89 in flight + 11 lost
Lost        ring full 11
"""


def test_what_is_printed_to_a_file() -> None:
    lines = [line.rstrip() for line in printed(SMALL).splitlines()]
    assert "\n".join(lines) + "\n" == GOLDEN


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_terminal_can_print_it(encoding: str) -> None:
    text = printed(SMALL, encoding=encoding)
    word, *_ = text.splitlines()
    assert word == ("✗ Budget missed" if encoding == "utf-8" else "x Budget missed")
    if encoding == "ascii":
        assert "1.23 us" in text
        assert "(6.20 x 10^-4 .. 0.00874)" in text


def test_eighty_columns_hold_a_whole_run_without_escapes() -> None:
    text = printed(RESULT)
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "pre-decoder queue" in text


@pytest.mark.parametrize(
    ("outcome", "first", "colour"),
    [
        ("met", "✓ Budget met", "\x1b[1;32m"),
        ("missed", "✗ Budget missed", "\x1b[1;31m"),
        ("undecided", "? Undecided", "\x1b[1;33m"),
    ],
)
def test_the_verdict_comes_first(outcome: Outcome, first: str, colour: str) -> None:
    result = changed(RESULT, {"verdict.outcome": outcome})
    assert printed(result).splitlines()[0] == first
    assert f"{colour}{first}" in printed(result, terminal=True)


def test_what_would_decide_stands_in_the_first_lines() -> None:
    changes: dict[str, Any] = {
        "verdict.outcome": "undecided",
        "verdict.text": "undecided: the run is short",
        "verdict.decide": "about 4,000 more shots",
    }
    lines = printed(changed(RESULT, changes)).splitlines()
    assert lines[:3] == [
        "? Undecided",
        "the run is short",
        "What would decide: about 4,000 more shots",
    ]
    assert "What would decide" not in printed(RESULT)


def test_what_the_answers_do_not_stand_for_comes_before_the_verdict_line() -> None:
    changes = {"verdict.stand_ins": [STAND_IN], "verdict.dropped": DROPPED}
    lines = printed(changed(SMALL, changes)).splitlines()
    assert [line.strip() for line in lines[:4]] == [
        "✗ Budget missed",
        "Answers are those of pymatching, times those of an FPGA",
        "The decoder did without 1 of 2 errors",
        "p99 reaction over the limit",
    ]


def test_brackets_are_text_not_markup() -> None:
    result = changed(RESULT, {"verdict.text": "p99 [red] 3 us [2, 4]"})
    assert "p99 [red] 3 us [2, 4]" in printed(result)


def test_nothing_measured_is_said() -> None:
    logical = dict.fromkeys(RESULT.verdict.logical.model_dump())
    changes: dict[str, Any] = {
        "verdict.reaction.value_ps": None,
        "verdict.reaction.limit_ps": None,
        "verdict.logical": logical,
        "verdict.deadline": None,
        "verdict.throughput.bottleneck": None,
        "verdict.throughput.backlog_slope_rounds_per_s": None,
    }
    text = printed(changed(RESULT, changes))
    assert "Reaction    – (not measured), no limit asked for" in text
    assert "Logical     – not measured in this run" in text
    assert "Deadline    – not asked for" in text
    assert "Throughput  – no stage observed, backlog slope – (too few windows)" in text
