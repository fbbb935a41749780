from typing import Any

import pytest

from emulator.results.quantiles import QuantileEstimate
from emulator.results.rates import DeadlineMisses
from emulator.results.result import (
    Disturbed,
    Finding,
    IdleCost,
    Logical,
    Outcome,
    StageLoad,
    Throughput,
)
from emulator.results.stability import Doubt, Stability
from emulator.results.verdict import (
    RunLength,
    _about,
    _times,
    judge_disturbed,
    judge_logical,
    judge_losses,
    judge_reaction,
    judge_throughput,
    report_deadline,
    report_idle,
    summarise_findings,
)

US = 10**6
LENGTH = RunLength(1000)
Interval = tuple[int, int] | None


def _reaction(value: int | None, ci: Interval, note: str | None = None) -> QuantileEstimate:
    return QuantileEstimate(0.99, value, ci, 1000, 1.0, "", note)


@pytest.mark.parametrize(
    ("value", "ci", "limit", "outcome", "text"),
    [
        (4 * US, (3 * US, 5 * US), 10 * US, "met", "4.00 us [3.00, 5.00] within the limit of 10"),
        (9 * US, (8 * US, 10 * US), 10 * US, "met", "within the limit of 10 us"),
        (9 * US, (8 * US, 10 * US + 1), 10 * US, "undecided", "10 us lies within its interval"),
        (11 * US, (10 * US, 12 * US), 10 * US, "undecided", "10 us lies within its interval"),
        (11 * US, (10 * US + 1, 12 * US), 10 * US, "missed", "over the limit of 10 us by 1.1x"),
        (45 * US, (44 * US, 46 * US), 10 * US, "missed", "over the limit of 10 us by 4.5x"),
        (9 * US, None, 10 * US, "undecided", "within the limit of 10 us, but without an interval"),
        (11 * US, None, 10 * US, "undecided", "over the limit of 10 us, but without an interval"),
        (None, None, 10 * US, "undecided", "p99 reaction not measured: short"),
        (None, None, None, None, "p99 reaction not measured: short"),
        (9 * US, (8 * US, 10 * US), None, None, "no limit asked"),
        (9 * US, None, None, None, "no limit asked (short)"),
        (9 * US, (8 * US, 9 * US), 0, "missed", "over the limit of 0 ps"),
    ],
)
def test_reaction(
    value: int | None, ci: Interval, limit: int | None, outcome: Outcome | None, text: str
) -> None:
    note = None if ci else "short"
    finding = judge_reaction(_reaction(value, ci, note), limit, LENGTH)
    assert finding.outcome == outcome
    assert text in finding.text
    assert (finding.decide is not None) is (outcome == "undecided")


def test_all_late_tells_only_a_quantile_rarer_than_the_doubt() -> None:
    found = QuantileEstimate(0.75, 9 * US, None, 10, 1.0, "", "short")
    late = DeadlineMisses(US, 10, 10, 1.0, None)
    assert judge_reaction(found, US, LENGTH, late, 0.7).outcome == "missed"
    assert judge_reaction(found, US, LENGTH, late, 0.75).outcome == "undecided"
    few = DeadlineMisses(US, 9, 9, 1.0, None)
    assert judge_reaction(found, US, LENGTH, few, 0.7).outcome == "undecided"


@pytest.mark.parametrize(
    ("misses", "ci", "outcome", "text"),
    [
        (0, (0.0, 0.0075), "met", "within the limit of 10 us: 0 of 400 windows later"),
        (0, (0.0, 0.01), "met", "within the limit of 10 us: 0 of 400"),
        (2, (0.001, 0.018), "undecided", "without an interval (short)"),
        (9, (0.0101, 0.05), "missed", "over the limit of 10 us: 9 of 400 windows later"),
        (9, None, "undecided", "without an interval (short)"),
    ],
)
def test_a_quantile_without_interval_is_judged_by_the_share_of_late_windows(
    misses: int, ci: tuple[float, float] | None, outcome: Outcome, text: str
) -> None:
    late = DeadlineMisses(10 * US, misses, 400, misses / 400, ci)
    finding = judge_reaction(_reaction(9 * US, None, "short"), 10 * US, LENGTH, late)
    assert finding.outcome == outcome
    assert text in finding.text
    unseen = judge_reaction(_reaction(None, None, "short"), 10 * US, LENGTH, late)
    assert unseen.outcome == outcome


