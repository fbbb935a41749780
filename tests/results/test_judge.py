import json
import math
from collections.abc import Callable, Collection
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.decoders.answers import Answers
from emulator.loop.config import LinkSpec, PoolSpec
from emulator.loop.engine import run_loop
from emulator.loop.records import STAGES, Record
from emulator.results import Budget, Outcome, Result, dumps
from emulator.results.correlation import binomial_interval
from emulator.results.judge import undisturbed_windows
from emulator.results.rates import deadline_misses
from emulator.results.result import read_result
from emulator.windows import sliding_windows
from tests.loop.build import INSTANT, Listed, ListedLosses, loop_config
from tests.results.made import FACTS, answers_of, disturbed, judged
from tests.results.queue import ROUND_PS, run_of

NOISE = np.random.default_rng(1).normal(0, 0.1, 4000)
SHOTS = len(NOISE)


def _run(load: float, **kwargs: Any) -> Record:
    return run_of((5 * ROUND_PS * load * (1 + NOISE)).astype(np.int64), **kwargs)


def _criterion(result: Result, name: str) -> Outcome | None:
    [finding] = [found for found in result.verdict.findings if found.criterion == name]
    return finding.outcome


def test_keys_that_others_rely_on() -> None:
    answers = answers_of(SHOTS, 8)
    found = json.loads(dumps(judged(_run(0.8), Budget(limit_ps=10 * ROUND_PS), answers)))
    assert found["schema_version"] == 2
    verdict = found["verdict"]
    assert verdict["outcome"] == "met"
    assert verdict["decide"] is None
    promised = {
        "throughput": {"utilisation_by_stage", "backlog_slope_rounds_per_s", "ci", "stable"},
        "reaction": {"quantile", "value_ps", "ci_ps", "limit_ps", "samples"},
        "logical": {"errors", "shots", "rate", "ci", "decoder_errors"},
        "deadline": {"limit_ps", "misses", "samples", "rate", "ci"},
    }
    for part, keys in promised.items():
        assert keys <= verdict[part].keys()
    assert [stage["name"] for stage in found["stages"]] == list(STAGES)
    assert set(found["rounds"]) == {"emitted", "decoded", "in_flight", "lost", "lost_by_cause"}


def test_a_decoder_that_keeps_up_meets_its_budget() -> None:
    result = judged(_run(0.8), Budget(limit_ps=6 * ROUND_PS), answers_of(SHOTS, 8))
    verdict = result.verdict
    assert verdict.outcome == "met"
    assert verdict.text.startswith("budget met: p99 reaction 4.9")
    assert verdict.throughput.stable is True
    assert verdict.deadline is not None
    assert verdict.deadline.misses == 0
    assert verdict.logical.errors == verdict.logical.decoder_errors == 8
    assert verdict.logical.rate == 0.002
    # what fails late may come in a row: no more than that no shot was late is known
    assert verdict.logical.ci is not None
    assert verdict.logical.decoder_ci is not None
    assert verdict.logical.ci[1] > verdict.logical.decoder_ci[1]
    unlimited = judged(_run(0.8), Budget(), answers_of(SHOTS, 8)).verdict.logical
    assert unlimited.ci == unlimited.decoder_ci == verdict.logical.decoder_ci
    assert result.repeatable


def test_an_overloaded_decoder_misses_its_budget_and_says_where() -> None:
    budget = Budget(limit_ps=6 * ROUND_PS, logical_limit=0.1)
    verdict = judged(_run(1.5, drain=False), budget, answers_of(SHOTS, 8)).verdict
    assert verdict.outcome == "missed"
    assert verdict.throughput.stable is False
    assert "stage decode is overloaded, load 1.5" in verdict.text
    assert verdict.logical.decoder_errors == 8
    assert verdict.logical.rate is not None
    assert verdict.logical.rate > 0.99
    assert verdict.logical.late is not None
    assert verdict.logical.late > 3900


@pytest.mark.parametrize(
    ("budget", "outcome"),
    [
        (Budget(), "met"),
        (Budget(limit_ps=4 * ROUND_PS), "missed"),
        (Budget(limit_ps=6 * ROUND_PS, quantile=0.9999), "undecided"),
        (Budget(limit_ps=4 * ROUND_PS, quantile=0.9999), "missed"),
        (Budget(logical_limit=0.004), "met"),
        (Budget(logical_limit=0.0021), "undecided"),
        (Budget(logical_limit=0.0019), "undecided"),
        (Budget(logical_limit=0.0005), "missed"),
        (Budget(limit_ps=4 * ROUND_PS, logical_limit=0.0021), "missed"),
    ],
)
def test_each_criterion_counts(budget: Budget, outcome: Outcome) -> None:
    verdict = judged(_run(0.8), budget, answers_of(SHOTS, 8)).verdict
    assert verdict.outcome == outcome
    assert (verdict.decide is not None) is (outcome == "undecided")


