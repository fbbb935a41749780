"""Detection events and observables out of sample files, in every layout that Stim writes."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import BitFile, open_bits
from emulator.syndromes.source import packed_bytes

__all__ = ["Place", "ShotFile", "open_apart", "open_joined", "open_measurements", "open_reversed"]

Rows = NDArray[np.uint8]

Place = Literal["end", "start", "none"]
"""Where in a shot the observables stand."""


class ShotFile(Protocol):
    """Shots as detection events and observables, both bit-packed, least significant bit first."""

    @property
    def num_shots(self) -> int:
        """Shots in the file."""

    @property
    def num_observables(self) -> int:
        """Observables of a shot; 0 where they were not recorded."""

    def read(self, first: int, count: int) -> tuple[Rows, Rows]:
        """Detectors and observables of the shots from ``first`` on, as in `Chunk`."""


def open_joined(
    path: str | Path, fmt: str, *, detectors: int, observables: int, place: Place | None
) -> ShotFile:
    """Open a file of detectors that holds the observables too, or none.

    ``place`` None finds out: they stand at the end, as ``--append_observables`` writes them, or
    nowhere, as the number of bits a shot decides; where the format does not tell (``dets``,
    ``hits``, and ``b8`` with room in its last byte) they count as recorded if any shot flips one.
    The ``dets`` format names them, so that "start" and "end" are one. Raises SyndromeError for a
    file that does not fit.
    """
    if place == "none" or observables == 0:
        return _Joined(open_bits(path, fmt, num_detectors=detectors), detectors, 0)
    if place == "start" and fmt != "dets":
        file = open_bits(path, fmt, num_detectors=detectors, num_observables=observables)
        return _Joined(file, detectors, observables, in_front=True)
    if place is not None:
        file = open_bits(path, fmt, num_detectors=detectors, num_observables=observables)
        return _Joined(file, detectors, observables)
    return _open_appended(path, fmt, detectors, observables)


def open_apart(
    path: str | Path,
    fmt: str,
    observables_path: str | Path,
    observables_fmt: str,
    *,
    detectors: int,
    observables: int,
) -> ShotFile:
    """Open detectors and observables in a file each, as ``--obs_out`` writes them."""
    events = open_bits(path, fmt, num_detectors=detectors)
    flips = open_bits(observables_path, observables_fmt, num_observables=observables)
    _check_rows(observables_path, flips, path, events)
    return _Apart(events, flips, observables)


def open_measurements(
    path: str | Path,
    fmt: str,
    circuit: stim.Circuit,
    *,
    sweep: str | Path | None = None,
    sweep_fmt: str | None = None,
) -> ShotFile:
    """Open a file of measurements, which ``circuit`` turns into detectors and observables.

    ``sweep`` is a file of the bits that control its ``sweep[k]`` targets (``sweep_fmt``, by
    default ``fmt``). Raises SyndromeError where there is one without the other.
    """
    measured = open_bits(path, fmt, num_measurements=circuit.num_measurements)
    if circuit.num_sweep_bits and sweep is None:
        raise SyndromeError(
            f"{path}: its circuit is controlled by {circuit.num_sweep_bits} sweep bits; name "
            "their file with code.sweep"
        )
    swept = None
    if sweep is not None:
        if circuit.num_sweep_bits == 0:
            raise SyndromeError(f"{sweep}: its circuit has no sweep bits; delete code.sweep")
        swept = open_bits(sweep, sweep_fmt or fmt, num_measurements=circuit.num_sweep_bits)
        _check_rows(sweep, swept, path, measured)
    return _Converted(measured, swept, circuit.num_observables, circuit)


def open_reversed(path: str | Path, detectors: int) -> ShotFile:
    """Open b8 shots of detectors that were packed with the most significant bit first."""
    whole = open_bits(path, "b8", num_detectors=8 * packed_bytes(detectors))
    return _Joined(_Reversed(whole), detectors, 0)


def _check_rows(path: str | Path, file: BitFile, other_path: str | Path, other: BitFile) -> None:
    if file.num_rows != other.num_rows:
        raise SyndromeError(
            f"{path}: expected {other.num_rows} shots, as in {other_path}, "
            f"but found {file.num_rows}; give files of the same run"
        )


@dataclass(frozen=True, slots=True)
class _Reversed:
    file: BitFile

    @property
    def num_rows(self) -> int:
        return self.file.num_rows

    def read(self, first: int, count: int) -> Rows:
        bits = np.unpackbits(self.file.read(first, count), axis=1, bitorder="big")
        return np.packbits(bits, axis=1, bitorder="little")


@dataclass(frozen=True, slots=True)
class _Joined:
    """Detectors and observables in one row: the observables behind, or ``in_front``."""

    file: BitFile
    detectors: int
    num_observables: int
    in_front: bool = False

    @property
    def num_shots(self) -> int:
        return self.file.num_rows

    def read(self, first: int, count: int) -> tuple[Rows, Rows]:
        rows = self.file.read(first, count)
        if self.in_front:
            bits = np.unpackbits(rows, axis=1, bitorder="little")
            observables, rest = np.split(bits, [self.num_observables], axis=1)
            detectors = np.packbits(rest[:, : self.detectors], axis=1, bitorder="little")
            return detectors, np.packbits(observables, axis=1, bitorder="little")
        return _split(rows, self.detectors, self.num_observables)


@dataclass(frozen=True, slots=True)
class _Apart:
    events: BitFile
    flips: BitFile
    num_observables: int

    @property
    def num_shots(self) -> int:
        return self.events.num_rows

    def read(self, first: int, count: int) -> tuple[Rows, Rows]:
        return self.events.read(first, count), self.flips.read(first, count)


@dataclass(frozen=True, slots=True)
class _Converted:
    measured: BitFile
    swept: BitFile | None
    num_observables: int
    circuit: stim.Circuit

    @property
    def num_shots(self) -> int:
        return self.measured.num_rows

    def read(self, first: int, count: int) -> tuple[Rows, Rows]:
        detectors, observables = self.circuit.compile_m2d_converter().convert(
            measurements=self.measured.read(first, count),
            sweep_bits=None if self.swept is None else self.swept.read(first, count),
            separate_observables=True,
            bit_packed=True,
        )
        return detectors, observables


def _open_appended(path: str | Path, fmt: str, detectors: int, observables: int) -> ShotFile:
    """Open a file of detectors that may have observables appended."""
    bare = None
    with contextlib.suppress(SyndromeError):
        bare = _Joined(open_bits(path, fmt, num_detectors=detectors), detectors, 0)
    try:
        file = open_bits(path, fmt, num_detectors=detectors, num_observables=observables)
    except SyndromeError:
        if bare is None:
            raise
        return bare
    full = _Joined(file, detectors, observables)
    if bare is None:
        return full
    if fmt == "ptb64":
        raise SyndromeError(
            f"{path}: its size fits shots with and without observables; "
            'write code.observables_at = "end" or "none"'
        )
    try:
        flips = _any_observable(full)
    except SyndromeError:  # line ends or padding out of place: the rows are shorter
        return bare
    told = fmt == "01" or (fmt == "b8" and bare.num_shots != full.num_shots)
    return full if told or flips else bare


def _any_observable(file: ShotFile) -> bool:
    return any(file.read(first, 4096)[1].any() for first in range(0, file.num_shots, 4096))


def _split(rows: Rows, num_detectors: int, num_observables: int) -> tuple[Rows, Rows]:
    """Part packed rows of detectors and observables; only the bytes they share are unpacked."""
    whole, used = divmod(num_detectors, 8)
    tail = np.unpackbits(rows[:, whole:], axis=1, bitorder="little")
    observables = np.packbits(tail[:, used : used + num_observables], axis=1, bitorder="little")
    detectors = rows[:, : packed_bytes(num_detectors)].copy()
    if used:
        detectors[:, -1] &= (1 << used) - 1
    return detectors, observables
