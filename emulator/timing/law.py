"""The law of a service as data: a tree of integer arithmetic over numbers that were drawn before.

A `Reader` is what the SimPy engine asks, one job at a time. The compiled engine cannot call Python,
so it is given the same law as a tree of these values and evaluates it itself. All chance is in
`Draws`, whose numbers Python computes a block at a time: no floating-point number is computed
twice, by two libraries. Divisions round down, as Python's do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Affine",
    "Always",
    "Choice",
    "Cold",
    "Costed",
    "Draws",
    "Filled",
    "Law",
    "Listed",
    "Sloped",
]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Always:
    """Every job: ``value``."""

    value: int


@dataclass(frozen=True, slots=True)
class Draws:
    """Job i: number i of a sequence of blocks, ``make(b)`` giving block b, int64 (BLOCK,)."""

    make: Callable[[int], Ints]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Job i: ``values[i]``, int64 (n,), starting over at the end if ``again``, else none there."""

    values: Ints
    again: bool


@dataclass(frozen=True, slots=True)
class Costed:
    """``part`` times ``ppm[f - 1]`` / 1,000,000 for a job served with f in all; no larger f."""

    part: "Law"
    ppm: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The part whose number ``chosen`` says."""

    chosen: Draws
    parts: tuple["Law", ...]


@dataclass(frozen=True, slots=True)
class Sloped:
    """From ``idle`` at one busy server to ``loaded`` at ``steps`` more, and level from there."""

    idle: "Law"
    loaded: "Law"
    steps: int


@dataclass(frozen=True, slots=True)
class Cold:
    """``first`` for jobs below ``jobs``, ``then`` for all others."""

    jobs: int
    first: "Law"
    then: "Law"


@dataclass(frozen=True, slots=True)
class Filled:
    """``times`` at the rising ``fills``, linear in between, level below and none above."""

    fills: tuple[int, ...]
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Affine:
    """``part`` and so much more for each further busy server and job served, and for each round.

    With ``windows_only`` a job that reads no rounds has no time.
    """

    part: "Law"
    busy: int = 0
    fill: int = 0
    round: int = 0
    windows_only: bool = False


Law = Always | Draws | Listed | Costed | Choice | Sloped | Cold | Filled | Affine
