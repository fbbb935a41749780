"""Which window of a plan commits a detector, and which windows build on which."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.spans import Spans
from emulator.windows import Window

__all__ = ["Ancestors", "check_independence", "detector_owners", "span_text"]

Ids = NDArray[np.int32]


class Ancestors:
    """The windows that each window of a plan builds on, directly or through others."""

    def __init__(self, plan: Sequence[Window]) -> None:
        """Follow ``plan``, in which a window comes after those that it builds on."""
        self._plan = plan
        self.chain = all(k - 1 in window.after for k, window in enumerate(plan) if k)
        """Whether each window builds on the one before it, and so on all before it."""

    def among(self, k: int, windows: Collection[int]) -> set[int]:
        """Those of ``windows`` that window k builds on."""
        if self.chain:
            return {j for j in windows if j < k}
        lowest = min(windows, default=k)
        found: set[int] = set()
        left = [k]
        while left:  # nothing before the lowest leads to any of them
            new = {j for j in self._plan[left.pop()].after if j >= lowest} - found
            found |= new
            left += new
        return found.intersection(windows)


def detector_owners(detector_round: Ids, plan: Sequence[Window]) -> Ids:
    """Position in the plan of the window that commits each detector, int32 (D,).

    Raises SyndromeError for windows that build on later ones, and unless the round of each
    detector is committed once, by a window that reads it.
    """
    rounds = int(detector_round.max(initial=-1)) + 1
    holds = np.bincount(detector_round, minlength=rounds) > 0
    owner = np.full(rounds, -1, dtype=np.int32)
    for k, window in enumerate(plan):
        if any(not 0 <= j < k for j in window.after):
            raise SyndromeError(f"window {k} builds on {window.after}; list those windows first")
        commits = slice(window.commits.start, window.commits.stop)
        taken = holds[commits] & (owner[commits] >= 0)
        seen = slice(
            max(0, window.rounds.start - commits.start), max(0, window.rounds.stop - commits.start)
        )
        unread = holds[commits].copy()
        unread[seen] = False
        if taken.any() or unread.any():
            raise SyndromeError(
                f"window {k} commits rounds {span_text(window.commits)}, some of which it does not "
                "read or another window has committed; commit every round once"
            )
        owner[commits] = k
    owners = owner[detector_round]
    if (owners < 0).any():
        raise SyndromeError(
            f"no window commits round {detector_round[owners < 0][0]} of the error model; "
            "plan for all of its rounds"
        )
    return owners


def check_independence(
    rounds_carried: Callable[[int], Ids], plan: Sequence[Window], ancestors: Ancestors
) -> None:
    """Refuse a plan in which a window would have to wait for one that it does not build on.

    ``rounds_carried(k)`` are the rounds of the detectors that window k may toggle.
    """
    if ancestors.chain:
        return
    readers = Spans(
        np.array([window.rounds.start for window in plan], dtype=np.int32),
        np.array([window.rounds.stop - 1 for window in plan], dtype=np.int32),
    )
    for k in range(len(plan)):
        rounds = np.unique(rounds_carried(k)).tolist()
        if not rounds:
            continue
        for j in readers.touching(rounds[0], rounds[-1] + 1).tolist():
            reached = j > k and any(number in plan[j].rounds for number in rounds)
            if reached and not ancestors.among(j, {k}):
                raise SyndromeError(
                    f"windows {k} and {j} are decoded independently, but an error of the model "
                    "reaches from one into the other; use a larger buffer"
                )


def span_text(rounds: range) -> str:
    """First and last of some rounds, in words."""
    return f"{rounds.start} to {rounds.stop - 1}"