def test_more_shots_shrink_the_interval_to_less_than_the_distance_of_the_limit() -> None:
    # half of the interval is 2 us, the distance 1 us: four times the run, and a margin
    near = judge_reaction(_reaction(9 * US, (8 * US, 11 * US)), 10 * US, LENGTH)
    assert near.more_shots == pytest.approx(1000 * (1.2 * 4 - 1), abs=1)
    assert near.decide == "about 4,000 more shots"
    # of an interval, the half that reaches over the limit counts
    lopsided = judge_reaction(_reaction(9 * US, (1 * US, 10 * US + 1)), 10 * US, LENGTH)
    assert lopsided.more_shots == pytest.approx(200, abs=1)
    # without an error the interval shrinks with the number of shots
    none = judge_logical(_logical(0.0, 0.001, (0.0, 0.003)), LENGTH)
    assert none is not None
    assert none.more_shots == pytest.approx(1000 * (1.2 * 3 - 1), abs=1)
    tiny = judge_logical(_logical(0.0, 1e-300, (0.0, 0.003)), LENGTH)
    assert tiny is not None
    assert tiny.decide == "a logical limit that is not so near to the value"
    at = judge_reaction(_reaction(10 * US, (8 * US, 11 * US)), 10 * US, LENGTH)
    assert at.more_shots is None
    assert at.decide == "a reaction limit that is not so near to the value"


def test_a_tail_out_of_reach_asks_for_the_windows_that_an_interval_needs() -> None:
    short = QuantileEstimate(0.99, None, None, 50, 1.0, "", "too few", more_windows=950)
    assert judge_reaction(short, US, RunLength(50)).more_shots == 950
    assert judge_reaction(short, US, RunLength(25)).more_shots == 475  # two windows a shot
    nothing = QuantileEstimate(0.99, None, None, 0, None, "", "too few")
    found = judge_reaction(nothing, US, LENGTH)
    assert (found.decide, found.more_shots) == ("a run in which windows are answered", None)
    behind = judge_logical(_logical(0.01, 0.5, None, shots=1000), LENGTH, 3000)
    assert behind is not None
    assert behind.more_shots == 3000


def _stability(stable: bool | None, **kwargs: Any) -> Stability:
    found: dict[str, Any] = {
        "utilisation_by_stage": {"uplink": 0.1, "decode": 0.9},
        "load_by_stage": {
            "uplink": StageLoad(value=0.1, ci=(0.1, 0.1)),
            "decode": StageLoad(value=0.9, ci=(0.8, 1.1)),
        },
        "backlog_slope_rounds_per_s": 4.2e5,
        "ci": (1e5, 8e5),
        "stable": stable,
        "bottleneck": "decode",
        "lost_share": 0.0,
    }
    rest = {key: kwargs.pop(key) for key in ("overloaded", "grows", "doubts") if key in kwargs}
    return Stability(Throughput(**(found | kwargs)), **rest)


def test_a_loop_that_keeps_up() -> None:
    finding = judge_throughput(_stability(True), LENGTH)
    assert finding.outcome == "met"
    assert finding.text == (
        "keeps up: backlog grows by less than 1% of the rounds emitted; "
        "stage decode is the busiest, load 0.9"
    )


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            {"overloaded": ("decode",)},
            "stage decode is overloaded, load 0.9 [0.8, 1.1], backlog grows by 420,000 rounds/s",
        ),
        (
            {"overloaded": ("uplink", "decode"), "backlog_slope_rounds_per_s": None},
            "stage uplink is overloaded, load 0.1 and stage decode is overloaded, load 0.9 [0.8",
        ),
        ({"grows": True}, "420,000 rounds/s while no stage is overloaded, windows wait for each"),
        ({"grows": True, "bottleneck": "ring"}, "the slots of the ring are all taken"),
        ({"lost_share": 0.59}, "59% of the rounds are lost at the ring, which keeps the"),
    ],
)
def test_a_loop_that_falls_behind(found: dict[str, Any], text: str) -> None:
    if "bottleneck" in found:
        found = found | {"load_by_stage": {"ring": StageLoad(value=None, ci=None)}}
        found |= {"utilisation_by_stage": {"ring": 1.0}}
    finding = judge_throughput(_stability(False, **found), LENGTH)
    assert finding.outcome == "missed"
    assert text in finding.text