def test_what_would_decide_is_the_longest_run_that_is_asked_for() -> None:
    budget = Budget(limit_ps=6 * ROUND_PS, quantile=0.9999, logical_limit=0.0021)
    verdict = judged(_run(0.8), budget, answers_of(SHOTS, 8)).verdict
    shots = {found.criterion: found.more_shots for found in verdict.findings if found.decide}
    assert set(shots) == {"reaction", "logical"}
    assert verdict.decide is not None
    assert verdict.decide.count("more shots") == 1
    assert shots["logical"] is not None
    assert shots["logical"] > (shots["reaction"] or 0)
    digit = int(str(shots["logical"])[0]) + 1
    assert verdict.decide.startswith(f"about {digit}")


def test_an_error_rate_that_was_not_measured_is_undecided() -> None:
    result = judged(_run(0.8), Budget(logical_limit=0.1))
    assert result.verdict.outcome == "undecided"
    assert result.verdict.logical.errors is None
    assert result.verdict.logical.limit == 0.1
    assert "decodes shots" in (result.verdict.decide or "")
    unknown = replace(answers_of(SHOTS, 8), wrong=None)
    assert judged(_run(0.8), Budget(logical_limit=0.1), unknown).verdict.outcome == "undecided"


@pytest.mark.parametrize(("allowed", "outcome"), [(9, "missed"), (10, "met")])
def test_lost_rounds_count(allowed: int, outcome: Outcome) -> None:
    result = judged(_run(0.8, lost=2), Budget(lost_rounds=allowed))
    assert result.verdict.outcome == outcome
    assert result.rounds.lost == 10
    assert any("10 rounds lost (wire 10)" in text for text in result.verdict.reasons)


def _losing(record: Record, shots: int) -> Record:
    """The same run with the first windows lost at the ring, which is then what decided."""
    gone = record.windows["window"] < shots
    rows = [record.windows[name][gone] for name in ("window", "patch", "shot")]
    cause = np.ones(shots, dtype=np.int64)
    return replace(
        record,
        windows={name: column[~gone] for name, column in record.windows.items()},
        lost=np.stack([*rows, cause], axis=1),
        causes=("link_loss", "ring_overrun"),
        decoded=record.decoded - 5 * shots,
        lost_by_cause={"link_loss": 0, "ring_overrun": 5 * shots},
    )


def test_lost_shots_are_failed_shots() -> None:
    lost = int(0.86 * SHOTS)
    budget = Budget(lost_rounds=10**6, logical_limit=0.5)
    result = judged(_losing(_run(0.8), lost), budget, answers_of(SHOTS, 0))
    logical = result.verdict.logical
    assert (logical.errors, logical.decoder_errors, logical.lost) == (lost, 0, lost)
    assert logical.rate == pytest.approx(0.86)
    assert _criterion(result, "logical") != "met"
    assert result.verdict.outcome == "missed"
    assert "86% of the rounds are lost at the ring" in result.verdict.text
    assert "logical error rate 0 " not in " ".join(result.verdict.reasons)


def test_late_shots_are_failed_shots() -> None:
    record = _run(0.8)
    reaction = record.windows["applied_ps"] - record.windows["emitted_ps"]
    limit = int(np.sort(reaction)[-101])
    answers = answers_of(SHOTS, 8)
    logical = judged(record, Budget(limit_ps=limit), answers).verdict.logical
    assert answers.wrong is not None
    assert logical.late == 100
    assert logical.errors == int(np.count_nonzero(answers.wrong | (reaction > limit)))
    assert logical.decoder_errors == 8


def test_a_shot_whose_answer_is_not_yet_due_is_left_out() -> None:
    record = _run(0.8, drain=False)
    left = SHOTS - len(record.windows["window"])
    assert left > 0
    for limit in (None, 10**12):
        logical = judged(record, Budget(limit_ps=limit), answers_of(SHOTS, 8)).verdict.logical
        assert (logical.unfinished, logical.shots) == (left, SHOTS - left)
    slow = judged(_run(3.0, drain=False), Budget(limit_ps=10 * ROUND_PS), answers_of(SHOTS, 0))
    assert slow.verdict.logical.unfinished == 3  # those of the last ten rounds
    assert slow.verdict.logical.rate == pytest.approx(1, abs=0.01)


