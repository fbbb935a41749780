"""What a run of the loop leaves behind: a time stamp per stage and window, and a full account."""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.numbering import Emission

__all__ = [
    "BACKLOG_SAMPLES",
    "COLUMNS",
    "LABELS",
    "MESSAGE_COLUMNS",
    "STAGES",
    "TIMESTAMPS",
    "Pool",
    "Record",
    "backlog_of",
    "table",
]

LABELS = ("window", "patch", "shot", "first_round", "last_round")
"""Identity of a window: running number, patch, shot of the patch, committed rounds (inclusive)."""

TIMESTAMPS = (
    "emitted_ps",  # last round the window needs has left the processor
    "digitised_ps",  # its bits are at the FPGA
    "framed_ps",  # first bit of its frame may enter the line
    "delivered_ps",  # frame is in host memory, or waits before the ring
    "slotted_ps",  # frame holds a ring slot
    "dispatched_ps",  # host has handed the window on
    "predecode_start_ps",
    "predecode_end_ps",
    "decode_start_ps",
    "decode_end_ps",
    "returned_ps",  # response is at the FPGA
    "applied_ps",  # correction is applied
)
"""Instants of a window's way through the loop, in order; equal where a stage takes no time."""

STAGES = (
    "readout",
    "packetise",
    "uplink",
    "ring",
    "dispatch",
    "predecode_queue",
    "predecode",
    "decode_queue",
    "decode",
    "downlink",
    "apply",
)
"""Stage k lasts from TIMESTAMPS[k] to TIMESTAMPS[k + 1]; together they are the reaction time."""

COLUMNS = LABELS + TIMESTAMPS

MESSAGE_COLUMNS = (
    "message",
    "patch",
    "shot",
    "number",
    "taken_ps",
    "framed_ps",
    "delivered_ps",
    "lost",
)
"""One row per message up the link: place in the order on the line, patch, shot, place in the shot,
first bit into the packetiser, first bit on the line, delivery, and whether it was lost on the way
(1) or not (0)."""


@dataclass(frozen=True)
class Pool:
    """Servers of one stage, and what they had to do.

    ``busy_ps``: time that they worked within [0, horizon], all together. ``demand_ps`` and
    ``demand_ps2``: the sum of the service times of the ``jobs`` that began in the whole run, what
    was drained after the horizon included, and the sum of their squares; a batch has one service
    time and as many jobs as windows. ``left_over``: jobs that had arrived at the stage by the
    horizon and had not begun by then. Of a ring, slots are the servers, messages the jobs and the
    time that a slot is held the service time; left over are those that wait before it.
    """

    servers: int
    busy_ps: int
    demand_ps: int = 0
    demand_ps2: int = 0
    jobs: int = 0
    left_over: int = 0


BACKLOG_SAMPLES = 1000
"""Intervals of the grid on which the backlog is sampled over [0, horizon]."""


@dataclass(frozen=True)
class Record:
    """All that one run of the loop did.

    ``windows``: int64 array of shape (n,) per name in COLUMNS, one row per window whose correction
    was applied, ordered by ``window``; ``messages`` the same for MESSAGE_COLUMNS. ``responses``:
    int64 (n, 2) of window and instant of return, in the order in which they were sent. ``lost``:
    int64 array (m, 4) of window, patch, shot, cause (index into ``causes``). Rounds obey emitted =
    decoded + in flight + sum of lost.
    ``pools``: account of the servers by stage name; ``horizon_ps``: time during which rounds were
    emitted, by ``emission``; ``end_ps`` is when the last event happened. ``done``: int64 (k, 2) of
    time in ps and of the rounds that were decoded or lost by then, a row for each window that was
    decoded or written off. ``backlog``: int64 (k, 2) of time in ps and of the rounds of all
    patches that were emitted but not yet decoded or lost, at each of those times and at
    `BACKLOG_SAMPLES` + 1 instants over [0, horizon]. ``drained``: the run went on after the
    horizon until nothing was left.
    ``engine``: name of the engine that ran it, on which nothing else depends; ``engine_note``:
    why it was not the compiled one, where that was to run it.
    ``idle_rounds``: int64 (operations,), the rounds each operation of a program with feedback
    waited, or None without feedback. ``ring_waits``: messages that found no free slot and waited.
    Arrays are empty where windows were not kept.
    """

    windows: dict[str, NDArray[np.int64]]
    messages: dict[str, NDArray[np.int64]]
    responses: NDArray[np.int64]
    lost: NDArray[np.int64]
    causes: tuple[str, ...]
    emitted: int
    decoded: int
    in_flight: int
    lost_by_cause: dict[str, int]
    pools: dict[str, Pool]
    horizon_ps: int
    end_ps: int
    backlog: NDArray[np.int64]
    emission: Emission
    done: NDArray[np.int64]
    drained: bool = True
    idle_rounds: NDArray[np.int64] | None = None
    ring_waits: int = 0
    engine: str = "simpy"
    engine_note: str = ""

    def backlog_at(self, times_ps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rounds of all patches emitted but not yet decoded or lost at each time, (n,).

        What happens at an instant has happened at it. Raises ValueError where windows were not
        kept.
        """
        if not len(self.done) and self.decoded + sum(self.lost_by_cause.values()):
            raise ValueError("a run without its windows has no backlog; keep_windows=True.")
        return _backlog_at(self.emission, self.done, times_ps)

    def check_conservation(self) -> None:
        """Raise RuntimeError unless every emitted round is decoded, in flight, or lost.

        Nothing may be in flight in a drained run.
        """
        lost = sum(self.lost_by_cause.values())
        if self.emitted != self.decoded + self.in_flight + lost:
            raise RuntimeError(
                f"rounds vanished: emitted {self.emitted} is not decoded {self.decoded} "
                f"+ in flight {self.in_flight} + lost {lost}; this is a defect of the emulator"
            )
        if self.drained and self.in_flight:
            raise RuntimeError(
                f"the loop stands still with {self.in_flight} of {self.emitted} rounds in flight "
                "and nothing left to happen; this is a defect of the emulator"
            )


def backlog_of(emission: Emission, done: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the backlog of a `Record` with this emission and these ``done``, int64 (k, 2)."""
    horizon_ps = emission.horizon_ps
    grid = [horizon_ps * k // BACKLOG_SAMPLES for k in range(BACKLOG_SAMPLES + 1)]
    # both are sorted, which a stable sort makes use of
    merged = np.sort(np.concatenate([np.array(grid, dtype=np.int64), done[:, 0]]), kind="stable")
    times_ps = merged[np.append(True, merged[1:] != merged[:-1])]
    return np.stack([times_ps, _backlog_at(emission, done, times_ps)], axis=1)


def _backlog_at(
    emission: Emission, done: NDArray[np.int64], times_ps: NDArray[np.int64]
) -> NDArray[np.int64]:
    finished = np.concatenate([[0], done[:, 1]])
    place = np.searchsorted(done[:, 0], times_ps, side="right")
    backlog: NDArray[np.int64] = emission.emitted_by(times_ps) - finished[place]
    return backlog


def table(columns: tuple[str, ...], rows: "array[int]") -> dict[str, NDArray[np.int64]]:
    """Turn rows of integers laid end to end into columns, sorted by the first of them."""
    found = np.array(rows, dtype=np.int64, copy=None).reshape(-1, len(columns))
    if (np.diff(found[:, 0]) < 0).any():
        found = found[np.argsort(found[:, 0], kind="stable")]
    return {name: found[:, k].copy() for k, name in enumerate(columns)}
