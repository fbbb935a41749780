import pytest

from emulator.results.quantiles import QuantileEstimate
from emulator.results.rates import DeadlineMisses
from emulator.results.stability import IdleCost, Throughput
from emulator.results.verdict import (
    Finding,
    judge_logical,
    judge_losses,
    judge_reaction,
    judge_throughput,
    report_deadline,
    report_idle,
    summarise_findings,
)

US = 10**6
Interval = tuple[int, int] | None


def _reaction(value: int | None, ci: Interval, note: str | None = None) -> QuantileEstimate:
    return QuantileEstimate(0.99, value, ci, 1000, 1.0, "", note)


@pytest.mark.parametrize(
    ("value", "ci", "limit", "met", "text"),
    [
        (4 * US, (3 * US, 5 * US), 10 * US, True, "4.00 us [3.00, 5.00] within the limit of 10 us"),
        (9 * US, (8 * US, 10 * US), 10 * US, True, "within the limit of 10 us"),
        (9 * US, (8 * US, 10 * US + 1), 10 * US, False, "but its interval is not"),
        (45 * US, (44 * US, 46 * US), 10 * US, False, "over the limit of 10 us by 4.5x"),
        (9 * US, None, 10 * US, True, "within the limit of 10 us (short)"),
        (11 * US, None, 10 * US, False, "by 1.1x (short)"),
        (None, None, 10 * US, False, "p99 reaction not measured: short"),
        (None, None, None, True, "p99 reaction not measured: short"),
        (9 * US, (8 * US, 10 * US), None, True, "no limit asked"),
    ],
)
def test_reaction(value: int | None, ci: Interval, limit: int | None, met: bool, text: str) -> None:
    note = None if ci else "short"
    finding = judge_reaction(_reaction(value, ci, note), limit)
    assert finding.met is met
    assert text in finding.text


@pytest.mark.parametrize(
    ("load", "slope", "stable", "met", "text"),
    [
        (0.7, 0.0, True, True, "keeps up: backlog grows by less than 1% of the rounds emitted"),
        (1.73, 4.2e5, False, False, "stage decode saturates: utilisation 1.73, backlog grows by"),
        (0.4, 4.2e5, False, False, "while no stage saturates, windows wait for each other"),
        (0.9, 10.0, None, True, "run too short to tell whether the backlog grows: 10 [-5, 20]"),
        (0.9, None, None, True, "run too short to tell"),
    ],
)
def test_throughput(
    load: float, slope: float | None, stable: bool | None, met: bool, text: str
) -> None:
    shares = {"uplink": 0.1, "decode": load}
    ci = None if slope is None else (-5.0, 20.0)
    finding = judge_throughput(Throughput(shares, slope, ci, stable, "decode"))
    assert finding.met is met
    assert text in finding.text


@pytest.mark.parametrize(
    ("rate", "limit", "met", "text"),
    [
        (0.010, 0.02, True, "within the limit of 0.02"),
        (0.010, 0.011, False, "but its interval is not"),
        (0.010, 0.005, False, "over the limit of 0.005"),
        (0.010, None, True, "0.01 [0.008, 0.012] per shot, no limit asked"),
        (None, 0.005, False, "not measured, limit 0.005"),
    ],
)
def test_logical(rate: float | None, limit: float | None, met: bool, text: str) -> None:
    finding = judge_logical(rate, None if rate is None else (0.008, 0.012), limit)
    assert finding is not None
    assert finding.met is met
    assert text in finding.text


def test_an_unasked_unmeasured_error_rate_is_not_mentioned() -> None:
    assert judge_logical(None, None, None) is None


def test_losses() -> None:
    assert judge_losses({"ring": 0}, 0) == Finding(True, "no round lost")
    lost = {"wire": 0, "ring": 10}
    assert judge_losses(lost, 9) == Finding(False, "10 rounds lost (ring 10), 9 allowed")
    assert judge_losses(lost, 10).met


def test_deadline_sentences() -> None:
    late = DeadlineMisses(10 * US, 3, 1000, 0.003, (0.001, 0.009))
    assert report_deadline(late, 0.95) == (
        "3 of 1000 windows later than 10 us, rate 0.003 [0.001, 0.009]"
    )
    none = DeadlineMisses(10 * US, 0, 1000, 0.0, (0.0, 0.003))
    assert report_deadline(none, 0.95) == (
        "none of 1000 windows later than 10 us; rate below 0.003 at 95% confidence"
    )
    assert report_deadline(DeadlineMisses(1, 0, 0, None, None), 0.95) is None


def test_idle_sentences() -> None:
    assert report_idle(IdleCost(None, 12.34, 20, 2.5)) == (
        "an operation that waits idles 12.3 rounds for its correction on average, "
        "worth 2.5 of code distance"
    )
    assert report_idle(IdleCost(7, 2.0, 4, None)).startswith("an operation idles 2 rounds")


def test_what_is_missed_comes_first() -> None:
    findings = [Finding(True, "a"), Finding(False, "b"), Finding(True, "c"), Finding(False, "d")]
    met, line, reasons = summarise_findings(findings)
    assert (met, line, reasons) == (False, "budget missed: b; d", ["b", "d", "a", "c"])
    assert summarise_findings(findings[::2]) == (True, "budget met: a; c", ["a", "c"])


def test_losses_that_keep_the_backlog_short_are_named() -> None:
    found = Throughput({"decode": 1.0}, 0.0, (-1.0, 1.0), False, "decode", lost_share=0.59)
    finding = judge_throughput(found)
    assert not finding.met
    assert "59.00% of the rounds are lost" in finding.text