def test_what_is_not_measured_is_none() -> None:
    result = judged(_run(0.8), Budget())
    verdict = result.verdict
    assert verdict.deadline is None
    assert verdict.reaction.limit_ps is None
    assert set(verdict.logical.model_dump().values()) == {None}
    assert verdict.idle is not None
    assert verdict.idle.distance_to_compensate is None
    assert verdict.disturbed is None
    assert result.machine is None


def test_a_run_without_windows_is_not_a_pass() -> None:
    empty = run_of(np.full(3, 50 * ROUND_PS, dtype=np.int64), drain=False)
    assert len(empty.windows["window"]) == 0
    budget = Budget(limit_ps=10**9, logical_limit=0.1)
    verdict = judged(empty, budget, answers_of(3)).verdict
    assert verdict.outcome == "undecided"
    assert verdict.decide is not None
    assert verdict.reaction.value_ps is None
    assert verdict.idle is None
    assert (verdict.logical.shots, verdict.logical.rate) == (0, None)


def test_warmup_windows_are_left_out_of_latencies_but_not_of_the_books() -> None:
    result = judged(_run(0.8), Budget(limit_ps=6 * ROUND_PS), warmup_windows=1000)
    assert result.verdict.reaction.samples == 3000
    assert result.verdict.warmup_windows == 1000
    assert result.verdict.deadline is not None
    assert result.verdict.deadline.samples == 3000
    assert result.rounds.decoded == 20_000


def test_predecoder_and_idle_are_reported() -> None:
    answers = answers_of(SHOTS, events=(8, 2))
    result = judged(_run(0.8), Budget(), answers, detectors=24, distance=5, suppression=2.0)
    assert result.predecoder is not None
    assert result.predecoder.factor == 4
    assert result.predecoder.density_in == pytest.approx(8 / 24)
    assert result.verdict.idle is not None
    assert (result.verdict.idle.distance_to_compensate or 0) > 0
    assert judged(_run(0.8), Budget(), answers).predecoder is None


def test_the_machine_is_named_and_measured_times_do_not_come_again() -> None:
    machine = SimpleNamespace(model="bench", cores=2, load=0.5, ghosts=3)
    result = judged(_run(0.8), Budget(), machine=machine, measured=frozenset({"decode"}))
    assert result.machine is not None
    assert (result.machine.model, result.machine.cores) == ("bench", 2)
    assert result.machine.processor is None
    assert not result.repeatable


MEASURED = frozenset({"decode"})


def _hiccups(share: float) -> np.ndarray:
    calls = np.zeros(SHOTS, dtype=np.bool_)
    calls[:: int(1 / share)] = True
    return calls


def _disturbed_run(calls: np.ndarray, load: float = 0.5) -> Record:
    """A run in which the disturbed calls took ten windows' time."""
    times = (5 * ROUND_PS * load * (1 + NOISE)).astype(np.int64)
    return run_of(np.where(calls, 50 * ROUND_PS, times))


def test_few_disturbed_calls_are_left_out_and_said() -> None:
    calls = _hiccups(0.02)
    answers = disturbed(answers_of(SHOTS, 8), calls)
    result = judged(_disturbed_run(calls), Budget(), answers, measured=MEASURED)
    found = result.verdict.disturbed
    assert found is not None
    assert (found.windows, found.left_out, found.share) == (SHOTS, 80, 0.02)
    assert found.share_by_stage == {"decode": 0.02}
    assert result.verdict.reaction.samples == SHOTS - 80
    assert result.stages[STAGES.index("decode")].max_ps < 10 * ROUND_PS  # type: ignore[operator]
    assert result.verdict.throughput.load_by_stage["decode"].value == pytest.approx(0.5, rel=0.01)
    assert "80 of 4000 windows (2%) left out" in " ".join(result.verdict.reasons)
    # only what was timed in this run can have been disturbed
    assert judged(_disturbed_run(calls), Budget(), answers).verdict.disturbed is None


