"""The verdict: what was asked of a run, criterion by criterion, in short sentences.

Every criterion is met, missed or undecided. It is met only if it holds with all that the run
leaves open: the whole interval of a quantile or of a rate within its limit. It is missed only if
it does not hold whatever is left open. In between it is undecided, and says what would decide it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from emulator.decoders.answers import MAX_DISTURBED_SHARE
from emulator.results.quantiles import QuantileEstimate
from emulator.results.rates import DeadlineMisses
from emulator.results.result import OUTCOMES, Disturbed, Finding, IdleCost, Logical, Outcome
from emulator.results.stability import NEGLIGIBLE_GROWTH, Stability
from emulator.results.wording import (
    number,
    percentile,
    share,
    time_with_interval,
    with_interval,
)
from emulator.units import format_time

__all__ = [
    "Budget",
    "RunLength",
    "judge_disturbed",
    "judge_logical",
    "judge_losses",
    "judge_reaction",
    "judge_throughput",
    "report_deadline",
    "report_idle",
    "summarise_findings",
]

_MAX_TIMES = 1e5  # a run this many times as long is no practical advice
_QUIET = "a run on a quiet machine, in which fewer calls are disturbed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is asked of a run; None where nothing is.

    ``quantile`` of the reaction time at most ``limit_ps``, at most ``logical_limit`` of the shots
    failed, both with their whole interval at ``confidence``; at most ``lost_rounds`` rounds lost;
    and a backlog that does not grow.
    """

    limit_ps: int | None = None
    quantile: float = 0.99
    confidence: float = 0.95
    logical_limit: float | None = None
    lost_rounds: int = 0


_ALL_LATE = 10  # windows, all of them late, that outweigh a cold start


@dataclass(frozen=True, slots=True)
class RunLength:
    """How long a run was, to say how much longer one would decide: shots of each patch."""

    shots: int

    def more(self, times: float) -> int | None:
        """Return the shots that make the run ``times`` as long, None beyond what is practical."""
        return math.ceil(self.shots * (times - 1)) if times < _MAX_TIMES else None


