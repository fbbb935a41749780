"""What a pre-decoder shall answer: one label for every class of faults that look alike.

A label is what the contract of ``emulator.decoders.ising_layout`` applies to a syndrome: data
corrections, Z-type and X-type, and measurement flips of X and Z checks, round by round. Many labels
leave the same residual and the same logical parity; training wants one of them, a local one. The
equivalences are those of NVIDIA's Ising pre-decoder, github.com/NVIDIA/Ising-Decoding,
``code/qec/surface_code/homological_equivalence_torch.py``, here as steps downhill of one cost.

Below B is the batch and type 0 stands for Z-type Paulis and the X checks that see them, type 1 for
X-type Paulis and Z checks. Tensors hold 0.0 and 1.0: ``data`` is (B, T, 2, D²), ``flips``
(B, T, 2, half).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emulator.decoders.ising_layout import IsingLayout
from models.training.faults import Faults, RoundFaults
from models.training.noise import NoiseModel

__all__ = ["Labels", "Sampler", "Symmetries"]

_BIT = 2.0**17
"""Cost of a set bit. It exceeds what the second order of the cost can add to any step, and keeps
every sum below 2^24, so that float32 is exact."""


@dataclass(frozen=True, eq=False)
class Labels:
    """A batch of labels: ``data`` (B, T, 2, D²) and ``flips`` (B, T, 2, half), float 0 or 1."""

    data: Tensor
    flips: Tensor

    def weight(self) -> Tensor:
        """Set bits of each shot, (B,)."""
        return self.data.sum((1, 2, 3)) + self.flips.sum((1, 2, 3))


class Symmetries:
    """Moves of labels that change neither residual nor logical parity, for one layout.

    Spacelike moves add a stabiliser to the data of one round. Timelike ones flip a qubit in the
    rounds t and t + 1, and in round t the outcomes of the checks that see it. The opposite basis
    has no detectors in the first and the last round; its data there count for nothing and are
    left 0, and its last flips repeat the last but one.
    """

    def __init__(self, layout: IsingLayout, device: torch.device | str = "cpu") -> None:
        self.layout = layout
        d, patch = layout.distance, layout.patch
        checks = np.stack([patch.hx, patch.hz]).astype(np.float32)
        self.checks = torch.tensor(checks, device=device)
        # the stabilisers of Z-type are the Z checks; those of even and odd rows are disjoint
        rows = [patch.corners("Z")[:, 0] % 2, patch.corners("X")[:, 0] % 2]
        groups = [np.where((np.stack(rows) == k)[..., None], checks[::-1], 0) for k in (0, 1)]
        self.stabilisers = [torch.tensor(group, device=device) for group in groups]
        r, c = np.divmod(np.arange(d * d), d)
        # of two pairs in a stabiliser the upper, the right, the antidiagonal one is cheaper
        order = 2 * d * (r + d - c) + r * c
        t = np.arange(layout.rounds)[:, None, None]
        there, flip = np.ones((layout.rounds, 2, 1)), np.full((layout.rounds, 2, 1), _BIT)
        there[[0, -1], 1 - layout.memory] = 0
        flip[-2, 1 - layout.memory] *= 2
        self.cost = torch.tensor((_BIT + order + t) * there, dtype=torch.float32, device=device)
        self.flip_cost = torch.tensor(flip, dtype=torch.float32, device=device)
        colour = 2 * (r % 2) + c % 2
        self.colours = [torch.tensor(colour == k, device=device) for k in range(4)]

    def canonical(self, labels: Labels) -> Labels:
        """The label that no move makes cheaper.

        Cost is first the weight, then where the bits are: earlier rounds and, inside a round, the
        canonical place of a pair. Every move taken lowers it, so this ends, and once more changes
        nothing.
        """
        data, flips = labels.data.clone(), labels.flips.clone()
        while self._spacelike(data) | self._timelike(data, flips):
            pass
        return Labels(data, flips)

    def close(self, data: Tensor, flips: Tensor) -> None:
        """Set, in place, what the opposite basis has in the first and the last round."""
        opposite = 1 - self.layout.memory
        data[:, [0, -1], opposite] = 0
        flips[:, -1, opposite] = flips[:, -2, opposite]

    def _spacelike(self, data: Tensor) -> bool:
        changed = False
        while True:
            moved = False
            for group in self.stabilisers:
                gain = torch.einsum("btkq,knq->btkn", (1 - 2 * data) * self.cost, group)
                toggle = gain < 0
                if toggle.any():
                    moved = True
                    spread = torch.einsum("btkn,knq->btkq", toggle.to(data.dtype), group)
                    _flip(data, spread)
            if not moved:
                return changed
            changed = True

    def _timelike(self, data: Tensor, flips: Tensor) -> bool:
        changed = False
        for parity in range(min(2, self.layout.rounds - 1)):
            first, second = data[:, parity:-1:2], data[:, parity + 1 :: 2]
            between, cost = flips[:, parity:-1:2], self.cost[parity:]
            flip_cost = self.flip_cost[parity:-1:2]
            for colour in self.colours:
                gain = (1 - 2 * first) * cost[:-1:2] + (1 - 2 * second) * cost[1::2]
                gain += torch.einsum("btkn,knq->btkq", (1 - 2 * between) * flip_cost, self.checks)
                move = (gain < 0) & colour
                if move.any():
                    changed = True
                    moved = move.to(data.dtype)
                    _flip(first, moved)
                    _flip(second, moved)
                    _flip(between, torch.einsum("btkq,knq->btkn", moved, self.checks))
                    self.close(data, flips)
        return changed


class Sampler:
    """Labels and syndromes of random faults, drawn and multiplied out on ``device``."""

    def __init__(
        self, every: RoundFaults, noise: NoiseModel, device: torch.device | str = "cpu"
    ) -> None:
        self.layout = every.layout
        self.symmetries = Symmetries(every.layout, device)
        self.device = torch.device(device)
        rounds = self.layout.rounds
        parts = (
            (every.preparation, range(1)),
            (every.extraction, range(rounds - 1)),
            (every.readout, range(rounds - 2, rounds - 1)),
        )
        self.parts = [_Part(self.layout, part, noise, when, self.device) for part, when in parts]

    def faults(self, shots: int, generator: torch.Generator) -> Labels:
        """What the faults of ``shots`` runs did, as labels that are not canonical yet.

        As labels these leave no residual at all, and their logical parity is that of the run.
        """
        bits = self.empty(shots)
        for part in self.parts:
            part.add(bits, *part.draw(shots, generator))
        return self.labels(bits)

    def empty(self, shots: int) -> Tensor:
        """No faults yet: float (B, T, W + 1), to which every part adds what its faults do."""
        width = 4 * self.layout.distance**2 + 2 * self.layout.half
        return torch.zeros(shots, self.layout.rounds, width + 1, device=self.device)

    def labels(self, bits: Tensor) -> Labels:
        """Labels from the bits that faults have set in ``empty``."""
        size, half, rounds = self.layout.distance**2, self.layout.half, self.layout.rounds
        now, later, flips = bits[..., :-1].remainder(2).split([2 * size, 2 * size, 2 * half], dim=2)
        data = now.clone()
        data[:, 1:] += later[:, :-1]
        data = data.remainder(2).view(-1, rounds, 2, size)
        flips = flips.reshape(-1, rounds, 2, half).clone()
        self.symmetries.close(data, flips)
        return Labels(data, flips)

    def sample(self, shots: int, generator: torch.Generator) -> tuple[Tensor, Labels]:
        """Draw ``shots`` runs: events (B, T, 2, half) as 0.0 and 1.0, and canonical labels."""
        labels = self.faults(shots, generator)
        return self.events(labels), self.symmetries.canonical(labels)

    def events(self, labels: Labels) -> Tensor:
        """The syndrome that ``labels`` explain, in the form of ``IsingLayout.events``."""
        events = torch.einsum("btkq,knq->btkn", labels.data, self.symmetries.checks)
        events += labels.flips
        events[:, 1:] += labels.flips[:, :-1]
        opposite = 1 - self.layout.memory
        events[:, 0, opposite] = 0
        events[:, -1, opposite] = 0
        return events % 2


class _Part:
    """Faults of one kind of place, as lists of the bits they set in their round.

    Bits are data corrections of this round, of the next one, and measurement flips. A fault whose
    own round shows none of it, for each type apart, is put off to the next round.
    """

    def __init__(
        self,
        layout: IsingLayout,
        part: Faults,
        noise: NoiseModel,
        when: range,
        device: torch.device,
    ) -> None:
        self.first, self.rounds = when.start, len(when)
        rates = noise.rates[part.parameter]
        self.rate = float(rates.sum())
        self.cumulated = torch.tensor(np.cumsum(rates), device=device)
        seen = part.outcomes.any(axis=2, keepdims=True)
        now, later = part.data * seen, part.data * ~seen
        checks = np.stack([layout.patch.hx, layout.patch.hz]).astype(np.int64)
        flips = part.outcomes ^ (np.einsum("fkq,knq->fkn", now, checks) % 2).astype(np.uint8)
        bits = np.concatenate([kind.reshape(len(rates), -1) for kind in (now, later, flips)], 1)
        # lists of equal length, filled up with the place behind the last bit
        width = max(1, int(bits.sum(axis=1).max(initial=0)))
        listed = np.full((len(bits), width), bits.shape[1], dtype=np.int64)
        for row, column in enumerate(bits):
            places = np.flatnonzero(column)
            listed[row, : len(places)] = places
        self.listed = torch.tensor(listed, device=device)

    def draw(self, shots: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Random faults: which, in what shot and in what round, each int64 (n,)."""
        mean = torch.tensor(shots * self.rounds * self.rate, dtype=torch.float64)
        count = int(torch.poisson(mean, generator=generator))
        drawn = torch.rand(3, count, generator=generator, dtype=torch.float64)
        drawn = drawn.to(self.listed.device)
        which = torch.searchsorted(self.cumulated, drawn[0] * self.cumulated[-1])
        which.clamp_(max=len(self.cumulated) - 1)
        return which, (drawn[1] * shots).long(), self.first + (drawn[2] * self.rounds).long()

    def add(self, bits: Tensor, which: Tensor, shot: Tensor, t: Tensor) -> None:
        """Add what these faults do to ``bits`` (B, T, W + 1)."""
        _, rounds, width = bits.shape
        places = ((shot * rounds + t) * width)[:, None] + self.listed[which]
        ones = torch.ones((), device=bits.device).expand(places.numel())
        bits.view(-1).index_add_(0, places.view(-1), ones)


def _flip(bits: Tensor, change: Tensor) -> None:
    """XOR into a tensor of 0.0 and 1.0, in place."""
    bits.sub_(change).abs_()
