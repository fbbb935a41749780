"""Recorded detection events: a sample file beside the circuit or error model it belongs to."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import disguise
from emulator.syndromes.circuits import error_model, read_circuit
from emulator.syndromes.coordinates import detector_coordinates
from emulator.syndromes.expected_rates import MAX_FALSE_ALARM, ExpectedRates
from emulator.syndromes.rounds import RoundRule, find_rounds
from emulator.syndromes.shot_files import (
    Place,
    ShotFile,
    open_apart,
    open_joined,
    open_measurements,
    open_reversed,
)
from emulator.syndromes.source import Chunk, CodeInfo, chunk_starts

__all__ = ["SampleSource", "source_from_samples"]


@dataclass(frozen=True, eq=False)
class SampleSource:
    """Shots of a sample file, in the order of the file (fields as in SyndromeSource).

    Where the observables were not recorded, ``num_observables`` is 0 although ``dem`` has some,
    and chunks have observables of shape (n, 0): logical errors cannot be counted.
    """

    name: str
    dem: stim.DetectorErrorModel
    circuit: stim.Circuit | None
    detector_round: NDArray[np.int32]
    num_rounds: int
    metadata: CodeInfo
    shot_file: ShotFile

    @property
    def num_detectors(self) -> int:
        """Detectors a shot, D."""
        return int(self.dem.num_detectors)

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """Detector coordinates, read anew at each call (see SyndromeSource)."""
        return detector_coordinates(self.dem)

    @property
    def num_observables(self) -> int:
        """Observables that were recorded."""
        return self.shot_file.num_observables

    @property
    def num_shots(self) -> int:
        """Shots in the file."""
        return self.shot_file.num_shots

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
            yield Chunk(first, *self.shot_file.read(first, count))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """What is known of the files of a source before they are opened."""

    shots: Path
    fmt: str
    observables: Path | None
    observables_fmt: str
    place: Place | None
    sweep: Path | None
    sweep_fmt: str
    circuit: stim.Circuit | None
    dem: stim.DetectorErrorModel

    def joined(self, place: Place | None) -> ShotFile:
        detectors, observables = self.dem.num_detectors, self.dem.num_observables
        return open_joined(
            self.shots, self.fmt, detectors=detectors, observables=observables, place=place
        )

    def apart(self, observables: Path) -> ShotFile:
        return open_apart(
            self.shots,
            self.fmt,
            observables,
            self.observables_fmt,
            detectors=self.dem.num_detectors,
            observables=self.dem.num_observables,
        )

    def measured(self) -> ShotFile:
        if self.circuit is None:
            raise SyndromeError(
                f"{self.shots}: only a circuit turns measurements into detection events; name "
                "it with code.circuit, or give a .stim file as code.model"
            )
        return open_measurements(
            self.shots, self.fmt, self.circuit, sweep=self.sweep, sweep_fmt=self.sweep_fmt
        )


def source_from_samples(
    detections: str | Path,
    *,
    fmt: str,
    model: str | Path,
    observables: str | Path | None = None,
    observables_fmt: str | None = None,
    observables_at: Place | None = None,
    samples_hold: Literal["detections", "measurements"] = "detections",
    circuit: str | Path | None = None,
    sweep: str | Path | None = None,
    sweep_fmt: str | None = None,
    rounds: RoundRule = None,
    time_coordinate: int | None = None,
    accept_mismatch: bool = False,
) -> SampleSource:
    """Source of a sample file in any format that Stim reads, beside its ``.stim`` or ``.dem``.

    Observables stand in a file of their own (``observables_fmt``, by default ``fmt``), or in
    every shot of ``detections`` where ``observables_at`` says (see `open_joined`), or nowhere.
    ``samples_hold="measurements"`` converts them by ``circuit``, by default the model's, and a
    file of ``sweep`` bits. Rounds are those of `find_rounds`. Raises SyndromeError where a file
    cannot be read, is truncated or disagrees with the model; so does a file whose shots cannot
    come from the model (see `ExpectedRates`), unless ``accept_mismatch``.
    """
    dem, own_circuit = _read_model(Path(model))
    found = find_rounds(
        dem if own_circuit is None else own_circuit,
        str(model),
        rounds=rounds,
        time_coordinate=time_coordinate,
    )
    files = _Files(
        shots=Path(detections),
        fmt=fmt,
        observables=None if observables is None else Path(observables),
        observables_fmt=observables_fmt or fmt,
        place=observables_at,
        sweep=None if sweep is None else Path(sweep),
        sweep_fmt=sweep_fmt or fmt,
        circuit=own_circuit if circuit is None else _converting(Path(circuit), dem),
        dem=dem,
    )
    shot_file = _open(files, samples_hold)
    if not accept_mismatch:
        _check_rates(files, shot_file, str(model))
    return SampleSource(
        name=str(detections),
        dem=dem,
        circuit=own_circuit,
        detector_round=found.detector_round,
        num_rounds=found.num_rounds,
        metadata=CodeInfo(),
        shot_file=shot_file,
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


def _converting(path: Path, dem: stim.DetectorErrorModel) -> stim.Circuit:
    circuit = read_circuit(path)
    sizes = circuit.num_detectors, circuit.num_observables
    if sizes != (dem.num_detectors, dem.num_observables):
        raise SyndromeError(
            f"{path}: expected {dem.num_detectors} detectors and {dem.num_observables} "
            f"observables, as in the model, but found {sizes[0]} and {sizes[1]}; give the circuit "
            "that the model was made of"
        )
    return circuit


def _open(files: _Files, samples_hold: str) -> ShotFile:
    """Open the shots as they are said to be; where they do not fit, say how they would."""
    if samples_hold == "measurements":
        return files.measured()
    try:
        if files.observables is not None:
            return files.apart(files.observables)
        return files.joined(files.place)
    except SyndromeError as error:
        if files.circuit is None or files.circuit.num_measurements == files.dem.num_detectors:
            raise
        try:
            files.measured()
        except SyndromeError:
            raise error from None
        raise SyndromeError(
            f"{error}; {files.circuit.num_measurements} measurements a shot would fit: write "
            'code.samples_hold = "measurements" if it holds them'
        ) from error


def _check_rates(files: _Files, shot_file: ShotFile, model: str) -> None:
    """Refuse shots that contradict the model; name the layout in which they would agree."""
    rates = ExpectedRates.of(files.dem)
    try:
        found = rates.contradiction(shot_file)
    except SyndromeError as error:  # a bit that no shot has
        fix = _agreeing(files, rates)
        raise (SyndromeError(f"{error}; {fix}") if fix else error) from None
    if found is None:
        return
    fix = disguise(files.shots).removeprefix(", and ") or _agreeing(files, rates)
    fix = fix or (
        "give the file and the model of one run, or say what a shot holds with code.samples_hold "
        "or code.observables_at"
    )
    raise SyndromeError(
        f"{files.shots}: these shots contradict {model}, as shots of the model do with a "
        f"probability below {MAX_FALSE_ALARM:g}: {found}; {fix}, or code.mismatch = "
        '"accept" to decode them all the same'
    )


def _agreeing(files: _Files, rates: ExpectedRates) -> str:
    """Say how the shots would agree with the model; empty where no other layout does."""
    for advice, opened in _other_layouts(files):
        with suppress(SyndromeError):
            if rates.contradiction(opened()) is None:
                return f"the shots agree with the model {advice}"
    return ""


def _other_layouts(files: _Files) -> Iterator[tuple[str, Callable[[], ShotFile]]]:
    """What else the shots may hold: how to say so, and how to open them."""
    yield 'if they are measurements: write code.samples_hold = "measurements"', files.measured
    places: tuple[Place, ...] = ("start", "end", "none")
    for place in places:
        text = f'with other observables: write code.observables_at = "{place}"'
        yield text, partial(files.joined, place)
    if files.fmt == "b8":
        text = 'with the bits of each byte turned round: pack them with bitorder="little"'
        yield text, partial(open_reversed, files.shots, files.dem.num_detectors)