def test_a_loop_that_may_keep_up_says_what_would_tell() -> None:
    doubts = (Doubt("a is short", 3.0), Doubt("b is short", 1.5))
    finding = judge_throughput(_stability(None, doubts=doubts), LENGTH)
    assert finding.outcome == "undecided"
    assert "cannot tell whether the loop keeps up: a is short; b is short" in finding.text
    assert (finding.decide, finding.more_shots) == ("about 2,000 more shots", 2000)
    fixed = (Doubt("at capacity", None, "a faster decoder"),)
    finding = judge_throughput(_stability(None, doubts=fixed, bottleneck=None), LENGTH)
    assert (finding.decide, finding.more_shots) == ("a faster decoder", None)


def _logical(
    rate: float | None, limit: float | None, ci: tuple[float, float] | None, **counts: int
) -> Logical:
    empty = dict.fromkeys(Logical.model_fields)
    return Logical.model_validate(empty | {"rate": rate, "ci": ci, "limit": limit} | counts)


CI = (0.008, 0.012)


@pytest.mark.parametrize(
    ("rate", "ci", "limit", "outcome", "text"),
    [
        (0.010, CI, 0.02, "met", "within the limit of 0.02"),
        (0.010, CI, 0.012, "met", "within the limit of 0.012"),
        (0.010, CI, 0.011, "undecided", "0.011 lies within its interval"),
        (0.010, CI, 0.009, "undecided", "0.009 lies within its interval"),
        (0.010, CI, 0.005, "missed", "over the limit of 0.005"),
        (0.010, CI, None, None, "0.01 [0.008, 0.012] per shot, no limit asked"),
        (0.010, None, 0.5, "undecided", "but without an interval"),
        (None, None, 0.005, "undecided", "not measured, limit 0.005"),
    ],
)
def test_logical(
    rate: float | None,
    ci: tuple[float, float] | None,
    limit: float | None,
    outcome: Outcome | None,
    text: str,
) -> None:
    finding = judge_logical(_logical(rate, limit, ci), LENGTH)
    assert finding is not None
    assert finding.outcome == outcome
    assert text in finding.text
    assert (finding.decide is not None) is (outcome == "undecided")


def test_what_failed_the_shots_is_said_where_it_was_not_the_decoder_alone() -> None:
    failed = _logical(0.1, None, (0.05, 0.2), decoder_errors=1200, late=3, lost=0)
    finding = judge_logical(failed, LENGTH)
    assert finding is not None
    assert "per shot (shots that failed: 1,200 wrong, 3 late), no limit" in finding.text


def test_the_interval_of_wrong_answers_is_said_where_late_ones_cannot_be_judged() -> None:
    wrong = {"decoder_rate": 0.01, "decoder_ci": CI}
    for ci, said in (
        (None, True),
        ((0.008, 0.3), True),
        ((0.008, 0.0133), True),
        ((0.008, 0.0131), False),
        (CI, False),
    ):
        finding = judge_logical(_logical(0.01, None, ci).model_copy(update=wrong), LENGTH)
        assert finding is not None
        assert ("wrong answers alone 0.01 [0.008, 0.012]" in finding.text) is said


def test_an_unasked_unmeasured_error_rate_is_not_mentioned() -> None:
    assert judge_logical(_logical(None, None, None), LENGTH) is None


def test_shots_that_are_all_unfinished_ask_for_a_drained_run() -> None:
    finding = judge_logical(_logical(None, 0.1, None, unfinished=3), LENGTH)
    assert finding is not None
    assert "run.drain = true" in (finding.decide or "")


