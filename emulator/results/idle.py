"""What waiting for corrections costs: idle rounds, and the code distance that makes up for them."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emulator.results.result import IdleCost
from emulator.results.sums import total_ps

__all__ = ["distance_to_compensate", "idle_cost"]


def idle_cost(
    reaction_ps: NDArray[np.int64],
    round_period_ps: int,
    *,
    idle_rounds: NDArray[np.int64] | None = None,
    every: int | None = None,
    distance: int | None = None,
    suppression: float | None = None,
) -> IdleCost | None:
    """Cost of waiting: the ``idle_rounds`` of a run with feedback, else ceil(reaction / period).

    ``every`` is the length of an operation in rounds where the program has feedback; without, an
    operation takes ``distance`` rounds. ``suppression`` is Lambda, the factor by which a logical
    error becomes rarer from distance d to d + 2. None when nothing was waited for.
    """
    waits = -(-reaction_ps // round_period_ps) if idle_rounds is None else idle_rounds
    if not len(waits):
        return None
    mean = float(Fraction(total_ps(waits), len(waits)))
    extra = None
    if distance is not None and suppression is not None and suppression > 1:
        extra = distance_to_compensate(every or distance, mean, suppression)
    return IdleCost(
        operations=None if idle_rounds is None else len(waits),
        mean_rounds=mean,
        max_rounds=int(waits.max()),
        distance_to_compensate=extra,
    )


def distance_to_compensate(operation_rounds: int, idle_rounds: float, suppression: float) -> float:
    """Extra code distance that makes up for idling: 2 ln((n + r) / n) / ln Lambda.

    An operation of n rounds that idles r more fails with probability proportional to
    (n + r) Lambda^(-d / 2), the error per round at distance d being proportional to
    Lambda^(-(d + 1) / 2) (Google Quantum AI, arXiv 2408.13687). Distance d + x restores
    n Lambda^(-d / 2) when Lambda^(x / 2) = (n + r) / n, whatever d is. A surface code's logical
    operation takes d rounds (Litinski, arXiv 1808.02892); the rounds that a larger code would add
    to it are left out. Raises ValueError at or below Lambda = 1, where distance does not help.
    """
    if suppression <= 1:
        raise ValueError(
            f"suppression(={suppression}) must be > 1: below threshold only, distance helps."
        )
    return 2 * math.log((operation_rounds + idle_rounds) / operation_rounds) / math.log(suppression)
