"""The network's side of a batch: input grid, wanted answer, and which of its bits are ever read."""

import torch
from torch import Tensor

from emulator.decoders.ising_layout import IsingLayout
from models.training.labels import Labels

__all__ = ["Grid", "answer"]


class Grid:
    """The layout's grid on a device; shapes as in ``IsingLayout.cnn_input`` and ``apply``."""

    def __init__(self, layout: IsingLayout, device: torch.device | str = "cpu") -> None:
        self.layout = layout
        self.cells = torch.tensor(layout.cells, device=device)
        rows = torch.zeros(1, layout.num_detectors, dtype=torch.uint8).numpy()
        self.presence = torch.tensor(layout.cnn_input(rows)[:, 2:], device=device)
        self.read = self.answer(
            Labels(
                torch.ones(1, layout.rounds, 2, layout.distance**2, device=device),
                torch.ones(1, layout.rounds, 2, layout.half, device=device),
            )
        )
        """1.0 where the contract reads the answer, float (1, 4, T, D, D)."""

    def input(self, events: Tensor) -> Tensor:
        """Network input (B, 4, T, D, D) for events (B, T, 2, half), as ``cnn_input`` gives it."""
        presence = self.presence.expand(len(events), *self.presence.shape[1:])
        return torch.cat([self._spread(events), presence], dim=1)

    def answer(self, labels: Labels) -> Tensor:
        """Bits the network shall set, float (B, 4, T, D, D) of 0.0 and 1.0."""
        d = self.layout.distance
        data = labels.data.transpose(1, 2).unflatten(3, (d, d))
        return torch.cat([data, self._spread(labels.flips)], dim=1)

    def _spread(self, checks: Tensor) -> Tensor:
        """(B, T, 2, half) over the cells: (B, 2, T, D, D)."""
        d = self.layout.distance
        shots, rounds = checks.shape[:2]
        grid = torch.zeros(shots, 2, rounds, d * d, device=checks.device)
        for k in range(2):
            grid[:, k, :, self.cells[k]] = checks[:, :, k]
        return grid.unflatten(3, (d, d))


def answer(layout: IsingLayout, labels: Labels) -> Tensor:
    """Bits the network shall set, float (B, 4, T, D, D), on the device of the labels."""
    return Grid(layout, labels.data.device).answer(labels)
