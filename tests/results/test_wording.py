import pytest

from emulator.results.wording import number, percentile, share, time_with_interval, with_interval


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (45_120_000, (44_000_000, 46_290_000), "45.1 us [44.0, 46.3]"),
        (999_600, None, "1.00 us"),
        (999, None, "999 ps"),
        (0, (0, 1), "0 ps [0, 1]"),
        (1, None, "1 ps"),
        (1000, None, "1.00 ns"),
        (10_000, (9_000, 123_456), "10.0 ns [9.0, 123.5]"),
        (100_000, (99_500, 123_456), "100 ns [100, 123]"),
        (99_950, None, "100 ns"),
        (12 * 10**9, None, "12.0 ms"),
        (1234 * 10**12, None, "1234 s"),
        (3_960_000, (3_890_000, 12_000_000), "3.96 us [3.89, 12.00]"),
        (1_234_000_000_000, None, "1.23 s"),
    ],
)
def test_times(value: int, interval: tuple[int, int] | None, text: str) -> None:
    assert time_with_interval(value, interval) == text


def test_numbers() -> None:
    assert number(423_456) == "423,000"
    assert (number(999.4), number(1000), number(99_999.4)) == ("999", "1000", "99999")
    assert (number(100_000), number(1e9), number(999.6e6)) == ("100,000", "1e+09", "1,000,000,000")
    assert number(-123_456) == "-123,000"
    assert number(4.2e9) == "4.2e+09"
    assert number(-1100.4) == "-1100"
    assert with_interval(0.01234, (0.011, 0.0136)) == "0.0123 [0.011, 0.0136]"
    assert with_interval(1.5, None) == "1.5"
    assert (percentile(0.999), percentile(0.5)) == ("p99.9", "p50")
    assert share(0.01234) == "1.23%"