def _about(shots: int) -> str:
    """Write a number of shots rounded up to one digit: 3217 is ``about 4,000 more shots``."""
    shots = max(1, shots)
    scale = int(10 ** (len(str(shots)) - 1))
    rounded = -(-shots // scale) * scale
    return f"about {rounded:,} more {'shot' if rounded == 1 else 'shots'}"


def judge_throughput(found: Stability, length: RunLength) -> Finding:
    """A loop that falls behind misses any budget; one that may fall behind is undecided."""
    throughput = found.throughput
    if throughput.stable is None:
        doubts = found.doubts
        text = f"cannot tell whether the loop keeps up: {'; '.join(d.text for d in doubts)}"
        fixes = [doubt.fix for doubt in doubts if doubt.fix]
        times = [doubt.times for doubt in doubts if doubt.times is not None]
        text = f"{text} ({_busiest(found)})"
        return _undecided("throughput", text, length, max(times, default=None), fixes)
    if throughput.stable:
        growth = f"keeps up: backlog grows by less than {NEGLIGIBLE_GROWTH:.0%} of the rounds"
        return _finding("throughput", "met", f"{growth} emitted; {_busiest(found)}")
    return _finding("throughput", "missed", _falling_behind(found))


def _falling_behind(found: Stability) -> str:
    throughput = found.throughput
    slope = throughput.backlog_slope_rounds_per_s
    growth = "" if slope is None or slope <= 0 else f"backlog grows by {number(slope)} rounds/s"
    if throughput.lost_share >= NEGLIGIBLE_GROWTH:
        lost = f"{share(throughput.lost_share)} of the rounds are lost at the ring"
        return f"does not keep up: {lost}, which keeps the backlog short; {_busiest(found)}"
    if found.overloaded:
        loads = " and ".join(
            f"stage {name} is overloaded, load {_load(found, name)}" for name in found.overloaded
        )
        return f"does not keep up: {', '.join(filter(None, (loads, growth)))}"
    cause = (
        "the slots of the ring are all taken"
        if throughput.bottleneck == "ring"
        else "windows wait for each other or for a server"
    )
    return f"does not keep up: {growth} while no stage is overloaded, {cause}; {_busiest(found)}"


def _load(found: Stability, stage: str) -> str:
    load = found.throughput.load_by_stage[stage]
    if load.value is None:
        return "not known"
    constant = load.ci is None or load.ci[0] == load.ci[1]
    return number(load.value) if constant else with_interval(load.value, load.ci)


def _busiest(found: Stability) -> str:
    stage = found.throughput.bottleneck
    if stage is None:
        return "no stage was observed"
    load = found.throughput.load_by_stage[stage]
    if load.value is None:
        busy = found.throughput.utilisation_by_stage[stage]
        return f"stage {stage} is the busiest, utilisation {busy:.2f}"
    return f"stage {stage} is the busiest, load {number(load.value)}"


def judge_reaction(
    found: QuantileEstimate,
    limit_ps: int | None,
    length: RunLength,
    misses: DeadlineMisses | None = None,
    confidence: float = 0.95,
) -> Finding:
    """The whole interval within the limit is met, wholly above it missed.

    A quantile q is within a limit if and only if a share of at most 1 - q comes later. Where the
    quantile has no interval, or windows were lost, which have no reaction time, the interval of
    the share of late windows, ``misses``, tells.
    """
    what = f"{percentile(found.quantile)} reaction"
    caveat = f" ({found.note})" if found.note else ""
    if found.value_ps is not None:
        what = f"{what} {time_with_interval(found.value_ps, found.ci_ps)}"
    if limit_ps is None:
        known = f", no limit asked{caveat}" if found.value_ps is not None else _unknown(found)
        return _finding("reaction", None, f"{what}{known}")
    if found.value_ps is None or found.ci_ps is None or (misses is not None and misses.lost):
        judged = _Judgeable(what, misses, confidence)
        return _judge_late_share(found, limit_ps, length, judged)
    limit = f"the limit of {format_time(limit_ps)}"
    outcome = _held(found.ci_ps, limit_ps)
    if outcome == "undecided":
        times = _times(found.ci_ps, found.value_ps, limit_ps)
        text = f"{what}, {limit} lies within its interval"
        return _undecided("reaction", text, length, times)
    excess = f" by {number(found.value_ps / limit_ps)}x" if limit_ps else ""
    side = f"within {limit}" if outcome == "met" else f"over {limit}{excess}"
    return _finding("reaction", outcome, f"{what} {side}")


def _unknown(found: QuantileEstimate) -> str:
    return f" not measured: {found.note}"


@dataclass(frozen=True, slots=True)
class _Judgeable:
    """A quantile in words, and the share of late windows that stands in for its interval."""

    what: str
    misses: DeadlineMisses | None
    confidence: float


def _judge_late_share(
    found: QuantileEstimate, limit_ps: int, length: RunLength, judged: _Judgeable
) -> Finding:
    """Judge a quantile that has no interval by the share of windows later than the limit."""
    limit, misses = f"the limit of {format_time(limit_ps)}", judged.misses
    allowed = float(1 - Fraction(repr(found.quantile)))
    if misses is not None:
        outcome = _held(misses.ci, allowed) if misses.ci is not None else "undecided"
        # however alike latencies are, that all are late is no likelier than that one is
        if misses.samples == misses.misses >= _ALL_LATE and 1 - judged.confidence > allowed:
            outcome = "missed"
        if outcome != "undecided":
            text = f"{judged.what} {'within' if outcome == 'met' else 'over'} {limit}"
            if misses.lost and found.value_ps is not None:
                kept = "kept" if outcome == "met" else "missed"
                text = f"{judged.what} of windows that came, {limit} {kept}"
            text = f"{text}: {_late_windows(misses)}"
            return _finding("reaction", outcome, text)
    if found.value_ps is None:
        text = f"{judged.what}{_unknown(found)}"
    elif misses is not None and misses.lost:
        text = f"{judged.what} of windows that came, {limit}: {_late_windows(misses)}"
        text = f"{text}, too few to tell"
    else:
        side = "over" if found.value_ps > limit_ps else "within"
        text = f"{judged.what} {side} {limit}, but without an interval ({found.note})"
    return _beyond_reach(found, text, length)


def _late_windows(misses: DeadlineMisses) -> str:
    lost = f", {misses.lost} of them lost" if misses.lost else ""
    return f"{misses.misses} of {misses.samples} windows later{lost}"


def _held(interval: tuple[float, float], limit: float) -> Outcome:
    low, high = interval
    return "met" if high <= limit else "missed" if low > limit else "undecided"


def _beyond_reach(found: QuantileEstimate, text: str, length: RunLength) -> Finding:
    """Leave a quantile without interval undecided, and say how many more shots would give one."""
    if not found.samples:
        return _undecided("reaction", text, length, None, ["a run in which windows are answered"])
    more = 9 * found.samples if found.more_windows is None else found.more_windows
    return _undecided("reaction", text, length, max(1.1, 1 + more / found.samples))


def _times(interval: tuple[float, float], value: float, limit: float) -> float:
    """How many times the run would leave the limit outside the interval, if the value stays."""
    low, high = interval
    half = high - value if value <= limit else value - low
    gap = abs(limit - value)
    if gap * _MAX_TIMES <= half:
        return _MAX_TIMES
    # half of the interval shrinks with the root of the length, or with the length where nothing
    # was seen (the rule of three); a fifth on top for the margin
    return max(1.2, 1.2 * (half / gap) ** (2 if value else 1))


def judge_logical(
    logical: Logical, length: RunLength, more_shots: int | None = None
) -> Finding | None:
    """The whole interval within the limit is met, wholly above it missed.

    ``more_shots`` of all patches would give an interval where there is none. None when an error
    rate was neither asked for nor measured.
    """
    rate, limit, interval = logical.rate, logical.limit, logical.ci
    if rate is None:
        if limit is None:
            return None
        text = f"logical error rate not measured, limit {number(limit)}"
        decide = (
            "a run that decodes shots whose true observables are known"
            if not logical.unfinished
            else "a run that is drained (run.drain = true)"
        )
        return _undecided("logical", text, length, None, [decide])
    what = f"logical error rate {with_interval(rate, interval)} per shot{_failures(logical)}"
    if logical.late_unknown and logical.decoder_rate is not None:
        alone = with_interval(logical.decoder_rate, logical.decoder_ci)
        what = f"{what} (wrong answers alone {alone})"
    if limit is None:
        return _finding("logical", None, f"{what}, no limit asked")
    if interval is None:
        text = f"{what}, limit {number(limit)}, but without an interval: failures come in a row"
        times = 1 + (more_shots or 3 * (logical.shots or 1)) / (logical.shots or 1)
        return _undecided("logical", text, length, times)
    outcome = _held(interval, limit)
    if outcome == "undecided":
        text = f"{what}, the limit of {number(limit)} lies within its interval"
        return _undecided("logical", text, length, _times(interval, rate, limit))
    side = "within" if outcome == "met" else "over"
    return _finding("logical", outcome, f"{what} {side} the limit of {number(limit)}")


def _failures(logical: Logical) -> str:
    """Say what failed where it was not the decoder alone: " (12 wrong, 3 late, 4 lost)"."""
    if not logical.late and not logical.lost:
        return ""
    counts = (("wrong", logical.decoder_errors), ("late", logical.late), ("lost", logical.lost))
    shots = ", ".join(f"{count:,} {name}" for name, count in counts if count)
    return f" (shots that failed: {shots})"


def judge_losses(lost_by_cause: Mapping[str, int], allowed: int) -> Finding:
    """At most ``allowed`` rounds may be lost."""
    lost = sum(lost_by_cause.values())
    if not lost:
        return _finding("losses", "met", "no round lost")
    causes = ", ".join(f"{cause} {count}" for cause, count in lost_by_cause.items() if count)
    text = f"{lost} rounds lost ({causes}), {allowed} allowed"
    return _finding("losses", "met" if lost <= allowed else "missed", text)


def judge_disturbed(found: Disturbed | None) -> Finding | None:
    """Measurements that other work disturbed are left out; too many of them decide nothing."""
    if found is None:
        return None
    left_out = f"{found.left_out} of {found.windows} windows ({share(found.share)})"
    text = f"{left_out} left out: other work on the machine disturbed their measurement"
    if found.share <= MAX_DISTURBED_SHARE:
        return _finding("machine", None, text) if found.left_out else None
    text = f"{text}, more than {MAX_DISTURBED_SHARE:.0%}"
    return Finding(criterion="machine", outcome="undecided", text=text, decide=_QUIET)


def report_deadline(found: DeadlineMisses, confidence: float) -> Finding | None:
    """Say how many windows came after the limit; None when no window was measured."""
    if found.rate is None:
        return None
    late = f"of {found.samples} windows later than {format_time(found.limit_ps)}"
    if found.lost:
        late = f"{late} ({found.lost} of them lost)"
    if found.misses == 0:
        bound = (
            f"; rate below {number(found.ci[1])} at {100 * confidence:.10g}% confidence"
            if found.ci
            else ""
        )
        return _finding("deadline", None, f"none {late}{bound}")
    text = f"{found.misses} {late}, rate {with_interval(found.rate, found.ci)}"
    return _finding("deadline", None, text)


def report_idle(found: IdleCost) -> Finding:
    """Say what waiting for corrections costs."""
    who = "an operation" if found.operations is not None else "an operation that waits"
    text = f"{who} idles {number(found.mean_rounds)} rounds for its correction on average"
    if found.distance_to_compensate is not None:
        text += f", worth {number(found.distance_to_compensate)} of code distance"
    return _finding("idle", None, text)


def summarise_findings(
    findings: Sequence[Finding],
) -> tuple[Outcome, str, tuple[Finding, ...], str | None]:
    """Outcome of all, one line that says so, the findings in order, and what would decide.

    Missed beats undecided beats met; what only informs comes last. The line names all that is
    missed, or all that is undecided, or else the first two findings.
    """
    order: list[Outcome | None] = [*OUTCOMES, None]
    ordered = tuple(sorted(findings, key=lambda finding: order.index(finding.outcome)))
    asked = [finding.outcome for finding in ordered if finding.outcome is not None]
    outcome: Outcome = asked[0] if asked else "undecided"
    named = [finding.text for finding in ordered if finding.outcome == outcome]
    if outcome == "met":
        named = [finding.text for finding in ordered][:2]
    prefix = "undecided" if outcome == "undecided" else f"budget {outcome}"
    text = f"{prefix}: {'; '.join(named) or 'nothing was judged'}"
    decide = None
    if outcome == "undecided":
        decide = _decided_by(ordered)
    return outcome, text, ordered, decide


def _decided_by(findings: Sequence[Finding]) -> str | None:
    """What would decide all of the findings: the longest run that one of them asks for, and more.

    A sentence that asks for no more than a longer run is covered by the longest.
    """
    shots = [finding.more_shots for finding in findings if finding.more_shots is not None]
    longer = [_about(max(shots))] if shots else []
    others = [f.decide for f in findings if f.decide and f.more_shots is None]
    return " and ".join(dict.fromkeys([*longer, *others])) or None


def _finding(criterion: str, outcome: Outcome | None, text: str) -> Finding:
    return Finding(criterion=criterion, outcome=outcome, text=text)


def _undecided(
    criterion: str,
    text: str,
    length: RunLength,
    times: float | None,
    fixes: Sequence[str] = (),
) -> Finding:
    """Make a finding that a run ``times`` as long would decide, or something else."""
    shots = None if times is None or fixes else length.more(times)
    wanted = list(fixes)
    if shots is not None:
        wanted = [_about(shots)]
    elif not fixes:
        wanted = [f"a {criterion} limit that is not so near to the value"]
    return Finding(
        criterion=criterion,
        outcome="undecided",
        text=text,
        decide=" and ".join(wanted),
        more_shots=shots,
    )