def test_losses() -> None:
    assert judge_losses({"ring": 0}, 0).text == "no round lost"
    assert judge_losses({"ring": 0}, 0).outcome == "met"
    lost = {"wire": 0, "ring": 10}
    missed = judge_losses(lost, 9)
    assert (missed.outcome, missed.text) == ("missed", "10 rounds lost (ring 10), 9 allowed")
    assert judge_losses(lost, 10).outcome == "met"


@pytest.mark.parametrize(
    ("left_out", "outcome", "said"),
    [(0, None, False), (1, None, True), (50, None, True), (51, "undecided", True)],
)
def test_disturbed_measurements(left_out: int, outcome: Outcome | None, said: bool) -> None:
    found = Disturbed(
        windows=1000, left_out=left_out, share=left_out / 1000, share_by_stage={"decode": 0.1}
    )
    finding = judge_disturbed(found)
    assert (finding is not None) is said
    if finding is not None:
        assert finding.outcome == outcome
        assert finding.text.startswith(f"{left_out} of 1000 windows")
    assert judge_disturbed(None) is None


def test_deadline_sentences() -> None:
    late = DeadlineMisses(10 * US, 3, 1000, 0.003, (0.001, 0.009))
    found = report_deadline(late, 0.95)
    assert found is not None
    assert found.outcome is None
    assert found.text == "3 of 1000 windows later than 10 us, rate 0.003 [0.001, 0.009]"
    none = report_deadline(DeadlineMisses(10 * US, 0, 1000, 0.0, (0.0, 0.003)), 0.95)
    assert none is not None
    assert none.text == (
        "none of 1000 windows later than 10 us; rate below 0.003 at 95% confidence"
    )
    assert report_deadline(DeadlineMisses(1, 0, 0, None, None), 0.95) is None


def test_idle_sentences() -> None:
    derived = IdleCost(
        operations=None, mean_rounds=12.34, max_rounds=20, distance_to_compensate=2.5
    )
    assert report_idle(derived).text == (
        "an operation that waits idles 12.3 rounds for its correction on average, "
        "worth 2.5 of code distance"
    )
    seen = IdleCost(operations=7, mean_rounds=2.0, max_rounds=4, distance_to_compensate=None)
    assert report_idle(seen).text.startswith("an operation idles 2 rounds")
    assert report_idle(seen).outcome is None


def _found(text: str, outcome: Outcome | None, **decides: Any) -> Finding:
    return Finding(criterion="x", outcome=outcome, text=text, **decides)


def test_missed_beats_undecided_beats_met() -> None:
    met, info = _found("a", "met"), _found("i", None)
    open_ = _found("b", "undecided", decide="about 30 more shots", more_shots=25)
    other = _found("c", "undecided", decide="a quiet machine")
    longer = _found("e", "undecided", decide="about 2,000 more shots", more_shots=1100)
    missed = _found("d", "missed")
    outcome, line, ordered, decide = summarise_findings([info, met, open_, missed, other])
    assert (outcome, line, decide) == ("missed", "budget missed: d", None)
    assert [finding.text for finding in ordered] == ["d", "b", "c", "a", "i"]
    outcome, line, _, decide = summarise_findings([info, met, open_, other, longer])
    assert (outcome, line) == ("undecided", "undecided: b; c; e")
    assert decide == "about 2,000 more shots and a quiet machine"
    assert summarise_findings([info, met])[:2] == ("met", "budget met: a; i")
    assert summarise_findings([info])[0] == "undecided"


@pytest.mark.parametrize(
    ("times", "text"),
    [(1.0001, "1 more shot"), (1.009, "9 more shots"), (1.0101, "20 more"), (4.2, "4,000 more")],
)
def test_shots_are_rounded_up_to_one_digit(times: float, text: str) -> None:
    more = LENGTH.more(times)
    assert more is not None
    assert text in _about(more)
    assert LENGTH.more(1e9) is None


@pytest.mark.parametrize(
    ("shots", "text"),
    [
        (0, "1 more shot"),
        (1, "1 more shot"),
        (10, "10 more shots"),
        (11, "20 more shots"),
        (901, "1,000 more shots"),
    ],
)
def test_a_number_of_shots_is_never_rounded_down(shots: int, text: str) -> None:
    assert _about(shots) == f"about {text}"


