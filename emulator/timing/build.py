"""From a delay as written in a scenario to the service that gives each job its time."""

import numpy as np
from numpy.random import Generator

from emulator.scenario.delays import Constant, Curve, Delay, Draw, Empirical, Load, Warmup
from emulator.timing.context import TimingContext
from emulator.timing.curve import curve_ps
from emulator.timing.sampler import sampler
from emulator.timing.service import Drawn, Fixed, Loaded, Service, Warmed

__all__ = ["UNSTATED", "build"]

UNSTATED = "not stated"
"""Source of a service whose delay does not name one itself."""


def build(delay: Delay, *, context: TimingContext, rng: Generator) -> Service:
    """Make the service of a stage; ``rng`` is spawned from, so it may serve many stages.

    Raises ScenarioError for a curve without an answer and for a file that cannot be read.
    """
    own = rng.spawn(1)[0]
    source = delay.source or UNSTATED
    confidence = delay.confidence or "assumed"
    match delay:
        case Constant():
            return Fixed(delay.value, source, confidence)
        case Curve():
            return Fixed(curve_ps(delay, context), source, confidence)
        case Load():
            idle, loaded = _coupled(delay.idle, delay.loaded, context, own)
            return Loaded(idle, loaded, delay.servers, source, confidence)
        case Warmup():
            first = build(delay.first, context=context, rng=own)
            then = build(delay.then, context=context, rng=own)
            return Warmed(delay.messages, first, then, source, confidence)
        case Empirical():
            source = delay.source or f"recorded in {delay.file}"
            return Drawn(sampler(delay, context, own), source, delay.confidence or "measured")
    return Drawn(sampler(delay, context, own), source, confidence)


def _coupled(
    idle: Draw, loaded: Draw, context: TimingContext, rng: Generator
) -> tuple[Service, Service]:
    """Make both services from equal random streams, so that job n has the same luck in both."""
    seed = int(rng.integers(np.iinfo(np.int64).max))
    first, second = (np.random.default_rng(seed) for _ in range(2))
    return (
        Drawn(sampler(idle, context, first), "", ""),
        Drawn(sampler(loaded, context, second), "", ""),
    )
