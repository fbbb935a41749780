"""How long every stage of a run takes, and which messages are lost, as data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.timing.law import Draws, Law
from emulator.timing.service import Service
from emulator.timing.stream import BlockCache, Stream

__all__ = ["Durations", "Losses"]


@dataclass(frozen=True, slots=True)
class Losses:
    """Message i is lost if number i of ``stream`` is below ``probability``."""

    probability: float
    stream: Stream

    def _block(self, number: int) -> NDArray[np.int64]:
        return (self.stream.block(number) < self.probability).astype(np.int64)

    def reader(self) -> Callable[[int], bool]:
        """Return a function that says whether a message is lost, by its place on the line."""
        lost = BlockCache(self._block)
        return lambda index: bool(lost[index])

    def law(self) -> Law:
        """Return 1 for each message that is lost, else 0."""
        return Draws(self._block)


@dataclass(frozen=True, slots=True)
class Durations:
    """The service of each stage; ``predecode`` is None without a pre-decoder.

    ``loss_up`` is None where no message is lost on the way up.
    """

    readout: Service
    up: Service
    dispatch: Service
    decode: Service
    down: Service
    predecode: Service | None = None
    loss_up: Losses | None = None
