"""The account of a run while it goes on: rounds emitted, decoded and lost, and the rows kept."""

from array import array
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emulator.loop.job import Job, Transit
from emulator.loop.records import COLUMNS, MESSAGE_COLUMNS, table

__all__ = ["CAUSES", "INCOMPLETE", "LINK_LOSS", "RING_OVERRUN", "Ledger"]

CAUSES = ("link_loss", "ring_overrun", "incomplete_window")
"""Why rounds are lost: on the wire, at the ring, or because their window missed another round."""

LINK_LOSS, RING_OVERRUN, INCOMPLETE = range(3)

_BETWEEN_REPORTS = 4096  # messages


class Ledger:
    """Counts rounds and keeps the rows of windows and messages, those only if ``keep``.

    ``last_ps``: responses that are applied later than that are not (None: all are).
    ``progress`` is called with the rounds emitted so far, once in 4096 messages.
    """

    def __init__(
        self, *, keep: bool, last_ps: int | None, progress: Callable[[int], None] | None
    ) -> None:
        self.emitted = 0
        self.decoded = 0
        self.late = 0
        self.lost = [0] * len(CAUSES)
        self.end_ps = 0
        self._keep = keep
        self._last_ps = last_ps
        self._progress = progress
        self._messages = 0
        self._rows = array("q")
        self._message_rows = array("q")
        self._lost_rows = array("q")
        self._response_rows = array("q")
        self._done = array("q")  # rows of time, rounds decoded or lost by then

    def emit(self, rounds: int) -> None:
        """Note that a message of so many rounds leaves the processor."""
        self.emitted += rounds
        if self._progress is not None and self._messages % _BETWEEN_REPORTS == 0:
            self._progress(self.emitted)
        self._messages += 1

    def send(self, transit: Transit, taken_ps: int, *, lost: bool) -> None:
        """Note a message that enters the line."""
        if self._keep:
            state, (_, _, framed, delivered) = transit.state, transit.stamps
            self._message_rows.extend(
                (
                    transit.index,
                    state.patch,
                    state.shot,
                    transit.number,
                    taken_ps,
                    framed,
                    delivered,
                    lost,
                )
            )

    def answer(self, job: Job, now: int, returned: int, applied: int, rounds: int) -> None:
        """Note a window that is decoded, and when its correction returns and is applied."""
        self.decoded += rounds
        if self._last_ps is None or applied <= self._last_ps:
            self.end_ps = max(self.end_ps, applied)
            if self._keep:
                self._rows.extend(job.row)
                self._rows.extend((now, returned, applied))
        else:
            self.late += rounds
        if self._keep:
            self._response_rows.extend((job.window, returned))
            self._done.extend((now, self.decoded + sum(self.lost)))

    def write_off(self, job: Job, now: int, causes: list[int]) -> None:
        """Note a window that is given up, with the cause of each round that it would commit."""
        for cause in causes:
            self.lost[cause] += 1
        if self._keep:
            state = job.state
            self._lost_rows.extend((job.window, state.patch, state.shot, min(causes)))
            self._done.extend((now, self.decoded + sum(self.lost)))

    def windows(self) -> dict[str, NDArray[np.int64]]:
        """Return the rows of the windows as columns."""
        return table(COLUMNS, self._rows)

    def messages(self) -> dict[str, NDArray[np.int64]]:
        """Return the rows of the messages as columns."""
        return table(MESSAGE_COLUMNS, self._message_rows)

    def responses(self) -> NDArray[np.int64]:
        """Return window and instant of return of each response, int64 (n, 2)."""
        return np.array(self._response_rows, dtype=np.int64).reshape(-1, 2)

    def lost_windows(self) -> NDArray[np.int64]:
        """Return window, patch, shot and cause of each window written off, int64 (m, 4)."""
        return np.array(self._lost_rows, dtype=np.int64).reshape(-1, 4)

    def done(self) -> NDArray[np.int64]:
        """Return the times and the rounds decoded or lost by then, int64 (k, 2)."""
        return np.array(self._done, dtype=np.int64).reshape(-1, 2)
