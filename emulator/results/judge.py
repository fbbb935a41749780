"""From the record of a run and its answers to the result: what is written, shown and compared."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import MAX_DISTURBED_SHARE, Answers
from emulator.loop.records import Record
from emulator.results.correlation import Series
from emulator.results.failures import failures, shot_outcomes
from emulator.results.idle import idle_cost
from emulator.results.quantiles import QuantileEstimate, quantile_interval
from emulator.results.rates import DeadlineMisses, ErrorCount, deadline_misses, per_round
from emulator.results.result import (
    Deadline,
    Disturbed,
    DroppedErrors,
    Finding,
    Logical,
    MachineFacts,
    PredecoderCounts,
    Reaction,
    Result,
    Rounds,
    StandIn,
    ValueOrigin,
    Verdict,
)
from emulator.results.stability import stability
from emulator.results.stages import after_warmup, reaction_times, summarise
from emulator.results.thinning import Thinning
from emulator.results.verdict import (
    Budget,
    RunLength,
    judge_disturbed,
    judge_logical,
    judge_losses,
    judge_reaction,
    judge_throughput,
    report_deadline,
    report_idle,
    summarise_findings,
)
from emulator.units import MAX_TIME_PS

__all__ = ["RunFacts", "judge", "undisturbed_windows"]

Windows = dict[str, NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a run says about itself; the record and the answers say the rest.

    ``scenario`` is the dump of the scenario and ``origins`` where each of its values was written,
    as `emulator.scenario.layers.Origin`; ``machine`` has the attributes of `MachineFacts`.
    ``stage_sources`` gives source and confidence of the delays by stage. ``measured`` are the
    stages (``predecode``, ``decode``) whose times were taken on this machine in this run.
    ``batch`` is the batch size of stages that work in batches, ``expected_ps`` the mean service
    time of stages whose delay model says it (`stage_loads`). ``detectors`` per shot are counted
    where a pre-decoder was applied. ``distance`` and ``suppression`` (Lambda) belong to the code,
    and ``feedback_every`` is the length of an operation in rounds, in a program with feedback.
    ``stand_ins`` and ``dropped`` are those of the verdict.
    """

    budget: Budget
    scenario: Mapping[str, Any]
    origins: Mapping[str, Any]
    versions: Mapping[str, str]
    seed: int
    engine: str
    stage_sources: Mapping[str, tuple[str, str]]
    machine: object | None = None
    measured: frozenset[str] = frozenset()
    batch: Mapping[str, int] = field(default_factory=dict)
    expected_ps: Mapping[str, float] = field(default_factory=dict)
    warmup_windows: int = 0
    distance: int | None = None
    suppression: float | None = None
    feedback_every: int | None = None
    detectors: int | None = None
    stand_ins: tuple[StandIn, ...] = ()
    dropped: DroppedErrors | None = None


def judge(record: Record, answers: Answers | None, facts: RunFacts) -> Result:
    """Judge a run; ``answers`` is None in one that only timed the loop.

    Latencies and rates are those of the windows after the warm-up whose measurements nothing
    disturbed. The result depends on nothing but the arguments. Raises RuntimeError for a record
    whose rounds do not add up.
    """
    record.check_conservation()
    disturbed_by_stage = _disturbed_calls(record.windows, answers, facts.measured)
    clean = undisturbed_windows(record.windows, answers, facts.measured)
    settled = after_warmup(record.windows, facts.warmup_windows)
    windows = after_warmup(_rows(record.windows, clean), facts.warmup_windows)
    first = record.windows["window"] >= facts.warmup_windows
    disturbed = _disturbed(
        {name: calls[first] for name, calls in disturbed_by_stage.items()},
        len(settled["window"]),
        len(windows["window"]),
    )
    judged = _Judged(record, windows, _rows(record.windows, clean), facts)
    verdict = judged.verdict(answers, disturbed)
    return Result(
        scenario=dict(facts.scenario),
        sources={name: _origin(origin) for name, origin in facts.origins.items()},
        versions=dict(facts.versions),
        machine=None if facts.machine is None else MachineFacts.model_validate(facts.machine),
        seed=facts.seed,
        engine=facts.engine,
        repeatable=not facts.measured,
        verdict=verdict,
        stages=summarise(windows, facts.stage_sources),
        rounds=Rounds(
            emitted=record.emitted,
            decoded=record.decoded,
            in_flight=record.in_flight,
            lost=sum(record.lost_by_cause.values()),
            lost_by_cause=dict(record.lost_by_cause),
        ),
        predecoder=_predecoder(answers, facts.detectors),
    )