def test_a_run_of_a_hundred_thousand_times_the_length_is_no_advice() -> None:
    assert RunLength(10).more(1.05) == 1
    assert RunLength(10).more(99_999.0) == 999_980
    assert RunLength(10).more(1e5) is None


def test_a_doubt_that_something_else_would_settle_asks_for_no_longer_run() -> None:
    doubts = (Doubt("a", 3.0, "a drained run"), Doubt("b", 9.0), Doubt("c", None, "a faster link"))
    finding = judge_throughput(_stability(None, doubts=doubts), LENGTH)
    assert (finding.decide, finding.more_shots) == ("a drained run and a faster link", None)
    assert finding.text.endswith("a; b; c (stage decode is the busiest, load 0.9)")
    longest = judge_throughput(_stability(None, doubts=doubts[1:2]), LENGTH)
    assert longest.more_shots == 8000
    nothing = judge_throughput(_stability(None, doubts=(), bottleneck=None), LENGTH)
    assert nothing.text.endswith("(no stage was observed)")


def test_only_a_backlog_that_grows_is_said_to() -> None:
    for slope, said in ((0.0, False), (0.5, True), (-1.0, False)):
        found = _stability(False, overloaded=("uplink",), backlog_slope_rounds_per_s=slope)
        text = judge_throughput(found, LENGTH).text
        assert text == "does not keep up: stage uplink is overloaded, load 0.1" + (
            ", backlog grows by 0.5 rounds/s" if said else ""
        )


def test_losses_of_one_per_cent_at_the_ring_come_first() -> None:
    for lost, first in ((0.01, True), (0.0099, False)):
        found = _stability(False, overloaded=("decode",), lost_share=lost)
        assert ("are lost at the ring" in judge_throughput(found, LENGTH).text) is first


def test_an_overload_without_a_known_load_is_named_all_the_same() -> None:
    loads = {"decode": StageLoad(value=None, ci=None), "uplink": StageLoad(value=3.0, ci=None)}
    found = _stability(False, overloaded=("decode", "uplink"), load_by_stage=loads)
    text = judge_throughput(found, LENGTH).text
    assert "stage decode is overloaded, load not known and stage uplink is overloaded" in text
    assert "overloaded, load 3, backlog" in text
    idle = judge_throughput(_stability(True, load_by_stage=loads), LENGTH)
    assert idle.text.endswith("stage decode is the busiest, utilisation 0.90")


@pytest.mark.parametrize(
    ("ci", "outcome", "text"),
    [
        ((0.001, 0.009), "met", "the limit of 10 us kept: 3 of 400 windows later, 2 of them"),
        (
            (0.011, 0.05),
            "missed",
            "the limit of 10 us missed: 3 of 400 windows later, 2 of them lost",
        ),
        ((0.001, 0.05), "undecided", "of windows that came, the limit of 10 us: 3 of 400 windows"),
        (None, "undecided", "3 of 400 windows later, 2 of them lost, too few to tell"),
    ],
)
def test_lost_windows_have_no_reaction_time_so_that_their_share_tells(
    ci: tuple[float, float] | None, outcome: Outcome, text: str
) -> None:
    # the quantile of those that came is well within the limit
    found = _reaction(4 * US, (3 * US, 5 * US))
    misses = DeadlineMisses(10 * US, 3, 400, 3 / 400, ci, lost=2)
    finding = judge_reaction(found, 10 * US, LENGTH, misses)
    assert finding.outcome == outcome
    assert text in finding.text
    none = judge_reaction(found, 10 * US, LENGTH, DeadlineMisses(10 * US, 3, 400, 3 / 400, ci))
    assert none.outcome == "met"


