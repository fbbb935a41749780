"""The verdict: what was asked of a run, criterion by criterion, in short sentences."""

from dataclasses import dataclass

from emulator.results.quantiles import QuantileEstimate
from emulator.results.rates import DeadlineMisses
from emulator.results.stability import NEGLIGIBLE_GROWTH, IdleCost, Throughput
from emulator.results.wording import number, percentile, time_with_interval, with_interval
from emulator.units import format_time

__all__ = [
    "Budget",
    "Finding",
    "judge_logical",
    "judge_losses",
    "judge_reaction",
    "judge_throughput",
    "report_deadline",
    "report_idle",
    "summarise_findings",
]

_SATURATED = 0.95  # utilisation from which a growing backlog is that stage's doing


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is asked of a run; None where nothing is.

    ``quantile`` of the reaction time at most ``limit_ps``, a logical error rate per shot of at
    most ``logical_limit``, both with their whole interval at ``confidence``; at most
    ``lost_rounds`` rounds lost; and a backlog that does not grow.
    """

    limit_ps: int | None = None
    quantile: float = 0.99
    confidence: float = 0.95
    logical_limit: float | None = None
    lost_rounds: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion: whether it is met, and a sentence that says why."""

    met: bool
    text: str


def judge_throughput(found: Throughput) -> Finding:
    """A backlog known to grow misses the budget; one that is too short to tell does not."""
    busiest, slope = found.bottleneck, found.backlog_slope_rounds_per_s
    load = found.utilisation_by_stage[busiest] if busiest else 0.0
    stage = f"stage {busiest} is the busiest, utilisation {load:.2f}" if busiest else "no servers"
    if found.lost_share >= NEGLIGIBLE_GROWTH:
        lost = f"{found.lost_share:.2%} of the rounds are lost"
        return Finding(False, f"does not keep up: {lost}, which keeps the backlog short; {stage}")
    if slope is None:
        return Finding(True, f"run too short to tell whether the backlog grows; {stage}")
    if found.stable:
        share = f"{NEGLIGIBLE_GROWTH:.0%} of the rounds emitted"
        return Finding(True, f"keeps up: backlog grows by less than {share}; {stage}")
    if found.stable is None:
        growth = with_interval(slope, found.ci)
        text = f"run too short to tell whether the backlog grows: {growth} rounds/s; {stage}"
        return Finding(True, text)
    growth = f"backlog grows by {number(slope)} rounds/s"
    if load >= _SATURATED:
        return Finding(False, f"stage {busiest} saturates: utilisation {load:.2f}, {growth}")
    return Finding(
        False, f"{growth} while no stage saturates, windows wait for each other: {stage}"
    )


def judge_reaction(found: QuantileEstimate, limit_ps: int | None) -> Finding:
    """The upper end of the interval decides; the value itself where there is no interval."""
    what = f"{percentile(found.quantile)} reaction"
    if found.value_ps is None:
        return Finding(limit_ps is None, f"{what} not measured: {found.note}")
    what = f"{what} {time_with_interval(found.value_ps, found.ci_ps)}"
    caveat = f" ({found.note})" if found.note else ""
    if limit_ps is None:
        return Finding(True, f"{what}, no limit asked{caveat}")
    limit = f"the limit of {format_time(limit_ps)}"
    if found.value_ps > limit_ps:
        excess = f" by {number(found.value_ps / limit_ps)}x" if limit_ps else ""
        return Finding(False, f"{what} over {limit}{excess}{caveat}")
    if found.ci_ps is not None and found.ci_ps[1] > limit_ps:
        return Finding(False, f"{what} within {limit}, but its interval is not")
    return Finding(True, f"{what} within {limit}{caveat}")


def judge_logical(
    rate: float | None, interval: tuple[float, float] | None, limit: float | None
) -> Finding | None:
    """The upper end of the interval decides; None when neither asked nor measured."""
    if rate is None or interval is None:
        text = f"logical error rate not measured, limit {number(limit or 0)}"
        return None if limit is None else Finding(False, text)
    what = f"logical error rate {with_interval(rate, interval)} per shot"
    if limit is None:
        return Finding(True, f"{what}, no limit asked")
    if rate > limit:
        return Finding(False, f"{what} over the limit of {number(limit)}")
    if interval[1] > limit:
        text = f"{what} within the limit of {number(limit)}, but its interval is not"
        return Finding(False, text)
    return Finding(True, f"{what} within the limit of {number(limit)}")


def judge_losses(lost_by_cause: dict[str, int], allowed: int) -> Finding:
    """At most ``allowed`` rounds may be lost."""
    lost = sum(lost_by_cause.values())
    if not lost:
        return Finding(True, "no round lost")
    causes = ", ".join(f"{cause} {count}" for cause, count in lost_by_cause.items() if count)
    return Finding(lost <= allowed, f"{lost} rounds lost ({causes}), {allowed} allowed")


def report_deadline(found: DeadlineMisses, confidence: float) -> str | None:
    """Say how many windows came after the limit; None when no window was measured."""
    if found.rate is None:
        return None
    late = f"of {found.samples} windows later than {format_time(found.limit_ps)}"
    if found.misses == 0:
        bound = (
            f"; rate below {number(found.ci[1])} at {100 * confidence:.10g}% confidence"
            if found.ci
            else ""
        )
        return f"none {late}{bound}"
    return f"{found.misses} {late}, rate {with_interval(found.rate, found.ci)}"


def report_idle(found: IdleCost) -> str:
    """Say what waiting for corrections costs."""
    who = "an operation" if found.operations is not None else "an operation that waits"
    text = f"{who} idles {number(found.mean_rounds)} rounds for its correction on average"
    if found.distance_to_compensate is None:
        return text
    return f"{text}, worth {number(found.distance_to_compensate)} of code distance"


def summarise_findings(findings: list[Finding]) -> tuple[bool, str, list[str]]:
    """Whether all are met, one line that says so, and all sentences, what is missed first.

    The line names what is missed, or else the first two findings.
    """
    ordered = sorted(findings, key=lambda finding: finding.met)
    missed = [finding.text for finding in ordered if not finding.met]
    texts = [finding.text for finding in ordered]
    if missed:
        return False, f"budget missed: {'; '.join(missed)}", texts
    return True, f"budget met: {'; '.join(texts[:2])}", texts