def undisturbed_windows(
    windows: Windows, answers: Answers | None, measured: frozenset[str]
) -> NDArray[np.bool_]:
    """Tell which rows of ``windows``, bool (n,), rest on measurements that nothing disturbed."""
    kept = np.ones(len(windows["window"]), dtype=np.bool_)
    for calls in _disturbed_calls(windows, answers, measured).values():
        kept &= ~calls
    return kept


def _disturbed_calls(
    windows: Windows, answers: Answers | None, measured: frozenset[str]
) -> dict[str, NDArray[np.bool_]]:
    """By measured stage, bool (n,): whether the call that timed a window was disturbed."""
    if answers is None:
        return {}
    per_shot = answers.corrections.shape[1]
    found = {}
    predecode, decode = answers.disturbed_predecode, answers.disturbed_decode
    if "predecode" in measured and predecode is not None:
        found["predecode"] = predecode[windows["window"] // per_shot]
    if "decode" in measured and decode is not None:
        found["decode"] = decode.ravel()[windows["window"]]
    return found


def _disturbed(
    by_stage: Mapping[str, NDArray[np.bool_]], settled: int, kept: int
) -> Disturbed | None:
    if not by_stage:
        return None
    left_out = settled - kept
    return Disturbed(
        windows=settled,
        left_out=left_out,
        share=left_out / settled if settled else 0.0,
        share_by_stage={
            name: float(calls.mean()) if len(calls) else 0.0 for name, calls in by_stage.items()
        },
    )


def _rows(windows: Windows, kept: NDArray[np.bool_]) -> Windows:
    return windows if kept.all() else {name: column[kept] for name, column in windows.items()}


@dataclass(frozen=True, eq=False)
class _Judged:
    """A run in the making of its verdict.

    ``windows`` are those to judge by; ``timely`` the same with the warm-up's, for whole shots.
    """

    record: Record
    windows: Windows
    timely: Windows
    facts: RunFacts

    def verdict(self, answers: Answers | None, disturbed: Disturbed | None) -> Verdict:
        """Judge every criterion and sum up."""
        record, budget, facts = self.record, self.facts.budget, self.facts
        length = RunLength(record.emission.shots)
        reaction_ps = reaction_times(self.windows)
        series = Series(reaction_ps)
        quantile = quantile_interval(series, budget.quantile, budget.confidence)
        keeps_up = stability(
            record,
            self.windows,
            confidence=budget.confidence,
            batch=facts.batch,
            timed=facts.measured,
            expected_ps=facts.expected_ps,
        )
        logical, more_shots = self._logical(answers)
        misses = None
        if budget.limit_ps is not None:
            misses = self._misses(series, budget.limit_ps, budget.confidence)
        idle = idle_cost(
            reaction_ps,
            record.emission.round_period_ps,
            idle_rounds=record.idle_rounds,
            every=facts.feedback_every,
            distance=facts.distance,
            suppression=facts.suppression,
        )
        found = [
            judge_disturbed(disturbed),
            judge_reaction(quantile, budget.limit_ps, length, misses, budget.confidence),
            _by_lag_alone(judge_throughput(keeps_up, length), keeps_up.overloaded, disturbed),
            judge_logical(logical, length, more_shots),
            None if misses is None else report_deadline(misses, budget.confidence),
            None if idle is None else report_idle(idle),
            self._losses(keeps_up.overloaded, disturbed),
        ]
        findings = [finding for finding in found if finding is not None]
        outcome, text, ordered, decide = summarise_findings(findings)
        return Verdict(
            outcome=outcome,
            text=text,
            reasons=tuple(finding.text for finding in ordered),
            decide=decide,
            findings=ordered,
            confidence=budget.confidence,
            warmup_windows=facts.warmup_windows,
            reaction=_reaction(quantile, budget.limit_ps),
            throughput=keeps_up.throughput,
            logical=logical,
            deadline=None if misses is None else _deadline(misses),
            idle=idle,
            disturbed=disturbed,
            stand_ins=facts.stand_ins,
            dropped=facts.dropped,
        )

    def _misses(self, series: Series, limit_ps: int, confidence: float) -> DeadlineMisses:
        """Count windows later than the limit; a lost window never comes, so it is one of them."""
        lost = self.record.lost[:, 0]
        lost = lost[lost >= self.facts.warmup_windows]
        if not len(lost):
            return deadline_misses(series, limit_ps, confidence)
        # a lost window stands where it would have come, later than every other
        beyond_ps = min(2 * max(limit_ps, int(series.values.max(initial=0))) + 1, MAX_TIME_PS)
        order = np.argsort(np.concatenate([self.windows["window"], lost]), kind="stable")
        never = np.full(len(lost), beyond_ps, dtype=np.int64)
        reaction_ps = np.concatenate([series.values, never])[order]
        return replace(deadline_misses(reaction_ps, limit_ps, confidence), lost=len(lost))

    def _losses(self, overloaded: tuple[str, ...], disturbed: Disturbed | None) -> Finding:
        causes, allowed = self.record.lost_by_cause, self.facts.budget.lost_rounds
        finding = judge_losses(causes, allowed)
        on_the_line = causes.get("link_loss", 0) > allowed
        return finding if on_the_line else _by_lag_alone(finding, overloaded, disturbed)

    def _logical(self, answers: Answers | None) -> tuple[Logical, int | None]:
        """Shots that failed, and how many more are needed where there is no interval."""
        record, budget = self.record, self.facts.budget
        if answers is None or answers.wrong is None or not len(answers.wrong):
            unknown = dict.fromkeys(Logical.model_fields)
            return Logical.model_validate(unknown | {"limit": budget.logical_limit}), None
        emission, confidence = record.emission, budget.confidence
        per_shot = answers.corrections.shape[1]
        shots = shot_outcomes(record, self.timely, budget.limit_ps, per_shot)
        # in time order: the patches run side by side
        late, lost, unfinished = (
            kind.T.ravel() for kind in (shots.late, shots.lost, shots.unfinished)
        )
        wrong, counted = answers.wrong, ~unfinished
        found = failures(
            wrong[counted],
            (late | lost)[counted],
            Series(reaction_times(self.timely)),
            budget.limit_ps,
            confidence,
        )
        decoder = ErrorCount.of(wrong)
        ends = decoder.interval(confidence)
        logical = Logical(
            errors=found.failures,
            shots=found.shots,
            rate=found.rate,
            ci=found.ci,
            decoder_errors=decoder.errors,
            decoder_rate=decoder.rate,
            decoder_ci=ends,
            decoder_ci_likelihood_1000=decoder.likelihood_interval(),
            decoder_per_round=per_round(decoder.rate or 0.0, emission.rounds),
            decoder_per_round_ci=ends
            and (per_round(ends[0], emission.rounds), per_round(ends[1], emission.rounds)),
            late=int(np.count_nonzero(late)),
            lost=int(np.count_nonzero(lost)),
            unfinished=int(np.count_nonzero(unfinished)),
            limit=budget.logical_limit,
        )
        return logical, found.more_shots


def _by_lag_alone(
    finding: Finding, overloaded: tuple[str, ...], disturbed: Disturbed | None
) -> Finding:
    """Leave undecided what disturbed measurements may have done.

    A backlog outlives the disturbed calls that built it up, and the windows that waited behind
    them cannot be separated. Only a load, which rests on undisturbed calls, is still a miss.
    """
    excused = disturbed is not None and disturbed.share > MAX_DISTURBED_SHARE and not overloaded
    if finding.outcome != "missed" or not excused:
        return finding
    text = f"{finding.text}, which disturbed measurements may have caused"
    return finding.model_copy(update={"outcome": "undecided", "text": text})


def _reaction(found: QuantileEstimate, limit_ps: int | None) -> Reaction:
    return Reaction(
        quantile=found.quantile,
        value_ps=found.value_ps,
        ci_ps=found.ci_ps,
        limit_ps=limit_ps,
        samples=found.samples,
        autocorrelation_windows=found.autocorrelation_windows,
        method=found.method,
        note=found.note,
    )


def _deadline(found: DeadlineMisses) -> Deadline:
    return Deadline(
        limit_ps=found.limit_ps,
        misses=found.misses,
        lost=found.lost,
        samples=found.samples,
        rate=found.rate,
        ci=found.ci,
    )


def _origin(origin: Any) -> ValueOrigin:
    return ValueOrigin(
        kind=origin.kind,
        where=origin.where,
        source=origin.source,
        confidence=origin.confidence,
    )


def _predecoder(answers: Answers | None, detectors: int | None) -> PredecoderCounts | None:
    if answers is None or detectors is None:
        return None
    each = np.full(len(answers.events_in), detectors, dtype=np.int64)
    columns = {
        "detectors": each,
        "events_in": answers.events_in,
        "events_out": answers.events_out,
    }
    found = Thinning.of(columns)
    return PredecoderCounts(
        density_in=found.density_in,
        density_out=found.density_out,
        factor=found.factor,
        **asdict(found),
    )
