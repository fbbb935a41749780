"""From a delay as written in a scenario to the service that gives each job its time."""

from itertools import accumulate, pairwise

from emulator.errors import ScenarioError
from emulator.scenario.delays import (
    Batch,
    Constant,
    Curve,
    Delay,
    Empirical,
    Load,
    Lognormal,
    Mixture,
    Normal,
    Quantiles,
    Warmup,
)
from emulator.timing.combined import Batched, Loaded, Mixed, PerRound, Warmed
from emulator.timing.context import TimingContext
from emulator.timing.curve import curve_ps
from emulator.timing.distribution import Gaussian, Interpolated, Resampled, ShiftedLognormal
from emulator.timing.recording import read_recording
from emulator.timing.service import UNSTATED, Drawn, Fixed, Replayed, Service
from emulator.timing.stream import Stream
from emulator.units import MAX_TIME_PS, format_time

__all__ = ["build"]


def build(delay: Delay, *, context: TimingContext, stream: Stream) -> Service:
    """Make the service of a stage, which takes all its chance from ``stream``.

    Raises ScenarioError for a curve without an answer, for batches larger than the listed ones,
    for a file that cannot be read, and where a duration can be longer than 2**63 - 1 ps.
    """
    service = _service(delay, context, stream)
    longest_ps = service.longest_ps(max(context.window_rounds, default=0))
    if longest_ps > MAX_TIME_PS:
        raise ScenarioError(
            f"this delay of kind {delay.kind} can take as long as {format_time(longest_ps)}, and "
            "no time may exceed 106 days (2^63 - 1 ps); write shorter times or a smaller spread."
        )
    return service


def _service(delay: Delay, context: TimingContext, stream: Stream) -> Service:  # noqa: PLR0911
    stated = delay.source or UNSTATED, delay.confidence or "assumed"
    match delay:
        case Constant():
            return Fixed(delay.value, *stated)
        case Normal():
            return Drawn(Gaussian(delay.mean, delay.sd, delay.floor), stream, *stated)
        case Lognormal():
            lognormal = ShiftedLognormal(delay.shift, delay.median, delay.sigma)
            return Drawn(lognormal, stream, *stated)
        case Quantiles():
            probabilities = tuple(sorted(delay.points))
            times_ps = tuple(delay.points[p] for p in probabilities)
            return Drawn(Interpolated(probabilities, times_ps), stream, *stated)
        case Batch():
            return _batched(delay, context, *stated)
        case Curve():
            figure_ps = curve_ps(delay, context)
            return (Fixed if delay.per == "window" else PerRound)(figure_ps, *stated)
        case Empirical():
            return _recorded(delay, context, stream)
        case Mixture():
            return _mixed(delay, context, stream, *stated)
        case Load():
            idle, loaded = (_service(end, context, stream) for end in (delay.idle, delay.loaded))
            return Loaded(idle, loaded, delay.servers, *stated)
        case Warmup():
            first, then = (_service(part, context, stream) for part in (delay.first, delay.then))
            return Warmed(delay.messages, first, then, *stated)


def _batched(delay: Batch, context: TimingContext, source: str, confidence: str) -> Batched:
    fills = tuple(sorted(delay.points))
    if context.batch > fills[-1]:
        raise ScenarioError(
            f"this delay of kind batch lists fills up to {fills[-1]}, but batches have up to "
            f"{context.batch} jobs; list {context.batch}, or write smaller batches."
        )
    return Batched(fills, tuple(delay.points[fill] for fill in fills), source, confidence)


def _recorded(delay: Empirical, context: TimingContext, stream: Stream) -> Service:
    times_ps = read_recording(context.base_dir / delay.file, delay.column, delay.unit)
    source = delay.source or f"recorded in {delay.file}"
    confidence = delay.confidence or "measured"
    if delay.order == "replay":
        return Replayed(times_ps, source, confidence)
    return Drawn(Resampled(times_ps), stream, source, confidence)


def _mixed(
    delay: Mixture, context: TimingContext, stream: Stream, source: str, confidence: str
) -> Mixed:
    """Divide (0, 1) among the components by weight, in their order."""
    largest = max(component.weight for component in delay.components)
    sums = list(accumulate(component.weight / largest for component in delay.components))
    ends = [0.0, *(end / sums[-1] for end in sums)]
    parts = tuple(
        _service(component.delay, context, stream.between(low, high))
        for component, (low, high) in zip(delay.components, pairwise(ends), strict=True)
    )
    return Mixed(tuple(ends[1:-1]), parts, stream, source, confidence)
