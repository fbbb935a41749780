"""Recorded detection events: a sample file beside the circuit or error model it belongs to."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import BitFile, open_bits
from emulator.syndromes.circuits import error_model, read_circuit
from emulator.syndromes.rounds import coordinate_table, detector_rounds
from emulator.syndromes.source import Chunk, CodeInfo, chunk_starts, packed_bytes

__all__ = ["SampleSource", "source_from_samples"]


@dataclass(frozen=True, eq=False)
class SampleSource:
    """Shots of a sample file, in the order of the file (fields as in SyndromeSource).

    Where the observables were not recorded, ``num_observables`` is 0 although ``dem`` has some,
    and chunks have observables of shape (n, 0): logical errors cannot be counted.
    ``observable_file`` is ``None`` unless they stand in a file of their own.
    """

    name: str
    dem: stim.DetectorErrorModel
    circuit: stim.Circuit | None
    detector_round: NDArray[np.int32]
    num_rounds: int
    metadata: CodeInfo
    num_observables: int
    detection_file: BitFile
    observable_file: BitFile | None

    @property
    def num_detectors(self) -> int:
        """Detectors a shot, D."""
        return int(self.dem.num_detectors)

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """Detector coordinates, read anew at each call (see SyndromeSource)."""
        return coordinate_table(self.dem, self.name)

    @property
    def num_shots(self) -> int:
        """Shots in the file."""
        return self.detection_file.num_rows

    def chunks(
        self,
        shots: int,
        *,
        seed: int,  # noqa: ARG002  recorded shots are the same whatever the seed
        chunk_shots: int = 1024,
    ) -> Iterator[Chunk]:
        """Read shots 0 .. ``shots`` - 1 of the file (see SyndromeSource)."""
        for first in chunk_starts(self, shots, chunk_shots):
            count = min(chunk_shots, shots - first)
            rows = self.detection_file.read(first, count)
            if self.observable_file is not None:
                yield Chunk(first, rows, self.observable_file.read(first, count))
            else:
                yield Chunk(first, *_split(rows, self.num_detectors, self.num_observables))


def source_from_samples(
    detections: str | Path,
    *,
    fmt: str,
    model: str | Path,
    observables: str | Path | None = None,
    observables_fmt: str | None = None,
    rounds: int | None = None,
) -> SampleSource:
    """Source of a sample file in any format that Stim reads, beside its ``.stim`` or ``.dem``.

    Observables stand in a file of their own (``observables_fmt``, by default ``fmt``), or at the
    end of every shot of ``detections``, as ``stim detect --append_observables`` writes them, or
    nowhere; without a file of their own the number of bits a shot decides. Where the format does
    not tell (``dets``, ``hits``, and ``b8`` with room in its last byte) they count as recorded if
    any shot flips one. Rounds come from the detector coordinates of the model (see
    ``detector_rounds``). Raises SyndromeError where a file cannot be read, is truncated or
    disagrees with the model.
    """
    dem, circuit = _read_model(Path(model))
    num_detectors, num_observables = dem.num_detectors, dem.num_observables
    table = coordinate_table(dem, str(model))
    detector_round, num_rounds = detector_rounds(table, str(model), rounds)
    observable_file = None
    if observables is None:
        detection_file, appended = _open_appended(detections, fmt, num_detectors, num_observables)
        num_observables = num_observables if appended else 0
    else:
        detection_file = open_bits(detections, fmt, num_detectors=num_detectors)
        observable_file = open_bits(
            observables, observables_fmt or fmt, num_detectors=0, num_observables=num_observables
        )
        if observable_file.num_rows != detection_file.num_rows:
            raise SyndromeError(
                f"{observables}: expected {detection_file.num_rows} shots, as in {detections}, "
                f"but found {observable_file.num_rows}; give files of the same run"
            )
    return SampleSource(
        name=str(detections),
        dem=dem,
        circuit=circuit,
        detector_round=detector_round,
        num_rounds=num_rounds,
        metadata=CodeInfo(),
        num_observables=num_observables,
        detection_file=detection_file,
        observable_file=observable_file,
    )


def _read_model(path: Path) -> tuple[stim.DetectorErrorModel, stim.Circuit | None]:
    if path.suffix == ".stim":
        circuit = read_circuit(path)
        return error_model(circuit, str(path)), circuit
    if path.suffix != ".dem":
        raise SyndromeError(f"{path}: is no error model; give a .dem or a .stim file")
    try:
        return stim.DetectorErrorModel.from_file(str(path)), None
    except (ValueError, OSError, IndexError) as reason:
        raise SyndromeError(
            f"{path}: cannot be read as a detector error model: {str(reason).strip()}"
        ) from reason


def _open_appended(
    path: str | Path, fmt: str, num_detectors: int, num_observables: int
) -> tuple[BitFile, bool]:
    """Open a file of detectors that may have observables appended; also tell whether it has."""
    bare = None
    with contextlib.suppress(SyndromeError):
        bare = open_bits(path, fmt, num_detectors=num_detectors)
    try:
        full = open_bits(path, fmt, num_detectors=num_detectors, num_observables=num_observables)
    except SyndromeError:
        if bare is None:
            raise
        return bare, False
    if bare is None or num_observables == 0:
        return full, True
    if fmt == "ptb64":
        raise SyndromeError(
            f"{path}: its size fits shots with and without observables; "
            "write the observables to a file of their own and name it"
        )
    try:
        flips = _any_observable(full, num_detectors, num_observables)
    except SyndromeError:  # line ends or padding out of place: the rows are shorter
        return bare, False
    told = fmt == "01" or (fmt == "b8" and bare.num_rows != full.num_rows)
    return (full, True) if told or flips else (bare, False)


def _any_observable(file: BitFile, num_detectors: int, num_observables: int) -> bool:
    return any(
        _split(file.read(first, 4096), num_detectors, num_observables)[1].any()
        for first in range(0, file.num_rows, 4096)
    )


def _split(
    rows: NDArray[np.uint8], num_detectors: int, num_observables: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Part packed rows of detectors and observables; only the bytes they share are unpacked."""
    whole, used = divmod(num_detectors, 8)
    tail = np.unpackbits(rows[:, whole:], axis=1, bitorder="little")
    observables = np.packbits(tail[:, used : used + num_observables], axis=1, bitorder="little")
    detectors = rows[:, : packed_bytes(num_detectors)].copy()
    if used:
        detectors[:, -1] &= (1 << used) - 1
    return detectors, observables
