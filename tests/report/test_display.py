from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.report import display
from emulator.report.display import DASH

PS = {"ps": 1, "ns": 10**3, "µs": 10**6, "ms": 10**9, "s": 10**12}


@pytest.mark.parametrize(
    ("ps", "text"),
    [
        (0, "0"),
        (7, "7 ps"),
        (999, "999 ps"),
        (1000, "1.00 ns"),
        (999_499, "999 ns"),
        (999_600, "1.00 µs"),
        (3_964_999, "3.96 µs"),
        (40_000_000, "40.0 µs"),
        (1_800 * 10**12, "1,800 s"),
        (-2_500, "-2.50 ns"),
        (None, DASH),
    ],
)
def test_times_have_three_digits_and_the_unit_that_fits(ps: int | None, text: str) -> None:
    assert display.show_time(ps) == text


@given(st.integers(min_value=1, max_value=10**15 - 1))
def test_a_shown_time_is_within_half_a_percent(ps: int) -> None:
    number, unit = display.show_time(ps).split()
    assert abs(Decimal(number.replace(",", "")) * PS[unit] - ps) <= Decimal(ps) / 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1.00"),
        (0.001, "0.00100"),
        (0.00032, "3.20 × 10⁻⁴"),
        (-1.5e-12, "-1.50 × 10⁻¹²"),
        (12345, "12,300"),
        (252525.3, "2.53 × 10⁵"),
        (None, DASH),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert display.show_number(value) == text


def test_shares_counts_intervals_and_quantiles() -> None:
    assert display.show_percent(0.0123) == "1.23 %"
    assert display.show_percent(None) == DASH
    assert display.show_count(1234567) == "1,234,567"
    assert display.show_count(None) == DASH
    assert display.show_interval([1000, 2000], display.show_time) == "1.00 ns … 2.00 ns"
    assert display.show_interval([1000, None], display.show_time) == f"1.00 ns … {DASH}"
    assert display.show_interval([None, None], display.show_time) == DASH
    assert display.show_interval(None, display.show_time) == DASH
    assert display.show_quantile(0.999) == "p99.9"
    assert display.show_quantile(0.5) == "p50"
    assert display.show_quantile(None) == DASH


def test_stage_labels_cover_unknown_names() -> None:
    assert display.stage_label("predecode_queue") == "pre-decoder queue"
    assert display.stage_label("cold_start") == "cold start"


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (0.0, "0.0 %"), (0.0004, "< 0.1 %"), (0.0006, "0.1 %"), (0.9671, "96.7 %")],
)
def test_a_share_has_one_decimal_and_is_never_rounded_to_nothing(
    share: float | None, text: str
) -> None:
    assert display.show_share(share) == text


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("utf-8", "✓ 3 µs – 1.2 × 10⁻⁴ …", "✓ 3 µs – 1.2 × 10⁻⁴ …"),
        ("ascii", "✓ 3 µs – 1.2 × 10⁻⁴ …", "+ 3 us - 1.2 x 10^-4 .."),
        ("latin-1", "✗ 3 µs – 1.2 × 10⁵", "x 3 µs - 1.2 × 10^5"),
        ("ascii", "? · 日本", "? - ??"),
        ("no such encoding", "✓ met", "+ met"),
    ],
)
def test_text_is_written_in_characters_that_the_terminal_has(
    encoding: str, text: str, shown: str
) -> None:
    assert display.printable(text, encoding) == shown


def test_the_marks_differ_without_colours_and_in_ascii() -> None:
    for encoding in ("utf-8", "ascii"):
        assert len({display.printable(mark, encoding) for mark in display.MARKS.values()}) == 4


def test_the_ring_is_busy_with_its_slots() -> None:
    assert (display.server_label("ring"), display.stage_label("ring")) == (
        "ring slots",
        "ring wait",
    )
    assert display.server_label("decode_queue") == "matcher queue"
