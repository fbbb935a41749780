"""Random times in blocks: one sampler per delay model that depends on nothing but chance."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from emulator.errors import ScenarioError
from emulator.scenario.delays import (
    Constant,
    Curve,
    Draw,
    Empirical,
    Lognormal,
    Mixture,
    Normal,
    Quantiles,
)
from emulator.timing.context import TimingContext
from emulator.timing.curve import curve_ps
from emulator.timing.recording import read_recording
from emulator.timing.service import Sampler

__all__ = ["sampler"]

_LONGEST_PS = 2.0**62


def sampler(delay: Draw, context: TimingContext, rng: Generator) -> Sampler:  # noqa: PLR0911
    """Return the sampler of a delay, which from then on owns ``rng``.

    Raises ScenarioError for a curve without an answer and for a file that cannot be read.
    """
    match delay:
        case Constant():
            return _constant(delay.value)
        case Curve():
            return _constant(curve_ps(delay, context))
        case Normal():
            return _normal(delay, rng)
        case Lognormal():
            return _lognormal(delay, rng)
        case Quantiles():
            return _quantiles(delay, rng)
        case Empirical():
            return _empirical(delay, context, rng)
        case Mixture():
            return _mixture(delay, context, rng)
    raise ScenarioError(f"a delay of kind {type(delay).__name__} cannot be part of another delay.")


def _grid(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round to picoseconds; below zero becomes zero."""
    return np.rint(np.clip(times, 0.0, _LONGEST_PS)).astype(np.int64)


def _constant(value_ps: int) -> Sampler:
    return lambda count: np.full(count, value_ps, dtype=np.int64)


def _normal(delay: Normal, rng: Generator) -> Sampler:
    return lambda count: np.maximum(_grid(rng.normal(delay.mean, delay.sd, count)), delay.floor)


def _lognormal(delay: Lognormal, rng: Generator) -> Sampler:
    def sample(count: int) -> NDArray[np.int64]:
        spread = np.exp(delay.sigma * rng.standard_normal(count))
        return delay.shift + _grid(delay.median * spread)

    return sample


def _quantiles(delay: Quantiles, rng: Generator) -> Sampler:
    probabilities = sorted(delay.points)
    logs = np.log([delay.points[p] for p in probabilities])
    return lambda count: _grid(np.exp(np.interp(rng.random(count), probabilities, logs)))


def _empirical(delay: Empirical, context: TimingContext, rng: Generator) -> Sampler:
    times = read_recording(context.base_dir / delay.file, delay.column)
    if delay.order == "draw":
        return lambda count: times[rng.integers(len(times), size=count)]
    position = 0

    def replay(count: int) -> NDArray[np.int64]:
        nonlocal position
        numbers = np.arange(position, position + count) % len(times)
        position += count
        return times[numbers]

    return replay


def _mixture(delay: Mixture, context: TimingContext, rng: Generator) -> Sampler:
    weights = np.cumsum([component.weight for component in delay.components])
    bounds = weights[:-1] / weights[-1]
    samplers = [sampler(component.delay, context, rng) for component in delay.components]

    def sample(count: int) -> NDArray[np.int64]:
        chosen = np.searchsorted(bounds, rng.random(count), side="right")
        # every component draws for every job: wasteful, but job n's time is then the same
        # function of the random stream whatever the weights
        return np.stack([draw(count) for draw in samplers])[chosen, np.arange(count)]

    return sample