def test_many_disturbed_calls_decide_nothing() -> None:
    calls = _hiccups(0.1)
    answers = disturbed(answers_of(SHOTS, 8), calls)
    easy = judged(_disturbed_run(calls, 0.1), Budget(), answers, measured=MEASURED).verdict
    assert easy.outcome == "undecided"
    assert "more than 5%" in easy.text
    assert "quiet machine" in (easy.decide or "")
    # ten windows' time in every tenth call is an overload that the calls themselves are not
    behind = judged(_disturbed_run(calls, 0.5), Budget(), answers, measured=MEASURED).verdict
    assert behind.outcome == "undecided"
    slow = judged(_disturbed_run(calls, 2.0), Budget(), answers, measured=MEASURED).verdict
    assert slow.outcome == "missed"
    assert "stage decode is overloaded, load 2" in slow.text


def test_text_of_a_result_is_the_same_twice_and_reads_back() -> None:
    budget = Budget(limit_ps=10 * ROUND_PS)
    results = [
        judged(_run(0.9), budget, answers_of(SHOTS, 8), distance=5, suppression=2.0)
        for _ in range(2)
    ]
    first, second = (dumps(result) for result in results)
    assert first == second
    assert first.endswith("}\n")
    assert read_result(first, "here") == results[0]


def test_books_that_do_not_balance_are_a_defect() -> None:
    record = _run(0.8)
    with pytest.raises(RuntimeError, match="rounds vanished"):
        judged(replace(record, emitted=record.emitted + 1), Budget())
    with pytest.raises(RuntimeError, match="without an answer"):
        judged(
            replace(record, windows={k: v[1:] for k, v in record.windows.items()}),
            Budget(),
            answers_of(SHOTS),
        )


def test_sums_of_a_long_run_pass_64_bits() -> None:
    service_ps = 5 * 10**11  # half a second a window, every 5 us
    result = judged(run_of(np.full(20_000, service_ps, dtype=np.int64)), Budget())
    stages = {stage.name: stage for stage in result.stages}
    queue = stages["decode_queue"]
    assert queue.mean_ps == pytest.approx(9999.5 * (service_ps - 5 * ROUND_PS), rel=1e-9)
    assert queue.share == pytest.approx(1, abs=1e-3)
    assert stages["decode"].mean_ps == service_ps
    idle = result.verdict.idle
    assert idle is not None
    assert idle.mean_rounds > 0


CRITERIA: dict[str, Callable[[Budget], bool]] = {
    "reaction": lambda budget: budget.limit_ps is not None,
    "logical": lambda budget: budget.logical_limit is not None,
    "throughput": lambda budget: True,  # noqa: ARG005
    "losses": lambda budget: True,  # noqa: ARG005
}


@settings(max_examples=60, deadline=None)
@given(
    service=st.lists(st.integers(1, 30 * ROUND_PS), min_size=2, max_size=60)
    | st.builds(lambda t, n: [t] * n, st.integers(1, 8 * ROUND_PS), st.integers(2, 1200)),
    lost=st.integers(0, 3),
    drain=st.booleans(),
    asked=st.tuples(st.none() | st.integers(0, 60 * ROUND_PS), st.none() | st.floats(0, 1)),
    errors=st.none() | st.integers(0, 2),  # None: a run that only times the loop
)
def test_no_run_is_met_unless_every_criterion_is(
    service: list[int],
    lost: int,
    drain: bool,
    asked: tuple[int | None, float | None],
    errors: int | None,
) -> None:
    record = run_of(np.array(service, dtype=np.int64), lost=lost, drain=drain)
    budget = Budget(limit_ps=asked[0], logical_limit=asked[1], quantile=0.9)
    answers = None if errors is None else answers_of(len(service), errors)
    result = judged(record, budget, answers)
    outcomes = [finding.outcome for finding in result.verdict.findings]
    assert (result.verdict.outcome == "met") is (set(outcomes) <= {"met", None})
    assert (result.verdict.outcome == "missed") is ("missed" in outcomes)
    assert (result.verdict.decide is not None) is (result.verdict.outcome == "undecided")
    for name, is_asked in CRITERIA.items():
        if is_asked(budget):
            assert _criterion(result, name) is not None
    if result.verdict.outcome == "met":
        value, deadline = result.verdict.reaction.ci_ps, result.verdict.deadline
        if budget.limit_ps is not None and value is not None:
            assert value[1] <= budget.limit_ps
        elif budget.limit_ps is not None:
            assert deadline is not None
            assert deadline.ci is not None
            assert deadline.ci[1] <= 0.1
        assert result.verdict.throughput.stable is True
    rounds, logical = result.rounds, result.verdict.logical
    assert rounds.emitted == rounds.decoded + rounds.in_flight + rounds.lost
    if logical.errors is not None and not logical.unfinished:
        assert logical.errors >= (logical.decoder_errors or 0)
    assert read_result(dumps(result), "here") == result


