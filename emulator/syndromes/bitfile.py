"""Rows of bits in the sample files that Stim writes, read a block at a time where that can be."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.source import packed_bytes

__all__ = ["FORMATS", "BitFile", "open_bits"]

FORMATS = ("01", "b8", "dets", "hits", "ptb64", "r8")

Rows = NDArray[np.uint8]


class BitFile(Protocol):
    """Shots of ``num_bits`` bits each, bit-packed, least significant bit first."""

    @property
    def num_rows(self) -> int:
        """Shots in the file."""

    def read(self, first: int, count: int) -> Rows:
        """Rows from ``first`` on: uint8 of shape (count or what is left, ceil(num_bits / 8))."""


def open_bits(
    path: str | Path, fmt: str, *, num_detectors: int, num_observables: int = 0
) -> BitFile:
    """Open a sample file whose shots hold detectors, then observables, and nothing else.

    ``b8``, ``01`` and ``ptb64`` are read a block at a time; ``dets``, ``hits`` and ``r8``, whose
    shots vary in length, are read whole and held bit-packed. None of these formats says how many
    bits a shot has, so a wrong model shows only where the sizes disagree, a padding bit is set
    or an index is out of range. Formats: Stim, ``doc/result_formats.md``. Raises SyndromeError
    for a file that is missing, truncated or disagrees with the number of bits.
    """
    path, bits = Path(path), num_detectors + num_observables
    if fmt not in FORMATS:
        raise SyndromeError(f'{path}: format "{fmt}" is unknown; write one of {", ".join(FORMATS)}')
    if bits < 1:
        raise SyndromeError(f"{path}: by its model a shot holds no bits; give the right model")
    if not path.is_file():
        raise SyndromeError(f"{path}: no such file; give the path of a sample file")
    if fmt not in _LAYOUTS:
        return _read_whole(path, fmt, num_detectors, num_observables)
    layout = _LAYOUTS[fmt]
    size, block = path.stat().st_size, layout.block_bytes(bits)
    if size == 0 or size % block:
        raise SyndromeError(
            f"{path}: expected a multiple of {block} bytes, as {layout.block_shots} shot(s) of "
            f"{bits} bits ({num_detectors} detectors and {num_observables} observables) take in "
            f"format {fmt}, but found {size}; it is truncated or belongs to another model"
        )
    return _BlockFile(path, bits, layout, size // block * layout.block_shots)


@dataclass(frozen=True, slots=True)
class _Layout:
    """A format of fixed-size blocks: shots and bytes a block, and how bytes become packed rows."""

    block_shots: int
    block_bytes: Callable[[int], int]
    decode: Callable[[Rows, int], Rows]


@dataclass(frozen=True, slots=True)
class _BlockFile:
    path: Path
    num_bits: int
    layout: _Layout
    num_rows: int

    def read(self, first: int, count: int) -> Rows:
        per_block, size = self.layout.block_shots, self.layout.block_bytes(self.num_bits)
        count = min(count, self.num_rows - first)
        start, stop = first // per_block, -(-(first + count) // per_block)
        blocks = np.fromfile(
            self.path, dtype=np.uint8, count=(stop - start) * size, offset=start * size
        )
        if len(blocks) != (stop - start) * size:
            raise SyndromeError(f"{self.path}: became shorter while it was read; start again")
        try:
            rows = self.layout.decode(blocks.reshape(-1, size), self.num_bits)
        except ValueError as reason:
            raise SyndromeError(f"{self.path}: {reason}; give the model it belongs to") from reason
        return rows[first - start * per_block :][:count]


def _decode_b8(blocks: Rows, bits: int) -> Rows:
    padding = -bits % 8
    if padding and (blocks[:, -1] >> (8 - padding)).any():
        raise ValueError(f"a bit is set beyond the {bits} that a shot should have")
    return blocks


def _decode_01(blocks: Rows, bits: int) -> Rows:
    digits = blocks[:, :bits] ^ ord("0")
    if (blocks[:, bits] != ord("\n")).any() or (digits > 1).any():
        raise ValueError(f"expected lines of {bits} characters 0 or 1, found something else")
    return np.packbits(digits, axis=1, bitorder="little")


def _decode_ptb64(blocks: Rows, bits: int) -> Rows:
    """Blocks of 64 shots hold, for each bit in turn, its values in the 64 shots."""
    transposed = np.unpackbits(blocks.reshape(-1, bits, 8), axis=2, bitorder="little")
    return np.packbits(transposed.swapaxes(1, 2).reshape(-1, bits), axis=1, bitorder="little")


_LAYOUTS = {
    "01": _Layout(1, lambda bits: bits + 1, _decode_01),
    "b8": _Layout(1, packed_bytes, _decode_b8),
    "ptb64": _Layout(64, lambda bits: 8 * bits, _decode_ptb64),
}


@dataclass(frozen=True, slots=True)
class _LoadedRows:
    rows: Rows

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def read(self, first: int, count: int) -> Rows:
        return self.rows[first : first + count]


def _read_whole(path: Path, fmt: str, num_detectors: int, num_observables: int) -> _LoadedRows:
    try:
        rows = stim.read_shot_data_file(
            path=str(path),
            format=fmt,
            bit_packed=True,
            num_detectors=num_detectors,
            num_observables=num_observables,
        )
    except (ValueError, OSError) as reason:
        raise SyndromeError(
            f"{path}: does not hold shots of {num_detectors} detectors and {num_observables} "
            f"observables in format {fmt}: {str(reason).strip()}"
        ) from reason
    if len(rows) == 0:
        raise SyndromeError(f"{path}: holds no shots; give a file with at least one")
    return _LoadedRows(rows)
