import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from emulator.results.outcome import assemble, dumps
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.loop.records import STAGES, Record
from emulator.results.verdict import Budget
from tests.results.queue import ROUND_PS, run_of

NOISE = np.random.default_rng(1).normal(0, 0.1, 4000)


def _run(load: float, **kwargs: Any) -> Record:
    return run_of((5 * ROUND_PS * load * (1 + NOISE)).astype(np.int64), **kwargs)


def _assemble(record: Record, budget: Budget, **kwargs: Any) -> dict[str, Any]:
    return assemble(
        record,
        budget=budget,
        timing={"decode": ("profile", "measured"), "uplink": ("fixed", "assumed")},
        scenario={"name": "queue"},
        sources={"decode": {"source": "here"}},
        versions={"stim": "1.15"},
        seed=7,
        engine="batch",
        round_period_ps=ROUND_PS,
        rounds_per_shot=5,
        **kwargs,
    )


def _wrong(errors: int, shots: int = 4000) -> np.ndarray:
    wrong = np.zeros((1, shots), dtype=np.bool_)
    wrong[0, np.random.default_rng(2).permutation(shots)[:errors]] = True
    return wrong


def test_keys_that_others_rely_on() -> None:
    result = _assemble(_run(0.8), Budget(limit_ps=10 * ROUND_PS), wrong=_wrong(8))
    assert list(result) == [
        "schema_version",
        "scenario",
        "sources",
        "versions",
        "seed",
        "engine",
        "verdict",
        "stages",
        "rounds",
        "predecoder",
    ]
    verdict = result["verdict"]
    promised = {
        "throughput": {"utilisation_by_stage", "backlog_slope_rounds_per_s", "ci", "stable"},
        "reaction": {
            *("quantile", "value_ps", "ci_ps", "limit_ps", "samples", "autocorrelation_windows"),
        },
        "logical": {"errors", "shots", "rate", "ci", "rate_with_deadline", "per_round"},
        "deadline": {"limit_ps", "misses", "samples", "rate", "ci"},
    }
    for part, keys in promised.items():
        assert keys <= verdict[part].keys()
    assert {
        "name",
        "timing_source",
        "mean_ps",
        "p50_ps",
        "p99_ps",
        "p999_ps",
        "max_ps",
        "share",
    } <= (result["stages"][0].keys())
    assert [stage["name"] for stage in result["stages"]] == list(STAGES)
    assert set(result["rounds"]) == {"emitted", "decoded", "in_flight", "lost", "lost_by_cause"}


def test_a_decoder_that_keeps_up_meets_its_budget() -> None:
    result = _assemble(_run(0.8), Budget(limit_ps=6 * ROUND_PS), wrong=_wrong(8))
    verdict = result["verdict"]
    assert verdict["meets_budget"] is True
    assert verdict["text"].startswith("budget met: p99 reaction 4.9")
    assert verdict["throughput"]["stable"] is True
    assert verdict["deadline"]["misses"] == 0
    assert verdict["logical"]["rate"] == verdict["logical"]["rate_with_deadline"] == 0.002


def test_an_overloaded_decoder_misses_its_budget_and_says_where() -> None:
    result = _assemble(_run(1.5, drain=False), Budget(limit_ps=6 * ROUND_PS), wrong=_wrong(8))
    verdict = result["verdict"]
    assert verdict["meets_budget"] is False
    assert verdict["throughput"]["stable"] is False
    assert any(text.startswith("stage decode saturates") for text in verdict["reasons"][:2])
    assert verdict["reaction"]["ci_ps"] is None
    assert verdict["logical"]["rate_with_deadline"] > 0.99
    assert result["rounds"]["in_flight"] > 0


@pytest.mark.parametrize(
    ("budget", "met"),
    [
        (Budget(), True),
        (Budget(limit_ps=4 * ROUND_PS), False),
        (Budget(limit_ps=6 * ROUND_PS, quantile=0.9999), False),
        (Budget(logical_limit=0.004), True),
        (Budget(logical_limit=0.0021), False),
        (Budget(logical_limit=0.001), False),
    ],
)
def test_each_criterion_counts(budget: Budget, met: bool) -> None:
    assert _assemble(_run(0.8), budget, wrong=_wrong(8))["verdict"]["meets_budget"] is met


