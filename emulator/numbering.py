"""Which number each shot, window, message and round of a run has, and when each is emitted.

Patches emit shots; a shot has M messages up the link and W windows of its plan. All numbers of a
run follow from the place in the shot, the shot of the patch, and the patch: the `Numbering`. All
instants of emission follow from the processor's clock, which never stops: the `Emission`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Emission", "Numbering", "answered_messages", "round_arrivals_ps"]

Ints = NDArray[np.int64]
N = TypeVar("N", int, NDArray[np.int64])

_ID_MASK = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers of the shots, windows and messages of a run with so many of each.

    ``windows`` and ``messages`` count those of one shot. Every method takes integers, or int64
    arrays of one shape, and gives the same back.
    """

    patches: int
    windows: int
    messages: int

    def row(self, patch: N, shot: N) -> N:
        """Return the row of a shot of a patch in tables of all shots, in order of emission."""
        return shot * self.patches + patch

    def of_row(self, row: N) -> tuple[N, N]:
        """Return patch and shot of a row."""
        shot, patch = _divided(row, self.patches)
        return patch, shot

    def window(self, patch: N, shot: N, position: N) -> N:
        """Return the running number of a window, ``position`` being its place in the plan."""
        return (shot * self.patches + patch) * self.windows + position

    def of_window(self, window: N) -> tuple[N, N, N]:
        """Return patch, shot and place in the plan of a window."""
        row, position = _divided(window, self.windows)
        shot, patch = _divided(row, self.patches)
        return patch, shot, position

    def counter(self, shot: N, number: N) -> N:
        """Return how many messages of the same patch come before message ``number`` of a shot."""
        return shot * self.messages + number

    def message(self, patch: N, shot: N, number: N) -> N:
        """Return the running number of message ``number`` of a shot: counter first, then patch.

        Readout delays are drawn by it. It is the order of emission where patches emit in step.
        """
        return (shot * self.messages + number) * self.patches + patch

    def of_message(self, message: N) -> tuple[N, N, N]:
        """Return patch, shot and place in the shot of a message."""
        counter, patch = _divided(message, self.patches)
        shot, number = _divided(counter, self.messages)
        return patch, shot, number

    def request_id(self, patch: N, shot: N, number: N) -> N:
        """Return the request id of a message: the last 32 bits of its running number."""
        return self.message(patch, shot, number) & _ID_MASK


def _divided(number: N, by: int) -> tuple[N, N]:
    return number // by, number % by


def answered_messages(commits: Sequence[range], carried: Sequence[range]) -> tuple[int, ...]:
    """Return for each window the message that it answers: the one with the last round it commits.

    ``commits`` has the rounds that each window of the plan commits, ``carried`` those that each
    message of a shot carries; the result has the places of messages in the shot.
    """
    message_of = [number for number, rounds in enumerate(carried) for _ in rounds]
    return tuple(message_of[rounds[-1]] for rounds in commits)


@dataclass(frozen=True, slots=True)
class Emission:
    """The processor's clock: when each round of each shot of each patch has left it.

    Round r of shot s of patch p ends at ``p * patch_offset_ps + s * shot_period_ps +
    (r + 1) * round_period_ps``. The clock never stops: a processor that waits for a result emits
    idle rounds, which have to be decoded like all others.
    """

    round_period_ps: int
    rounds: int
    shots: int
    patches: int = 1
    patch_offset_ps: int = 0
    shot_period_ps: int = 0

    def __post_init__(self) -> None:
        """Fill in the shot period of back-to-back shots and refuse overlapping ones."""
        if self.round_period_ps < 1:
            raise ValueError(f"round_period_ps(={self.round_period_ps}) must be >= 1.")
        back_to_back = self.rounds * self.round_period_ps
        if self.shot_period_ps == 0:
            object.__setattr__(self, "shot_period_ps", back_to_back)
        elif self.shot_period_ps < back_to_back:
            raise ValueError(f"shot_period_ps(={self.shot_period_ps}) must be >= {back_to_back}.")

    def round_end_ps(self, patch: N, shot: N, number: N) -> N:
        """Return the instant at which round ``number`` of a shot has left the processor.

        Takes integers, or int64 arrays that broadcast.
        """
        return (
            patch * self.patch_offset_ps
            + shot * self.shot_period_ps
            + (number + 1) * self.round_period_ps
        )

    @property
    def horizon_ps(self) -> int:
        """Instant of the last emission of all."""
        return self.round_end_ps(self.patches - 1, self.shots - 1, self.rounds - 1)

    @property
    def total_rounds(self) -> int:
        """Rounds of all shots of all patches."""
        return self.patches * self.shots * self.rounds

    def emitted_by(self, times_ps: Ints) -> Ints:
        """Return how many rounds of all patches have left the processor by each time, int64 (n,).

        Every round of the first shot of a patch recurs with the shot period G. Rounds that first
        end in the same cycle [c G, (c + 1) G) are counted together, by one merge of their phases
        in the cycle with those of the times. All patches share one or two cycles unless they are
        offset by more than a shot.
        """
        period_ps = self.shot_period_ps
        patches, rounds = np.arange(self.patches)[:, None], np.arange(self.rounds)[None, :]
        ends_ps = self.round_end_ps(patches, np.zeros_like(patches), rounds)
        starts, phases = np.divmod(np.sort(ends_ps, axis=None), period_ps)
        cycles, rest_ps = np.divmod(np.minimum(times_ps, self.horizon_ps), period_ps)
        emitted = np.zeros_like(times_ps)
        for start, own in zip(*_grouped(starts, phases), strict=True):
            since = cycles - start
            begun = np.searchsorted(own, rest_ps, side="right")
            emitted += np.clip(since, 0, self.shots) * len(own)
            emitted += np.where((since >= 0) & (since < self.shots), begun, 0)
        return emitted


def _grouped(starts: Ints, phases: Ints) -> tuple[Ints, list[Ints]]:
    """Return the distinct starts, which are sorted, and the phases of each, sorted as well."""
    distinct, firsts = np.unique(starts, return_index=True)
    return distinct, np.split(phases, firsts[1:])


def round_arrivals_ps(
    emission: Emission,
    carried: Sequence[range],
    patch: int,
    shots: Ints,
    *,
    delays_ps: Ints,
    earliest_ps: int,
) -> tuple[Ints, int]:
    """Return when each round of consecutive shots of a patch is at the FPGA, and the last message.

    ``shots``: int64 (n,), ``delays_ps``: int64 (n, messages), the readout delay of each message;
    ``earliest_ps``: when the message before them was there. A round arrives its message's delay
    after it has left the processor, but not before the message before its own. The arrivals are
    int64 (n, rounds).
    """
    first_ps = emission.round_end_ps(np.int64(patch) + 0 * shots, shots, -1 + 0 * shots)[:, None]
    stops = np.array([rounds.stop for rounds in carried], dtype=np.int64)
    whole = first_ps + stops * emission.round_period_ps + delays_ps
    there = np.maximum.accumulate(np.concatenate([[earliest_ps], whole.ravel()]))
    before = there[:-1].reshape(whole.shape)
    carriers = np.repeat(np.arange(len(carried)), [len(rounds) for rounds in carried])
    ends = np.arange(1, emission.rounds + 1, dtype=np.int64) * emission.round_period_ps
    arrivals: Ints = np.maximum(first_ps + ends + delays_ps[:, carriers], before[:, carriers])
    return arrivals, int(there[-1])
