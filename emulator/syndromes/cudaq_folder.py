"""CUDA-Q QEC data folders: detection events and observables beside a check matrix."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.cudaq_files import (
    Csr,
    map_dense,
    read_csr,
    read_metadata,
    read_priors,
    write_csr,
    write_metadata,
    write_priors,
)
from emulator.syndromes.source import Chunk, CodeInfo, SyndromeSource, chunk_starts

__all__ = ["CudaqFolderSource", "ising_detector_rounds", "read_cudaq_folder", "write_cudaq_folder"]

# Beyond the keys of the original: the rounds of detectors that are not in Ising order, run by run.
_ROUNDS_KEY = "detector_rounds"

# What a column of the check matrix flips: detector k as k, observable k as -1 - k, ascending.
Column = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class CudaqFolderSource:
    """Shots of a CUDA-Q QEC data folder, in the order of its files (fields as in SyndromeSource).

    ``detector_table`` and ``observable_table`` are memory-mapped little-endian int32 of shape
    (shots, D) and (shots, O), values 0 and 1. The one coordinate of a detector is its round.
    """

    name: str
    dem: stim.DetectorErrorModel
    coordinates: NDArray[np.float64]
    detector_round: NDArray[np.int32]
    num_rounds: int
    metadata: CodeInfo
    detector_table: NDArray[np.int32]
    observable_table: NDArray[np.int32]
    circuit: None = None

    @property
    def num_detectors(self) -> int:
        """Detectors a shot, D."""
        return int(self.detector_table.shape[1])

    @property
    def num_observables(self) -> int:
        """Logical observables a shot, O."""
        return int(self.observable_table.shape[1])

    @property
    def num_shots(self) -> int:
        """Shots in the folder."""
        return len(self.detector_table)

    def chunks(
        self,
        shots: int,
        *,
        seed: int,  # noqa: ARG002  recorded shots are the same whatever the seed
        chunk_shots: int = 1024,
    ) -> Iterator[Chunk]:
        """Read shots 0 .. ``shots`` - 1 of the folder (see SyndromeSource)."""
        for first in chunk_starts(self, shots, chunk_shots):
            rows = slice(first, min(first + chunk_shots, shots))
            detectors = self._pack(self.detector_table[rows], "detectors.bin")
            observables = self._pack(self.observable_table[rows], "observables.bin")
            yield Chunk(first, detectors, observables)

    def _pack(self, dense: NDArray[np.int32], file: str) -> NDArray[np.uint8]:
        if (dense & ~1).any():
            raise SyndromeError(f"{self.name}/{file}: expected values 0 and 1, found others")
        return np.packbits(dense.astype(np.uint8), axis=1, bitorder="little")


def ising_detector_rounds(distance: int, rounds: int) -> NDArray[np.int32]:
    """Round of each detector in Ising order: int32 of shape (rounds * (distance² - 1),).

    Groups g of (d² - 1) / 2 detectors: g = 0 the memory basis of round 0, then X and Z checks of
    round t in g = 2t - 1 and 2t, last the boundary group of the data readout, which leaves with
    the last round. Source: NVIDIA Ising-Decoding, ``code/qec/surface_code/memory_circuit.py``.
    """
    group_round = np.minimum((np.arange(2 * rounds) + 1) // 2, rounds - 1)
    return np.repeat(group_round, (distance**2 - 1) // 2).astype(np.int32)


def read_cudaq_folder(folder: str | Path) -> CudaqFolderSource:
    """Source of the folder that CUDA-Q QEC's pre-decoder pipeline reads.

    Every column of H, O and the priors becomes one independent error of the model; columns of
    prior 0 are left out. Rounds come from ``metadata.txt``: from ``detector_rounds`` where this
    program wrote it, else from ``distance`` and ``n_rounds`` in Ising order. File formats: NVIDIA
    Ising-Decoding, ``code/export/generate_test_data.py``; all little-endian. Raises SyndromeError
    for a missing file, a size other than its header says, or shapes that disagree.
    """
    folder = Path(folder)
    detector_table = map_dense(folder / "detectors.bin")
    observable_table = map_dense(folder / "observables.bin")
    checks = read_csr(folder / "H_csr.bin")
    logicals = read_csr(folder / "O_csr.bin")
    priors = read_priors(folder / "priors.bin")
    shots, num_detectors = detector_table.shape
    num_observables = observable_table.shape[1]
    _agree(folder / "observables.bin", "rows", shots, len(observable_table), "detectors.bin")
    _agree(folder / "H_csr.bin", "rows", num_detectors, checks.num_rows, "detectors.bin")
    _agree(folder / "O_csr.bin", "rows", num_observables, logicals.num_rows, "observables.bin")
    _agree(folder / "O_csr.bin", "columns", checks.num_columns, logicals.num_columns, "H_csr.bin")
    _agree(folder / "priors.bin", "priors", checks.num_columns, len(priors), "H_csr.bin")
    facts = read_metadata(folder / "metadata.txt")
    detector_round, num_rounds = _rounds(folder / "metadata.txt", facts, num_detectors)
    return CudaqFolderSource(
        name=str(folder),
        dem=_error_model(checks, logicals, priors, detector_round),
        coordinates=detector_round[:, None].astype(np.float64),
        detector_round=detector_round,
        num_rounds=num_rounds,
        metadata=_code_info(folder / "metadata.txt", facts),
        detector_table=detector_table,
        observable_table=observable_table,
    )


def _agree(path: Path, noun: str, expected: int, found: int, other: str) -> None:
    if expected != found:
        raise SyndromeError(
            f"{path}: expected {expected} {noun}, as in {other}, but found {found}; "
            "give files of the same run"
        )


def _rounds(path: Path, facts: dict[str, str], num_detectors: int) -> tuple[NDArray[np.int32], int]:
    """Round of each detector and the number of rounds, as the metadata tell."""
    rounds = _whole(path, facts, "n_rounds")
    if rounds is None:
        raise SyndromeError(f"{path}: does not say how many rounds a shot has; add n_rounds=")
    if _ROUNDS_KEY in facts:
        detector_round = _parse_runs(path, facts[_ROUNDS_KEY], rounds)
        origin = _ROUNDS_KEY
    else:
        distance = _whole(path, facts, "distance")
        if distance is None:
            raise SyndromeError(f"{path}: does not say the distance of the code; add distance=")
        detector_round = ising_detector_rounds(distance, rounds)
        origin = f"Ising order at distance {distance}, {rounds} rounds"
    _agree(path, f"detectors ({origin})", num_detectors, len(detector_round), "detectors.bin")
    return detector_round, rounds


def _parse_runs(path: Path, text: str, rounds: int) -> NDArray[np.int32]:
    try:
        runs = np.array([run.split("x") for run in text.split()], dtype=np.int32)
        detector_round = np.repeat(runs[:, 0], runs[:, 1])
    except (ValueError, IndexError) as reason:
        raise SyndromeError(
            f'{path}: {_ROUNDS_KEY}: "{text}" is no list of runs; write e.g. "0x4 1x8"'
        ) from reason
    if not 0 <= detector_round.min(initial=0) <= detector_round.max(initial=0) < rounds:
        raise SyndromeError(f"{path}: {_ROUNDS_KEY} has rounds beyond n_rounds={rounds}")
    return detector_round


def _whole(path: Path, facts: dict[str, str], key: str) -> int | None:
    value = facts.get(key)
    if value is not None and not (value.isdecimal() and int(value) > 0):
        raise SyndromeError(f'{path}: {key}: "{value}" is no count; write e.g. {key}=7')
    return None if value is None else int(value)


def _code_info(path: Path, facts: dict[str, str]) -> CodeInfo:
    """What the metadata tell about the code; folders of the original hold Ising memories."""
    basis = facts.get("basis")
    task = f"ising:memory_{basis.lower()}" if basis and _ROUNDS_KEY not in facts else None
    try:
        p = float(facts["p_error"]) if "p_error" in facts else None
    except ValueError as reason:
        raise SyndromeError(f'{path}: p_error: "{facts["p_error"]}" is no number') from reason
    return CodeInfo(facts.get("task", task), _whole(path, facts, "distance"), basis, p)


def write_cudaq_folder(path: str | Path, source: SyndromeSource, shots: int, seed: int) -> None:
    """Write ``shots`` shots of a source as a CUDA-Q QEC data folder, all of it or nothing.

    Detectors keep the order of the source; if that is not Ising order, a line ``detector_rounds``
    in ``metadata.txt`` says which rounds they belong to. Columns are the errors of the model's
    decomposition, one for each set of detectors and observables that some part of an error
    flips. Parts with the same set count as independent: their priors combine to the
    probability of an odd number of them. (The original adds them up, which agrees to first
    order.) Raises SyndromeError if ``path`` exists, or if the source has too few shots or no
    recorded observables.
    """
    path = Path(path)
    if source.num_observables != source.dem.num_observables:
        raise SyndromeError(f"{source.name}: its observables were not recorded; give them as well")
    if path.exists():
        raise SyndromeError(f"{path}: exists already; name a new folder")
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    draft.mkdir(parents=True)
    try:
        _write_model(draft, source)
        _write_metadata(draft / "metadata.txt", source, shots)
        _write_shots(draft, source, shots, seed)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft)
        raise


def _error_model(
    checks: Csr, logicals: Csr, priors: NDArray[np.float64], detector_round: NDArray[np.int32]
) -> stim.DetectorErrorModel:
    dem = stim.DetectorErrorModel()
    for detectors, observables, prior in zip(
        checks.columns(), logicals.columns(), priors.tolist(), strict=True
    ):
        targets = [stim.target_relative_detector_id(k) for k in detectors.tolist()]
        targets += [stim.target_logical_observable_id(k) for k in observables.tolist()]
        if prior > 0 and targets:
            dem.append("error", prior, targets)
    for k, t in enumerate(detector_round.tolist()):
        dem.append("detector", [t], [stim.target_relative_detector_id(k)])
    for k in range(logicals.num_rows):
        dem.append("logical_observable", [], [stim.target_logical_observable_id(k)])
    return dem


def _edges(dem: stim.DetectorErrorModel) -> dict[Column, float]:
    """Probability of each distinct part of the model's errors, in order of first appearance."""
    edges: dict[Column, float] = {}
    for error in dem.flattened():
        if error.type != "error":
            continue
        (p,) = error.args_copy()
        for part in error.target_groups():
            flips: set[int] = set()
            for target in part:  # what is flipped twice is not flipped
                flips ^= {target.val if target.is_relative_detector_id() else -1 - target.val}
            column = tuple(sorted(flips))
            q = edges.get(column, 0.0)
            edges[column] = q + p - 2 * p * q
    return edges


