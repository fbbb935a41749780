"""What a delay model says of itself counts, whatever the few draws of a run happen to be."""

from functools import cache
from typing import Any

import pytest

from emulator.results import Result
from emulator.run import run_experiment
from emulator.scenario import resolve

BASE: dict[str, Any] = {
    "qpu": {"round_period": "1 us"},
    "code": {"task": "repetition_code:memory", "distance": 3, "rounds": 5},
    "noise": {"model": "depolarizing", "p": 0.001},
    "host": {"release": "dispatch"},
    "decoder": {"algorithm": "none", "timing": {"kind": "constant", "value": "1 us"}},
    "budget": {"lost_rounds": 10**9},
}
CHAIN = (
    *("window.kind=sliding", "window.commit=1", "window.buffer=0", "decoder.workers=64"),
    "fpga.rounds_per_message=1",
)


@cache
def judged(*overrides: str) -> Result:
    return run_experiment(resolve(BASE, overrides)).result


def mixture(rare: float, usual: str, seldom: str) -> str:
    parts = (
        f"{{weight = {1 - rare}, delay = {{kind = 'constant', value = '{usual}'}}}}",
        f"{{weight = {rare}, delay = {{kind = 'constant', value = '{seldom}'}}}}",
    )
    return f"decoder.timing={{kind = 'mixture', components = [{', '.join(parts)}]}}"


def warmup(messages: int, then: str) -> str:
    first, later = (f"{{kind = 'constant', value = '{value}'}}" for value in ("100 ns", then))
    kind = f"kind = 'warmup', messages = {messages}"
    return f"decoder.timing={{{kind}, first = {first}, then = {later}}}"


@pytest.mark.parametrize("shots", [10, 100, 1000])
@pytest.mark.parametrize(
    ("timing", "load"),
    [
        (mixture(1e-3, "1 us", "20 ms"), 4.2),
        (mixture(1e-4, "1 us", "100 ms"), 2.2),
        (mixture(1e-5, "1 us", "3 s"), 6.2),
        ("decoder.timing={kind = 'lognormal', median = '20 ns', sigma = 4.0}", 11.92),
        (warmup(9000, "6 us"), 1.2),
    ],
)
def test_an_overload_that_the_run_does_not_show_is_missed(
    timing: str, load: float, shots: int
) -> None:
    verdict = judged(timing, f"run.shots={shots}").verdict
    assert verdict.outcome == "missed"
    assert verdict.throughput.load_by_stage["decode"].value == pytest.approx(load, rel=1e-3)
    assert "stage decode is overloaded" in verdict.text


@pytest.mark.parametrize("seed", range(12))
def test_bad_luck_is_no_overload(seed: int) -> None:
    timing = mixture(0.005, "100 ns", "600 us")  # load 0.62
    verdict = judged(timing, "run.shots=110", f"run.seed={seed}").verdict
    assert verdict.throughput.load_by_stage["decode"].value == pytest.approx(0.6199)
    assert "overloaded" not in verdict.text


def test_a_chain_that_is_cut_short_is_not_met() -> None:
    for shots, time in ((20, "33 us"), (40, "33 us"), (19, "2 us")):
        asked = ("code.rounds=60", f"decoder.timing.value={time}", f"run.shots={shots}")
        assert judged(*CHAIN, *asked, "run.drain=false").verdict.outcome != "met"


def test_what_recovers_between_shots_is_not_missed() -> None:
    for shots in (1, 2, 3, 5, 19, 40):
        asked = ("code.rounds=10", "qpu.shot_period=20 us", "decoder.timing.value=1200 ns")
        verdict = judged(*CHAIN, "decoder.workers=1", *asked, f"run.shots={shots}").verdict
        assert verdict.outcome == ("met" if shots >= 10 else "undecided"), shots


def test_what_the_ring_turns_away_was_offered() -> None:
    slow = ("decoder.timing.value=100 us", "run.shots=2000")
    waits, drops = (
        judged(*slow, f"host.on_full={way}", "host.release=response") for way in ("wait", "drop")
    )
    loads = [result.verdict.throughput.load_by_stage["decode"].value for result in (waits, drops)]
    assert loads == [pytest.approx(20), pytest.approx(20)]
    assert drops.verdict.throughput.backlog_slope_rounds_per_s is None
    assert (waits.verdict.outcome, drops.verdict.outcome) == ("missed", "missed")


def test_a_lost_window_is_late() -> None:
    asked = ("link.up.loss=0.5", "budget.reaction=10 us", "run.shots=4000")
    half = judged(*asked, "budget.quantile=0.5")
    assert half.verdict.deadline is not None
    assert half.verdict.deadline.lost == half.verdict.deadline.misses > 1900
    assert half.verdict.deadline.samples == 4000
    assert half.verdict.outcome == "undecided"
    assert judged(*asked, "budget.quantile=0.9").verdict.outcome == "missed"
    assert judged(*asked, "budget.quantile=0.3").verdict.outcome == "met"


def test_all_late_is_missed_at_any_length() -> None:
    late = ("decoder.timing.value=4 us", "budget.reaction=1 us")
    assert judged(*late, "run.shots=10").verdict.outcome == "missed"
    assert judged(*late, "run.shots=9").verdict.outcome == "undecided"
