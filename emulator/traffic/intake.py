"""What enters the packetiser in a run: every beat of every round, and the cycle it comes in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.numbering import round_arrivals_ps
from emulator.rtl.uplink import ENDS_MESSAGE, LAST_BEAT
from emulator.traffic.traffic import Traffic
from emulator.units import Clock

__all__ = ["Beats", "Intake"]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of consecutive shots of one patch, n shots of b beats.

    ``cycles``: uint64 (n * b,), edge from which each is offered; ``data``: uint8 (n * b, w), first
    bit lowest; ``user``: uint16 (n * b,), tuser of packetiser_up.v with LAST_BEAT above it.
    """

    patch: int
    cycles: NDArray[np.uint64]
    data: NDArray[np.uint8]
    user: NDArray[np.uint16]


class Intake:
    """Lays out the shots of a run as beats of the packetiser's inputs, on the edges of its clock.

    ``readout_ps(i)`` is the readout delay of the message with number i (`Numbering.message`), as
    in the loop. A round is there that long after it has left the
    processor, but not before the message before its own.
    """

    def __init__(self, traffic: Traffic, readout_ps: Callable[[int], int]) -> None:
        self.patches = traffic.patches
        self._emission = traffic.emission
        self._clock = Clock(traffic.fpga.clock)
        self._numbering, self._carried = traffic.numbering, traffic.carried
        self._readout_ps = readout_ps
        self._bytes = traffic.fpga.input_bits // 8
        bits = np.array(traffic.bits)
        beats = np.concatenate([message.intake for message in traffic.messages])
        self._round_of_beat = np.repeat(np.arange(len(bits)), beats)
        self._user = _users(bits, beats, [rounds[-1] for rounds in self._carried])
        # where each detector goes in the beats of its shot
        self._order = np.argsort(traffic.detector_round, kind="stable")
        first_detector = np.cumsum(bits) - bits
        first_bit = (np.cumsum(beats) - beats) * traffic.fpga.input_bits
        rounds = traffic.detector_round[self._order]
        self._places = np.arange(len(rounds)) - first_detector[rounds] + first_bit[rounds]
        self._digitised_ps = [0] * self.patches

    def beats(self, first_row: int, detectors: NDArray[np.uint8]) -> Iterator[Beats]:
        """Yield the beats of each patch for rows of detectors, uint8 (n, D), in order.

        Row shot * patches + patch is that shot of that patch; rows come in order, from row 0 on.
        """
        padded = np.zeros((len(detectors), len(self._user) * self._bytes * 8), dtype=np.uint8)
        padded[:, self._places] = detectors[:, self._order]
        packed = np.packbits(padded, axis=1, bitorder="little")
        owner, shots = self._numbering.of_row(np.arange(first_row, first_row + len(detectors)))
        for patch in range(self.patches):
            mine = owner == patch
            arrived_ps = self._arrivals(patch, shots[mine])
            cycles = _edges(self._clock, arrived_ps)[:, self._round_of_beat]
            yield Beats(
                patch,
                cycles.ravel().astype(np.uint64),
                packed[mine].reshape(-1, self._bytes),
                np.tile(self._user, int(mine.sum())),
            )

    def first_cycle(self, row: int) -> int:
        """Edge before which nothing of rows ``row`` and later enters."""
        nexts = (self._numbering.of_row(row + k) for k in range(self.patches))
        starts = (self._emission.round_end_ps(patch, shot, 0) for patch, shot in nexts)
        return self._clock.edge_at_or_after(min(starts))

    def _arrivals(self, patch: int, shots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Instant at which each round of some shots of a patch is there, int64 (shots, rounds)."""
        numbering, carried = self._numbering, self._carried
        numbers = range(len(carried))
        delays_ps = np.array(
            [
                [self._readout_ps(numbering.message(patch, shot, number)) for number in numbers]
                for shot in shots.tolist()
            ],
            dtype=np.int64,
        ).reshape(len(shots), len(carried))
        earliest_ps = self._digitised_ps[patch]
        arrivals_ps, self._digitised_ps[patch] = round_arrivals_ps(
            self._emission,
            carried,
            patch,
            shots,
            delays_ps=delays_ps,
            earliest_ps=earliest_ps,
        )
        return arrivals_ps


def _users(
    bits: NDArray[np.int64], beats: NDArray[np.int64], last_rounds: list[int]
) -> NDArray[np.uint16]:
    """Tuser of every beat of a shot, uint16 (b,)."""
    rounds = (bits - 1).astype(np.uint16)
    rounds[last_rounds] |= ENDS_MESSAGE
    user = np.repeat(rounds, beats)
    user[np.cumsum(beats) - 1] |= LAST_BEAT
    return user


def _edges(clock: Clock, times_ps: NDArray[np.int64]) -> NDArray[np.int64]:
    """First edge that is not before each of the times, of the same shape."""
    edges, span_ps = clock.ratio
    if int(times_ps.max(initial=0)) < (1 << 62) // edges:
        return -(-times_ps * edges // span_ps)
    exact = [clock.edge_at_or_after(time_ps) for time_ps in times_ps.ravel().tolist()]
    return np.array(exact, dtype=np.int64).reshape(times_ps.shape)
