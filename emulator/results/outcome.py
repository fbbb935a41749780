"""The result of a run as plain data: the content of ``result.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import LoopRecord
from emulator.results.correlation import Series
from emulator.results.quantiles import quantile_interval
from emulator.results.rates import (
    ErrorCount,
    deadline_misses,
    failure_rate,
    per_round,
    shots_on_time,
)
from emulator.results.stability import idle_cost, throughput
from emulator.results.stages import after_warmup, reaction_times, summarise
from emulator.results.thinning import COUNTS, Thinning
from emulator.results.verdict import (
    Budget,
    Finding,
    judge_logical,
    judge_losses,
    judge_reaction,
    judge_throughput,
    report_deadline,
    report_idle,
    summarise_findings,
)

__all__ = ["SCHEMA_VERSION", "assemble", "dumps"]

SCHEMA_VERSION = 1

_DIGITS = 9  # of floats: more than any estimate has, fewer than processors may disagree about

Part = tuple[dict[str, Any] | None, list[Finding]]
"""A part of the verdict: its data and what it says about the budget."""


def assemble(
    record: LoopRecord,
    *,
    budget: Budget,
    timing: Mapping[str, tuple[str, str]],
    scenario: Mapping[str, Any],
    sources: Mapping[str, Any],
    versions: Mapping[str, str],
    seed: int,
    engine: str,
    round_period_ps: int,
    rounds_per_shot: int,
    wrong: NDArray[np.bool_] | None = None,
    table: Mapping[str, NDArray[np.int64]] | None = None,
    warmup_windows: int = 0,
    distance: int | None = None,
    suppression: float | None = None,
) -> dict[str, Any]:
    """Judge a run and lay out everything that is known of it, ready for `dumps`.

    ``timing`` gives source and confidence of the delays by stage name. ``wrong`` is bool of shape
    (patches, shots), True where the answer is a logical error. ``table`` may hold the columns
    `COUNTS` per window, for what the pre-decoder did. Latencies leave out the windows numbered
    below ``warmup_windows``. ``suppression`` is Lambda, see `idle_cost`. The result depends on
    nothing but the arguments.
    """
    record.check_conservation()
    windows = after_warmup(record.windows, warmup_windows)
    reaction_ps = reaction_times(windows)
    idle = idle_cost(
        reaction_ps,
        round_period_ps,
        idle_rounds=record.idle_rounds,
        distance=distance,
        suppression=suppression,
    )
    parts = {
        "reaction": _reaction(reaction_ps, budget),
        "throughput": _throughput(record, windows, budget),
        "logical": _logical(record, wrong, budget, rounds_per_shot),
        "deadline": _deadline(reaction_ps, budget),
        "idle": (None, []) if idle is None else (asdict(idle), [Finding(True, report_idle(idle))]),
    }
    findings = [finding for _, found in parts.values() for finding in found]
    findings.append(judge_losses(record.lost_by_cause, budget.lost_rounds))
    met, text, reasons = summarise_findings(findings)
    verdict = {"meets_budget": met, "text": text, "reasons": reasons}
    verdict |= {"confidence": budget.confidence}
    verdict |= {name: data for name, (data, _) in parts.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": dict(scenario),
        "sources": dict(sources),
        "versions": dict(versions),
        "seed": seed,
        "engine": engine,
        "verdict": _plain(verdict),
        "stages": _plain([asdict(stage) for stage in summarise(windows, dict(timing))]),
        "rounds": _plain(_rounds(record)),
        "predecoder": _plain(_predecoder(table)),
    }


def dumps(result: Mapping[str, Any]) -> str:
    """Write a result as JSON text, keys in their order; ValueError for anything not plain data."""
    try:
        return json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except TypeError as error:
        raise ValueError(f"a result must be plain data: {error}") from error


def _reaction(reaction_ps: NDArray[np.int64], budget: Budget) -> Part:
    found = quantile_interval(reaction_ps, budget.quantile, budget.confidence)
    data = {**asdict(found), "limit_ps": budget.limit_ps}
    return data, [judge_reaction(found, budget.limit_ps)]


def _throughput(record: LoopRecord, windows: dict[str, NDArray[np.int64]], budget: Budget) -> Part:
    found = throughput(
        record.pools,
        record.backlog,
        emitted=record.emitted,
        # a loss on the wire says nothing of how fast the host is
        lost=record.lost_by_cause.get("ring_overrun", 0),
        horizon_ps=record.horizon_ps,
        warmup_ps=int(windows["emitted_ps"].min(initial=record.horizon_ps)),
        confidence=budget.confidence,
    )
    return asdict(found), [judge_throughput(found)]


def _deadline(reaction_ps: NDArray[np.int64], budget: Budget) -> Part:
    if budget.limit_ps is None:
        return None, []
    found = deadline_misses(reaction_ps, budget.limit_ps, budget.confidence)
    text = report_deadline(found, budget.confidence)
    return asdict(found), [Finding(True, text)] if text else []


def _logical(
    record: LoopRecord, wrong: NDArray[np.bool_] | None, budget: Budget, rounds_per_shot: int
) -> Part:
    count = None if wrong is None else ErrorCount.of(wrong)
    rate = count.rate if count else None
    interval = count.interval(budget.confidence) if count else None
    late_rate, late_interval = _late_or_wrong(record, wrong, budget)
    data = {
        "errors": count.errors if count else None,
        "shots": count.shots if count else None,
        "rate": rate,
        "ci": interval,
        "ci_likelihood_1000": count.likelihood_interval() if count else None,
        "rate_with_deadline": late_rate,
        "rate_with_deadline_ci": late_interval,
        "per_round": None if rate is None else per_round(rate, rounds_per_shot),
        "per_round_ci": interval and [per_round(end, rounds_per_shot) for end in interval],
        "limit": budget.logical_limit,
    }
    finding = judge_logical(rate, interval, budget.logical_limit)
    return data, [finding] if finding else []


def _late_or_wrong(
    record: LoopRecord, wrong: NDArray[np.bool_] | None, budget: Budget
) -> tuple[float | None, tuple[float, float] | None]:
    """Probability that a shot's answer is late or wrong, CUDA-Q QEC's LER(t), with its interval.

    All shots count, those of the warm-up too, so that it compares with the plain rate.
    """
    if wrong is None or wrong.size == 0 or budget.limit_ps is None:
        return None, None
    shape = (wrong.shape[0], wrong.shape[1])
    on_time = shots_on_time(record.windows, record.lost, budget.limit_ps, shape)
    reaction_ps = reaction_times(record.windows)
    memory = Series(reaction_ps).memory
    if memory is not None:
        memory = memory.grouped(max(1.0, len(reaction_ps) / wrong.size))
    # in time order: the patches run side by side
    found = failure_rate(wrong.T.ravel(), ~on_time.T.ravel(), memory, budget.confidence)
    return found.rate, found.ci


def _rounds(record: LoopRecord) -> dict[str, Any]:
    return {
        "emitted": record.emitted,
        "decoded": record.decoded,
        "in_flight": record.in_flight,
        "lost": sum(record.lost_by_cause.values()),
        "lost_by_cause": dict(record.lost_by_cause),
    }


def _predecoder(table: Mapping[str, NDArray[np.int64]] | None) -> dict[str, Any] | None:
    if table is None or not all(name in table for name in COUNTS):
        return None
    found = Thinning.of(table)
    return {
        "density_in": found.density_in,
        "density_out": found.density_out,
        "factor": found.factor,
        **asdict(found),
    }


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and tuples into plain numbers and lists, and round floats."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
