import io
from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from emulator.report.terminal import print_result
from tests.report.fixture import make_result, make_windows

RESULT = make_result(make_windows(200))


def printed(result: dict[str, Any], *, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=80,
        force_terminal=terminal,
        color_system="standard" if terminal else "auto",
    )
    print_result(result, console)
    return stream.getvalue()


SMALL: dict[str, Any] = {
    "verdict": {
        "meets_budget": False,
        "text": "budget missed: p99 reaction over the limit",
        "reasons": ["p99 reaction 34.1 us over the limit of 30 us"],
        "reaction": {
            "quantile": 0.99,
            "value_ps": 34_100_000,
            "ci_ps": [33_000_000, 35_500_000],
            "limit_ps": 30_000_000,
        },
        "deadline": {"misses": 25, "samples": 2000, "rate": 0.0125},
        "throughput": {
            "utilisation_by_stage": {"decode": 0.97, "predecode": 0.5},
            "backlog_slope_rounds_per_s": 1250.0,
        },
        "logical": {"errors": 3, "shots": 1000, "rate": 0.003, "ci": [0.00062, 0.00874]},
    },
    "stages": [
        {
            "name": "decode_queue",
            "timing_source": "waiting",
            "mean_ps": 1_234_567,
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
}

GOLDEN = """\
✗ Budget missed
p99 reaction over the limit
  - p99 reaction 34.1 us over the limit of 30 us

 Stage              Mean       p99   p99.9       Max    Share   Confidence
 ─────────────────────────────────────────────────────────────────────────
 matcher queue   1.23 µs   9.87 µs       –   12.0 µs   12.5 %   –

– too few windows for this quantile, or no window at all
Reaction    p99 34.1 µs (33.0 µs … 35.5 µs), limit 30.0 µs
Deadline    25 of 2,000 windows late, 1.25 %
Throughput  decode busy 97.0 %, backlog slope 1,250 rounds/s
Logical     3 errors in 1,000 shots, rate 0.00300 (6.20 × 10⁻⁴ … 0.00874)
Rounds      22,000 emitted = 21,900 decoded + 89 in flight + 11 lost
Lost        ring full 11
"""


def test_what_is_printed_to_a_file() -> None:
    lines = [line.rstrip() for line in printed(SMALL).splitlines()]
    assert "\n".join(lines) + "\n" == GOLDEN


def test_eighty_columns_hold_a_whole_run_without_escapes() -> None:
    text = printed(RESULT)
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "pre-decoder queue" in text


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[1;31m✗ Budget missed" in printed(SMALL, terminal=True)


@pytest.mark.parametrize(
    ("meets", "word"), [(True, "✓ Budget met"), (False, "✗ Budget missed"), (None, "? Undecided")]
)
def test_the_verdict_comes_first(meets: bool | None, word: str) -> None:
    result = deepcopy(RESULT)
    result["verdict"]["meets_budget"] = meets
    assert printed(result).splitlines()[0] == word


def test_brackets_are_text_not_markup() -> None:
    result = {"verdict": {"meets_budget": None, "text": "p99 [red] 3 us [2, 4]"}}
    assert "p99 [red] 3 us [2, 4]" in printed(result)


def test_nothing_measured_is_said() -> None:
    text = printed({})
    assert "Reaction    – (not measured), no limit asked for" in text
    assert "Logical     – not measured in this run" in text
    assert "Rounds      – not counted in this run" in text
    assert "Deadline    – not asked for" in text
