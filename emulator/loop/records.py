"""What a run of the loop leaves behind: a time stamp per stage and window, and a full account."""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.loop.config import Emission

__all__ = [
    "COLUMNS",
    "LABELS",
    "MESSAGE_COLUMNS",
    "STAGES",
    "TIMESTAMPS",
    "Pool",
    "Record",
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
    """Servers of one stage and the work they were given, in picoseconds.

    ``busy_ps`` is the time that they were busy within [0, horizon], all servers together.
    ``demand_ps`` and ``demand_ps2`` are the sum of the service times, and of their squares, of the
    ``jobs`` that began in the whole run, emptying included. ``left_over`` jobs had arrived at the
    stage by the horizon and had not begun by then.
    """

    servers: int
    busy_ps: int
    demand_ps: int
    demand_ps2: int
    jobs: int
    left_over: int


@dataclass(frozen=True)
class Record:
    """All that one run of the loop did.

    ``windows``: int64 array of shape (n,) per name in COLUMNS, one row per window whose correction
    was applied, ordered by ``window``; ``messages`` the same for MESSAGE_COLUMNS. ``responses``:
    int64 (n, 2) of window and instant of return, in the order in which they were sent. ``lost``:
    int64 array (m, 4) of window, patch, shot, cause (index into ``causes``). Rounds obey emitted =
    decoded + in flight + sum of lost.
    ``pools``: utilisation data by stage name over ``[0, horizon_ps]``, the time during which rounds
    were emitted; ``end_ps`` is when the last event happened. ``backlog``: int64 (k, 2) of time in
    ps and of rounds emitted but not yet decoded (all patches), sampled as windows are decoded.
    ``emission`` is the processor's clock; ``done``: int64 (k, 2) of time and of rounds decoded or
    lost by then; ``drained``: whether the run went on until the loop was empty.
    ``idle_rounds``: int64 (operations,), the rounds each operation of a program with feedback
    waited, or None without feedback. ``ring_waits``: frames that found no free slot and waited.
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
    drained: bool
    idle_rounds: NDArray[np.int64] | None = None
    ring_waits: int = 0

    def backlog_at(self, times_ps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rounds emitted but neither decoded nor lost at each of the times, int64 (n,)."""
        finished = np.concatenate([[0], self.done[:, 1]])
        places = np.searchsorted(self.done[:, 0], times_ps, side="right")
        backlog: NDArray[np.int64] = self.emission.emitted_by(times_ps) - finished[places]
        return backlog

    def check_conservation(self) -> None:
        """Raise RuntimeError unless every emitted round is decoded, in flight, or lost."""
        lost = sum(self.lost_by_cause.values())
        if self.emitted != self.decoded + self.in_flight + lost:
            raise RuntimeError(
                f"rounds vanished: emitted {self.emitted} is not decoded {self.decoded} "
                f"+ in flight {self.in_flight} + lost {lost}; this is a defect of the emulator"
            )


def table(columns: tuple[str, ...], rows: "array[int]") -> dict[str, NDArray[np.int64]]:
    """Turn rows of integers laid end to end into columns, sorted by the first of them."""
    found = np.array(rows, dtype=np.int64).reshape(-1, len(columns))
    found = found[np.argsort(found[:, 0], kind="stable")]
    return {name: np.ascontiguousarray(found[:, k]) for k, name in enumerate(columns)}