def _write_model(folder: Path, source: SyndromeSource) -> None:
    edges = _edges(source.dem)
    detectors = [[k for k in column if k >= 0] for column in edges]
    observables = [[-1 - k for k in column if k < 0] for column in edges]
    write_csr(folder / "H_csr.bin", source.num_detectors, detectors)
    write_csr(folder / "O_csr.bin", source.num_observables, observables)
    write_priors(folder / "priors.bin", list(edges.values()))


def _write_shots(folder: Path, source: SyndromeSource, shots: int, seed: int) -> None:
    widths = source.num_detectors, source.num_observables
    with (
        (folder / "detectors.bin").open("wb") as detectors,
        (folder / "observables.bin").open("wb") as observables,
    ):
        for file, width in zip((detectors, observables), widths, strict=True):
            np.array([shots, width], "<u4").tofile(file)
        for chunk in source.chunks(shots, seed=seed):
            _write_dense(detectors, chunk.detectors, widths[0])
            _write_dense(observables, chunk.observables, widths[1])


def _write_dense(file: BinaryIO, packed: NDArray[np.uint8], width: int) -> None:
    np.unpackbits(packed, axis=1, count=width, bitorder="little").astype("<i4").tofile(file)


def _write_metadata(path: Path, source: SyndromeSource, shots: int) -> None:
    info, rounds = source.metadata, source.num_rounds
    facts: dict[str, object] = {
        "distance": info.distance,
        "n_rounds": rounds,
        "basis": info.basis,
        "p_error": info.p,
        "num_samples": shots,
        "num_detectors": source.num_detectors,
        "num_observables": source.num_observables,
        "task": info.task,
    }
    in_ising_order = info.distance is not None and np.array_equal(
        ising_detector_rounds(info.distance, rounds), source.detector_round
    )
    if not in_ising_order:
        starts = np.flatnonzero(np.diff(source.detector_round, prepend=-1))
        runs = np.diff(np.append(starts, source.num_detectors))
        facts[_ROUNDS_KEY] = " ".join(
            f"{source.detector_round[a]}x{n}" for a, n in zip(starts, runs, strict=True)
        )
    write_metadata(path, facts)