@pytest.mark.parametrize(
    ("value", "ci", "times"),
    [
        (9, (1, 11), 1.2 * 4),  # 2 us over, 1 us away
        (11, (9, 30), 1.2 * 4),
        (9, (8, 10.5), 1.2 * 2.25),
        (2, (1, 10.1), 1.2 * (8.1 / 8) ** 2),
    ],
)
def test_the_half_of_the_interval_that_holds_the_limit_has_to_shrink(
    value: float, ci: tuple[float, float], times: float
) -> None:
    found = _reaction(int(value * US), (int(ci[0] * US), int(ci[1] * US)))
    finding = judge_reaction(found, 10 * US, LENGTH)
    assert finding.more_shots == pytest.approx(1000 * (times - 1), abs=1)


def test_an_interval_much_narrower_than_the_distance_still_asks_for_a_fifth() -> None:
    # as happens where an interval is not centred: half of it is a tenth of the distance
    assert _times((0.0, 0.011), 0.0, 0.01) == pytest.approx(1.2 * 1.1)
    assert _times((0.9, 1.1), 1.0, 2.0) == 1.2
    assert _times((0.0, 1.0), 0.5, 0.5) == 1e5
    assert _times((0.0, 1.0), 0.5, 0.5 + 1e-5) == pytest.approx(1.2 * 5e4**2)


def test_an_interval_that_needs_hardly_more_windows_asks_for_a_tenth_more() -> None:
    for more, shots in ((10, 100), (100, 100), (150, 150), (None, 9000)):
        short = QuantileEstimate(0.99, 9 * US, None, 1000, 1.0, "", "short", more_windows=more)
        assert judge_reaction(short, 10 * US, LENGTH).more_shots == pytest.approx(shots, abs=1)


def test_a_value_without_limit_to_exceed_names_no_factor() -> None:
    over = judge_reaction(_reaction(9 * US, (8 * US, 9 * US)), 0, LENGTH)
    assert over.text == "p99 reaction 9.00 us [8.00, 9.00] over the limit of 0 ps"


def test_failures_without_an_interval_ask_for_four_times_the_shots() -> None:
    for shots, more, asked in ((1000, None, 3000), (500, 250, 500), (None, None, 3000)):
        counts = {} if shots is None else {"shots": shots}
        finding = judge_logical(_logical(0.01, 0.5, None, **counts), LENGTH, more)
        assert finding is not None
        assert finding.more_shots == asked


def test_lost_shots_alone_are_said() -> None:
    failed = _logical(0.1, None, (0.05, 0.2), decoder_errors=0, late=0, lost=7)
    finding = judge_logical(failed, LENGTH)
    assert finding is not None
    assert "(shots that failed: 7 lost)" in finding.text
    fine = judge_logical(_logical(0.1, None, None, decoder_errors=5, late=0, lost=0), LENGTH)
    assert fine is not None
    assert "failed" not in fine.text


def test_deadlines_of_lost_windows_and_without_a_bound() -> None:
    lost = report_deadline(DeadlineMisses(10 * US, 3, 1000, 0.003, None, lost=2), 0.95)
    assert lost is not None
    assert lost.text == "3 of 1000 windows later than 10 us (2 of them lost), rate 0.003"
    none = report_deadline(DeadlineMisses(10 * US, 0, 10, 0.0, None), 0.95)
    assert none is not None
    assert none.text == "none of 10 windows later than 10 us"


def test_a_budget_that_is_met_names_the_first_two_findings() -> None:
    found = [_found("i", None), *(_found(name, "met") for name in "abc")]
    outcome, line, ordered, decide = summarise_findings(found)
    assert (outcome, line, decide) == ("met", "budget met: a; b", None)
    assert [finding.text for finding in ordered] == ["a", "b", "c", "i"]
    assert summarise_findings([])[:2] == ("undecided", "undecided: nothing was judged")


def test_a_longer_run_covers_those_that_ask_for_less() -> None:
    found = [
        _found("a", "undecided", decide="about 900 more shots", more_shots=900),
        _found("b", "undecided", decide="about 20 more shots", more_shots=20),
        _found("c", "undecided", decide="a quiet machine"),
        _found("d", "undecided", decide="a quiet machine"),
    ]
    assert summarise_findings(found)[3] == "about 900 more shots and a quiet machine"
    assert summarise_findings([_found("a", "undecided")])[3] is None