def test_facts_pass_through() -> None:
    result = judged(_run(0.8), Budget())
    assert result.scenario == FACTS.scenario
    assert result.sources["decode"].where == "queue.toml:3"
    assert (result.versions, result.seed, result.engine) == ({"stim": "1.15"}, 7, "batch")
    decode = result.stages[STAGES.index("decode")]
    assert (decode.timing_source, decode.timing_confidence) == ("profile", "measured")


# -- patches, losses and disturbed calls, of small runs of the loop itself -------------------------

LATE = 3 * ROUND_PS


def _two_patches(slow: Collection[int], lost: Collection[int] = ()) -> Record:
    """400 shots of a round on two patches, two windows each: ``slow`` and ``lost`` ones by number.

    Window 4 s + 2 p + k is the k-th of shot s of patch p; a slow one takes four rounds.
    """
    times = [4 * ROUND_PS if window in slow else 1 for window in range(1600)]
    plan = sliding_windows(2, 1, 1)
    losses = [False] * 1600
    for window in lost:  # messages go by shot, round and patch
        losses[window - window % 4 + 2 * (window % 2) + window % 4 // 2] = True
    config = loop_config(
        rounds=2,
        shots=400,
        patches=2,
        plan=plan,
        decode=PoolSpec(10**6, Listed(times)),
        up=LinkSpec(None, INSTANT, losses=ListedLosses(losses)),
    )
    return run_loop(config)


def _answers(wrong: set[int]) -> Answers:
    """Answers of the same run, those of these rows (shot * 2 + patch) wrong."""
    answers = answers_of(800)
    flags = np.zeros(800, dtype=np.bool_)
    flags[list(wrong)] = True
    return replace(answers, wrong=flags, corrections=np.zeros((800, 2, 1), dtype=np.uint8))


def test_shots_are_matched_with_their_answers_patch_by_patch() -> None:
    # row 3 is shot 1 of patch 1, whose windows are 6 and 7; row 8 is shot 4 of patch 0
    record = _two_patches({7, 16}, lost={800})
    logical = judged(record, Budget(limit_ps=LATE), _answers({3, 9, 400})).verdict.logical
    assert (logical.late, logical.lost, logical.unfinished) == (2, 1, 0)
    assert logical.decoder_errors == 3
    # 3 is late and wrong, 8 late, 9 wrong, 400 lost and wrong
    assert logical.errors == 4
    assert logical.decoder_rate == 3 / 800
    assert logical.decoder_ci == pytest.approx(binomial_interval(3, 800, 0.95))
    assert logical.decoder_ci is not None
    rates = [(1 - math.sqrt(1 - 2 * p)) / 2 for p in (3 / 800, *logical.decoder_ci)]
    assert logical.decoder_per_round == pytest.approx(rates[0])
    assert logical.decoder_per_round_ci == pytest.approx(rates[1:])
    none = judged(record, Budget(), _answers(set())).verdict.logical
    assert (none.decoder_errors, none.decoder_per_round, none.late) == (0, 0, 0)


def test_a_lost_window_is_later_than_any_limit_and_stands_where_it_would_have_come() -> None:
    # in a row they tell less than apart: not even how often
    lost, apart = set(range(400, 420)), set(range(400, 1600, 60))
    for gone in (lost, apart):
        record = _two_patches({7}, gone)
        deadline = judged(record, Budget(limit_ps=LATE)).verdict.deadline
        assert deadline is not None
        late = np.zeros(1600, dtype=np.int64)
        late[[7, *gone]] = 2 * LATE
        expected = deadline_misses(late, LATE, 0.95).ci
        assert (deadline.misses, deadline.samples, deadline.lost) == (21, 1600, 20)
        assert deadline.rate == 21 / 1600
        assert (expected is None) is (gone is lost)
        assert deadline.ci == (expected and pytest.approx(expected))
    record = _two_patches({7}, lost)
    # those of the warm-up do not count
    for warmup, count in ((410, 10), (411, 9)):
        found = judged(record, Budget(limit_ps=LATE), warmup_windows=warmup).verdict.deadline
        assert found is not None
        assert (found.misses, found.lost, found.samples) == (count, count, 1600 - warmup)
    # later than a limit that all others keep, however long it is
    for limit in (0, 10**9, 2**62):
        found = judged(record, Budget(limit_ps=limit)).verdict.deadline
        assert found is not None
        assert found.misses == 20 + (1580 if limit == 0 else 0)


def test_windows_that_were_all_lost_are_all_late() -> None:
    record = _two_patches(set(), set(range(1600)))
    found = judged(record, Budget(limit_ps=LATE), _answers({5})).verdict
    assert found.deadline is not None
    assert (found.deadline.misses, found.deadline.samples) == (1600, 1600)
    assert (found.logical.errors, found.logical.lost, found.logical.rate) == (800, 800, 1)


def _left_out(found: Result) -> tuple[int, int, float]:
    share = found.verdict.disturbed
    assert share is not None
    assert share.share == pytest.approx(share.left_out / max(1, share.windows))
    return share.windows, share.left_out, share.share


def _by_stage(found: Result) -> dict[str, float]:
    assert found.verdict.disturbed is not None
    return dict(found.verdict.disturbed.share_by_stage)


def test_a_disturbed_call_concerns_the_windows_it_timed_after_the_warm_up() -> None:
    record = _two_patches(set())
    answers = _answers(set())
    predecode, decode = np.zeros(800, dtype=bool), np.zeros((800, 2), dtype=bool)
    predecode[[3, 700]] = True  # windows 6, 7, 1400 and 1401
    decode[3, 1] = decode[4, 0] = True  # windows 7 and 8
    answers = replace(answers, disturbed_predecode=predecode, disturbed_decode=decode)
    kept = undisturbed_windows(record.windows, answers, frozenset({"predecode", "decode"}))
    assert np.flatnonzero(~kept).tolist() == [6, 7, 8, 1400, 1401]
    only = undisturbed_windows(record.windows, answers, frozenset({"decode"}))
    assert np.flatnonzero(~only).tolist() == [7, 8]
    assert undisturbed_windows(record.windows, None, frozenset({"decode"})).all()
    unmarked = replace(answers, disturbed_decode=None)
    assert undisturbed_windows(record.windows, unmarked, frozenset({"decode"})).all()
    both = frozenset({"predecode", "decode"})
    whole = judged(record, Budget(), answers, measured=both)
    assert _left_out(whole)[:2] == (1600, 5)
    assert _by_stage(whole) == pytest.approx({"predecode": 4 / 1600, "decode": 2 / 1600})
    assert whole.verdict.reaction.samples == 1595
    settled = judged(record, Budget(), answers, measured=both, warmup_windows=8)
    assert _left_out(settled)[:2] == (1592, 3)
    assert _by_stage(settled) == pytest.approx({"predecode": 2 / 1592, "decode": 1 / 1592})
    none = judged(record, Budget(), answers, measured=both, warmup_windows=1600)
    assert _left_out(none) == (0, 0, 0.0)
    assert _by_stage(none) == {"predecode": 0.0, "decode": 0.0}
    # the warm-up's shots count for failures, but no disturbed window makes one late
    late = judged(_two_patches({7, 9}), Budget(limit_ps=LATE), answers, measured=both)
    assert late.verdict.logical.late == 1


def test_rounds_lost_on_the_line_are_no_fault_of_disturbed_calls() -> None:
    decode = np.zeros((800, 2), dtype=bool)
    decode[:100] = True
    answers = replace(_answers(set()), disturbed_decode=decode)
    record = _two_patches(set(), {8, 12, 16})
    for cause, allowed, outcome in (
        ("link_loss", 2, "missed"),
        ("link_loss", 3, "met"),
        ("ring_overrun", 2, "undecided"),
        ("ring_overrun", 3, "met"),
    ):
        lost = {"link_loss": 0, "ring_overrun": 0, cause: 3}
        run = replace(record, lost_by_cause=lost)
        budget = Budget(lost_rounds=allowed)
        found = judged(run, budget, answers, measured=MEASURED)
        assert _criterion(found, "losses") == outcome, (cause, allowed)
    few = replace(answers, disturbed_decode=decode & (np.arange(800) < 40)[:, None])
    run = replace(record, lost_by_cause={"ring_overrun": 3})
    assert _criterion(judged(run, Budget(), few, measured=MEASURED), "losses") == "missed"
    findings = judged(run, Budget(), answers, measured=MEASURED).verdict.findings
    [text] = [found.text for found in findings if found.criterion == "losses"]
    assert text.endswith("0 allowed, which disturbed measurements may have caused")
