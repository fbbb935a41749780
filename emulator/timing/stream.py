"""Random numbers by place: number i of a stream is a function of the stream and i alone.

The numbers come in blocks of 4096 from the counter-based generator Philox4x64-10 (Salmon et al.,
SC'11), so that a job's luck does not depend on which jobs were asked for before, or how many at a
time. Number n of block b of stream k of a run with seed s is ``(w // 4096 + 1/2) / 2**52``, w being
the n-th 64-bit word that NumPy's Philox gives for

- the key ``SeedSequence(s, spawn_key=(k,)).generate_state(2, uint64)``, and
- the counter words ``(0, 0, b, 0)``.

Both are covered by NumPy's promise of compatibility, unlike the methods of its Generator.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Philox, SeedSequence
from numpy.typing import NDArray

__all__ = ["BLOCK", "LAST_LUCK", "BlockCache", "Stream", "Streams"]

_BLOCK_BITS = 12

BLOCK = 1 << _BLOCK_BITS
"""Numbers in a block of a stream."""

LAST_LUCK = 1 - 2.0**-53
"""Largest number of a stream; the smallest one is 2**-53."""

_MAX_BLOCKS = 1024


@dataclass(frozen=True, slots=True)
class Stream:
    """A sequence of independent numbers, uniform in (0, 1); see the head of this module.

    ``low`` and ``high`` select the draws in between and stretch them over (0, 1) again, which is
    how the parts of a mixture share one number per job. The other draws come out at an end.
    """

    seed: int
    number: int
    low: float = 0.0
    high: float = 1.0

    def block(self, number: int) -> NDArray[np.float64]:
        """Numbers ``BLOCK * number`` and following, float64 of shape (BLOCK,)."""
        key = SeedSequence(self.seed, spawn_key=(self.number,)).generate_state(2, np.uint64)
        words = Philox(key=key, counter=[0, 0, number, 0]).random_raw(BLOCK)
        luck = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        if (self.low, self.high) == (0.0, 1.0):
            return luck
        width = self.high - self.low
        if width <= 0:  # narrower than any draw can tell
            return np.full(BLOCK, 0.5)
        with np.errstate(over="ignore"):
            return np.clip((luck - self.low) / width, 1 - LAST_LUCK, LAST_LUCK)

    def between(self, low: float, high: float) -> "Stream":
        """Narrow the stream to its draws from ``low`` to ``high``, stretched over (0, 1)."""
        width = self.high - self.low
        return replace(self, low=self.low + low * width, high=self.low + high * width)


@dataclass(frozen=True, slots=True)
class Streams:
    """Independent randomness for every part of a run, all from the scenario's one seed.

    ``syndromes`` is a seed of 63 bits for Stim.
    """

    syndromes: int
    readout: Stream
    up: Stream
    down: Stream
    loss: Stream
    dispatch: Stream
    predecode: Stream
    decode: Stream

    @classmethod
    def of(cls, seed: int) -> "Streams":
        """Derive all of them: ``syndromes`` is number 0, ``decode`` 7; a new part goes last."""
        syndromes = SeedSequence(seed, spawn_key=(0,)).generate_state(1, np.uint64)[0]
        return cls(int(syndromes) >> 1, *(Stream(seed, number) for number in range(1, 8)))


class BlockCache:
    """Integers by index, made a block at a time when first asked for.

    ``make`` gives the int64 (BLOCK,) array of a block by its number. The oldest of more than 1024
    blocks is dropped, and made again if need be.
    """

    __slots__ = ("_blocks", "_make")

    def __init__(self, make: Callable[[int], NDArray[np.int64]]) -> None:
        self._make = make
        self._blocks: dict[int, array[int]] = {}

    def __getitem__(self, index: int) -> int:
        block = self._blocks.get(index >> _BLOCK_BITS)
        if block is None:
            block = self._load(index >> _BLOCK_BITS)
        return block[index & BLOCK - 1]

    def _load(self, number: int) -> "array[int]":
        if len(self._blocks) == _MAX_BLOCKS:
            del self._blocks[next(iter(self._blocks))]
        block = self._blocks[number] = array("q", self._make(number).tobytes())
        return block
