"""Window geometry: which rounds a decoding window reads, which it commits, and whom it waits for.

Plain integers shared by the decoders (which cut error models accordingly) and by the loop (which
only needs to know when a window may start).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

__all__ = [
    "Window",
    "parallel_process_count",
    "parallel_windows",
    "sliding_windows",
    "whole_window",
]

Tail = Literal["truncate", "absorb"]


@dataclass(frozen=True, slots=True)
class Window:
    """One decoding window of a shot; all ranges are half-open round numbers.

    ``rounds`` is what the window reads, ``commits`` the part of it whose corrections become final,
    ``after`` the positions in the plan of the windows whose committed corrections it builds on.
    """

    rounds: range
    commits: range
    after: tuple[int, ...] = ()


def whole_window(rounds: int) -> tuple[Window, ...]:
    """One window that reads and commits the whole shot of ``rounds`` rounds."""
    _check("rounds", rounds, 1)
    return (Window(range(rounds), range(rounds)),)


def sliding_windows(
    rounds: int, commit: int, buffer: int, tail: Tail = "truncate"
) -> tuple[Window, ...]:
    """Forward sliding windows: each commits ``commit`` rounds and reads ``buffer`` beyond them.

    ``tail="truncate"`` keeps stepping by ``commit`` to the end, the last windows reading fewer
    rounds: ceil(rounds / commit) windows. ``tail="absorb"`` lets the last full window commit all
    that remains: max(1, (rounds - buffer) // commit) windows. Both conventions are in use
    (SWIPER, ISCA'25).
    """
    _check("rounds", rounds, 1)
    _check("commit", commit, 1)
    _check("buffer", buffer, 0)
    count = max(1, (rounds - buffer) // commit) if tail == "absorb" else -(-rounds // commit)
    plan = []
    for k in range(count):
        start, last = k * commit, k == count - 1
        end = rounds if last else min(rounds, start + commit)
        reach = rounds if last else min(rounds, end + buffer)
        plan.append(Window(range(start, reach), range(start, end), (k - 1,) if k else ()))
    return tuple(plan)


def parallel_windows(rounds: int, commit: int, buffer: int) -> tuple[Window, ...]:
    """Two layers of windows (Skoric et al., arXiv 2209.08552, Fig. 3): all of A, then all of B.

    An A window commits ``commit`` rounds and reads ``buffer`` more on both sides, n_W = ``commit``
    + 2 * ``buffer`` in all; A windows do not overlap and do not wait. The B window between two A
    windows is as long: after both of them it reads and commits the n_W rounds between what they
    committed. A pair so commits ``commit`` + n_W rounds, as in eq. 2 of the paper. The first A
    window commits from round 0, and the last window of either layer is cut at the end.
    """
    _check("rounds", rounds, 1)
    _check("commit", commit, 1)
    _check("buffer", buffer, 1)
    step = 2 * commit + 2 * buffer
    cores = [range(a, min(a + commit, rounds)) for a in range(0, rounds, step)]
    plan = [Window(range(max(0, c.start - buffer), min(rounds, c.stop + buffer)), c) for c in cores]
    for k, (left, right) in enumerate(pairwise(cores)):
        gap = range(left.stop, right.start)
        plan.append(Window(gap, gap, (k, k + 1)))
    if cores[-1].stop < rounds:
        gap = range(cores[-1].stop, rounds)
        plan.append(Window(gap, gap, (len(cores) - 1,)))
    return tuple(plan)


def parallel_process_count(window_ps: int, round_ps: int, commit: int, buffer: int) -> int:
    """Count the decoders with which ``parallel_windows`` keep up (arXiv 2209.08552, eq. 2).

    ceil(2 τ_W / ((n_com + n_W) τ_rd)) with n_W = n_com + 2 n_buf: two windows of ``window_ps`` for
    each n_com + n_W rounds of ``round_ps``; times in picoseconds.
    """
    return -(-2 * window_ps // ((2 * commit + 2 * buffer) * round_ps))


def _check(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name}(={value}) must be >= {least}.")
