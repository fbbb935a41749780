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

__all__ = ["FORMATS", "BitFile", "disguise", "open_bits"]

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
    path: str | Path,
    fmt: str,
    *,
    num_detectors: int = 0,
    num_observables: int = 0,
    num_measurements: int = 0,
) -> BitFile:
    """Open a sample file whose shots hold measurements or detectors, then observables.

    ``b8``, ``01`` and ``ptb64`` are read a block at a time; ``dets``, ``hits`` and ``r8``, whose
    shots vary in length, are read whole and held bit-packed, and so is an ``01`` file whose lines
    end in several ways. None of these formats says how many bits a shot has, so a wrong model
    shows only where the sizes disagree, a padding bit is set or an index is out of range. Formats:
    Stim, ``doc/result_formats.md``. Raises SyndromeError for a file that is missing, truncated,
    compressed or disagrees with the number of bits.
    """
    path, bits = Path(path), num_measurements + num_detectors + num_observables
    counts = {
        "num_measurements": num_measurements,
        "num_detectors": num_detectors,
        "num_observables": num_observables,
    }
    if fmt not in FORMATS:
        raise SyndromeError(f'{path}: format "{fmt}" is unknown; write one of {", ".join(FORMATS)}')
    if bits < 1:
        raise SyndromeError(f"{path}: by its model a shot holds no bits; give the right model")
    if path.is_dir():
        raise SyndromeError(f"{path}: is a folder; give the path of a sample file")
    if not path.is_file():
        raise SyndromeError(f"{path}: no such file; give the path of a sample file")
    if fmt not in _LAYOUTS:
        return _read_whole(path, fmt, counts)
    layout = _LAYOUTS[fmt]
    if fmt == "01":
        layout = _line_layout(path, bits, counts)
    size, block = path.stat().st_size, layout.block_bytes(bits)
    if size and fmt == "01" and size % block:
        return _read_lines(path, bits, counts)
    if size == 0 or size % block:
        raise SyndromeError(
            f"{path}: expected a multiple of {block} bytes, as {layout.block_shots} shot(s) of "
            f"{bits} bits ({_in_words(counts)}) take in format {fmt}, but found {size}; it is "
            f"truncated or belongs to another model{disguise(path)}"
        )
    return _BlockFile(path, bits, layout, size // block * layout.block_shots)


def disguise(path: Path) -> str:
    """What a file is by its first bytes, to end a sentence with; empty for a sample file."""
    with path.open("rb") as file:
        head = file.read(8)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return f", and its first bytes are those of {kind}: unpack or convert it"
    return ""


_MAGIC = {
    b"\x1f\x8b\x08": "a gzip archive",
    b"PK\x03\x04": "a zip archive (or of NumPy's npz)",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
}


def _in_words(counts: dict[str, int]) -> str:
    """Numbers of what a shot holds, such as "24 detectors and 1 observables"."""
    detectors = f"{counts['num_detectors']} detectors and {counts['num_observables']} observables"
    measurements = counts["num_measurements"]
    return f"{measurements} measurements" if measurements else detectors


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
            raise SyndromeError(
                f"{self.path}: {reason}; give the model it belongs to{disguise(self.path)}"
            ) from reason
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


def _decode_crlf(blocks: Rows, bits: int) -> Rows:
    if (blocks[:, bits] != ord("\r")).any():
        raise ValueError(f"expected lines of {bits} characters 0 or 1, found something else")
    return _decode_01(np.delete(blocks, bits, axis=1), bits)


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


def _line_layout(path: Path, bits: int, counts: dict[str, int]) -> _Layout:
    """Layout of an 01 file by its first line end; SyndromeError for a first line too long."""
    with path.open("rb") as file:
        head = file.read(bits + 2)
    first = head.split(b"\n")[0]
    if b"\n" in head and len(first.rstrip(b"\r")) != bits and not first.strip(b"01\r"):
        raise SyndromeError(
            f"{path}: expected lines of {bits} characters 0 or 1 ({_in_words(counts)}), but the "
            f"first has {len(first.rstrip(bytes([13])))}; give the model it belongs to"
        )
    return _CRLF if first.endswith(b"\r") else _LAYOUTS["01"]


_CRLF = _Layout(1, lambda bits: bits + 2, _decode_crlf)


def _read_lines(path: Path, bits: int, counts: dict[str, int]) -> "_LoadedRows":
    """Read an 01 file whose lines end in several ways, or whose last one does not end."""
    lines = path.read_bytes().rstrip().splitlines()
    wrong = next((n for n, line in enumerate(lines) if len(line) != bits), None)
    if wrong is not None:
        raise SyndromeError(
            f"{path}, line {wrong + 1}: expected {bits} characters 0 or 1 ({_in_words(counts)}), "
            f"but found {len(lines[wrong])}; it is truncated or belongs to another "
            f"model{disguise(path)}"
        )
    digits = np.frombuffer(b"".join(lines), dtype=np.uint8).reshape(-1, bits) ^ ord("0")
    if (digits > 1).any():
        line = int(np.flatnonzero((digits > 1).any(axis=1))[0])
        raise SyndromeError(
            f"{path}, line {line + 1}: expected {bits} characters 0 or 1, found something else; "
            f"write a shot a line without separators{disguise(path)}"
        )
    return _LoadedRows(np.packbits(digits, axis=1, bitorder="little"))


def _read_whole(path: Path, fmt: str, counts: dict[str, int]) -> "_LoadedRows":
    try:
        rows = stim.read_shot_data_file(path=str(path), format=fmt, bit_packed=True, **counts)
    except (ValueError, OSError, RuntimeError) as reason:
        raise SyndromeError(
            f"{path}: does not hold shots of {_in_words(counts)} in format {fmt}: "
            f"{str(reason).strip()}{disguise(path)}"
        ) from reason
    if len(rows) == 0:
        raise SyndromeError(f"{path}: holds no shots; give a file with at least one")
    return _LoadedRows(rows)