@pytest.mark.parametrize(("allowed", "met"), [(9, False), (10, True)])
def test_lost_rounds_count(allowed: int, met: bool) -> None:
    result = _assemble(_run(0.8, lost=2), Budget(lost_rounds=allowed))
    assert result["verdict"]["meets_budget"] is met
    assert result["rounds"]["lost"] == 10
    assert any("10 rounds lost (wire 10)" in text for text in result["verdict"]["reasons"])


def test_what_is_not_measured_is_none() -> None:
    verdict = _assemble(_run(0.8), Budget())["verdict"]
    assert verdict["deadline"] is None
    assert verdict["reaction"]["limit_ps"] is None
    assert set(verdict["logical"].values()) == {None}
    assert verdict["idle"]["distance_to_compensate"] is None


def test_a_run_without_windows_is_not_a_pass() -> None:
    empty = run_of(np.full(3, 50 * ROUND_PS, dtype=np.int64), drain=False)
    assert len(empty.windows["window"]) == 0
    verdict = _assemble(empty, Budget(limit_ps=10**9), wrong=_wrong(0, 3))["verdict"]
    assert verdict["meets_budget"] is False
    assert verdict["reaction"]["value_ps"] is None
    assert verdict["idle"] is None
    assert verdict["logical"]["rate_with_deadline"] == 1


def test_warmup_windows_are_left_out_of_latencies_but_not_of_the_books() -> None:
    record = _run(0.8)
    result = _assemble(record, Budget(limit_ps=6 * ROUND_PS), warmup_windows=1000)
    assert result["verdict"]["reaction"]["samples"] == 3000
    assert result["verdict"]["deadline"]["samples"] == 3000
    assert result["rounds"]["decoded"] == 20_000


def test_predecoder_and_idle_are_reported() -> None:
    table = {name: np.array(column) for name, column in _TABLE.items()}
    result = _assemble(_run(0.8), Budget(), table=table, distance=5, suppression=2.0)
    assert result["predecoder"]["factor"] == 4
    assert result["predecoder"]["density_in"] == pytest.approx(8 / 48)
    assert result["verdict"]["idle"]["distance_to_compensate"] > 0
    assert _assemble(_run(0.8), Budget(), table={})["predecoder"] is None


_TABLE = {"detectors": [24, 24], "events_in": [6, 2], "events_out": [2, 0]}


def test_text_of_a_result_is_the_same_twice_and_reads_back() -> None:
    budget = Budget(limit_ps=10 * ROUND_PS)
    first, second = (
        dumps(_assemble(_run(0.9), budget, wrong=_wrong(8), distance=5, suppression=2.0))
        for _ in range(2)
    )
    assert first == second
    assert first.endswith("}\n")
    again = json.loads(first)
    assert dumps(again) == first


def test_only_plain_data_is_written() -> None:
    with pytest.raises(ValueError, match="plain data"):
        dumps({"value": np.int64(1)})
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"value": float("nan")})


def test_books_that_do_not_balance_are_a_defect() -> None:
    record = _run(0.8)
    with pytest.raises(RuntimeError, match="rounds vanished"):
        _assemble(replace(record, emitted=record.emitted + 1), Budget())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 30 * ROUND_PS), min_size=2, max_size=120),
    st.integers(0, 3),
    st.booleans(),
)
def test_every_run_balances_and_can_be_written(service: list[int], lost: int, drain: bool) -> None:
    record = run_of(np.array(service, dtype=np.int64), lost=lost, drain=drain)
    wrong = _wrong(1, len(service))
    result = _assemble(record, Budget(limit_ps=10 * ROUND_PS), wrong=wrong)
    rounds, logical = result["rounds"], result["verdict"]["logical"]
    assert rounds["emitted"] == rounds["decoded"] + rounds["in_flight"] + rounds["lost"]
    assert logical["rate_with_deadline"] >= logical["rate"]
    assert dumps(json.loads(dumps(result))) == dumps(result)
