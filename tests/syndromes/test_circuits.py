import tracemalloc
from pathlib import Path

import numpy as np
import pymatching
import pytest
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.circuits import (
    CircuitSource,
    circuit_source,
    generated_source,
    source_from_circuit,
)
from emulator.syndromes.source import Chunk, CodeInfo, SyndromeSource


def rotated(
    distance: int = 3, rounds: int = 3, noise: str = "depolarizing", p: float = 0.01
) -> CircuitSource:
    return generated_source(
        "surface_code:rotated_memory_x", distance=distance, rounds=rounds, noise=noise, p=p
    )


def gather(source: SyndromeSource, shots: int, seed: int, chunk_shots: int) -> list[Chunk]:
    return list(source.chunks(shots, seed=seed, chunk_shots=chunk_shots))


def joined(chunks: list[Chunk]) -> NDArray[np.uint8]:
    return np.hstack(
        [
            np.concatenate([chunk.detectors for chunk in chunks]),
            np.concatenate([chunk.observables for chunk in chunks]),
        ]
    )


@pytest.mark.parametrize("chunk_shots", [1, 100, 256, 300, 5000])
def test_a_shot_depends_on_seed_and_number_only(chunk_shots: int) -> None:
    source = rotated()
    chunks = gather(source, 1000, 7, chunk_shots)
    assert [chunk.first_shot for chunk in chunks] == list(range(0, 1000, chunk_shots))
    assert {len(chunk.detectors) for chunk in chunks[:-1]} <= {chunk_shots}
    reference = joined(gather(source, 1700, 7, 1700))
    assert np.array_equal(joined(chunks), reference[:1000])
    assert not np.array_equal(joined(gather(source, 1000, 8, chunk_shots)), reference[:1000])


def test_packing_is_least_significant_bit_first_in_detector_order() -> None:
    flips = "".join(f"X_ERROR({k in (0, 3, 9)}) {k}\n".replace("True", "1") for k in range(11))
    circuit = stim.Circuit(
        f"R {' '.join(map(str, range(11)))}\n{flips.replace('False', '0')}"
        f"M {' '.join(map(str, range(11)))}\n"
        + "".join(f"DETECTOR({k}) rec[{k - 11}]\n" for k in range(11))
        + "OBSERVABLE_INCLUDE(1) rec[-2]\n"
    )
    (chunk,) = gather(circuit_source(circuit, name="fixed"), 3, 0, 10)
    assert chunk.detectors.tolist() == [[0b00001001, 0b00000010]] * 3
    assert chunk.observables.tolist() == [[0b10]] * 3


def test_a_million_shots_never_stand_in_memory() -> None:
    source = rotated(5, 5, p=0.003)
    dense = 100_000 * source.num_detectors
    tracemalloc.start()
    seen = 0
    for chunk in source.chunks(100_000, seed=1):
        assert len(chunk.detectors) <= 1024
        seen += len(chunk.detectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 100_000
    assert peak < dense / 10
    assert peak < 2_000_000


@pytest.mark.parametrize("noise", ["depolarizing", "si1000"])
def test_larger_distance_means_fewer_logical_errors(noise: str) -> None:
    """Below threshold, with enough shots for several standard deviations between the two."""
    failures = []
    for distance in (3, 5):
        source = rotated(distance, 10, noise, 0.003)
        matching = pymatching.Matching.from_detector_error_model(source.dem)
        count = 0
        for chunk in source.chunks(8192, seed=3):
            predicted = matching.decode_batch(
                chunk.detectors, bit_packed_shots=True, bit_packed_predictions=True
            )
            count += int((predicted != chunk.observables).sum())
        failures.append(count)
    assert failures[0] > failures[1] + 5 * (failures[0] + failures[1]) ** 0.5 / 2
    assert failures[1] > 0


def test_noiseless_codes_have_no_events() -> None:
    source = rotated(noise="none", p=0.0)
    assert not joined(gather(source, 10, 0, 10)).any()
    assert source.dem.num_errors == 0


def test_what_a_generated_source_knows() -> None:
    source = rotated(5, 7, "si1000", 0.002)
    assert source.metadata == CodeInfo("surface_code:rotated_memory_x", 5, "X", 0.002)
    assert source.num_shots is None
    assert source.num_observables == 1
    assert source.num_detectors == source.dem.num_detectors == 7 * 24
    assert source.coordinates.shape == (7 * 24, 3)
    parts = [
        part for e in source.dem.flattened() if e.type == "error" for part in e.target_groups()
    ]
    assert all(sum(target.is_relative_detector_id() for target in part) <= 2 for part in parts)
    colour = generated_source(
        "color_code:memory_xyz", distance=3, rounds=3, noise="si1000", p=0.002
    )
    assert colour.metadata.basis is None
    assert "^" not in str(colour.dem)


@pytest.mark.parametrize(
    ("task", "distance", "noise", "p", "message"),
    [
        ("surface_code:rotated_memory_x", 3, "pink", 0.1, '"pink" is unknown'),
        ("surface_code:rotated_memory_y", 3, "depolarizing", 0.1, "cannot generate"),
        ("surface_code:rotated_memory_x", 1, "depolarizing", 0.1, "cannot generate"),
        ("surface_code:rotated_memory_x", 3, "depolarizing", 1.5, "cannot generate"),
        ("surface_code:rotated_memory_x", 3, "depolarizing", 0.9, "no detector error model"),
    ],
)
def test_codes_that_cannot_be_generated(
    task: str, distance: int, noise: str, p: float, message: str
) -> None:
    with pytest.raises(SyndromeError, match=message):
        generated_source(task, distance=distance, rounds=3, noise=noise, p=p)


def test_a_circuit_file_is_the_generated_source_again(tmp_path: Path) -> None:
    source = rotated()
    path = tmp_path / "d=3.stim"
    source.circuit.to_file(path)
    again = source_from_circuit(path, rounds=3)
    assert np.array_equal(again.detector_round, source.detector_round)
    assert np.array_equal(joined(gather(again, 50, 1, 50)), joined(gather(source, 50, 1, 50)))
    assert str(path) == again.name
    assert source_from_circuit(path).num_rounds == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M 0\nDETECTOR rec[-1]", "have no coordinates"),
        ("M 0", "declares no detectors"),
        ("NOT_A_GATE 0", "cannot be read as a Stim circuit"),
        ("RX 0\nM 0\nDETECTOR(0) rec[-1]", "no detector error model"),
    ],
)
def test_circuit_files_that_do_not_work(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.stim"
    path.write_text(text)
    with pytest.raises(SyndromeError, match=message) as error:
        source_from_circuit(path)
    assert str(path) in str(error.value)


def test_missing_circuit_file(tmp_path: Path) -> None:
    with pytest.raises(SyndromeError, match="cannot be read"):
        source_from_circuit(tmp_path / "none.stim")


def test_errors_that_do_not_split_stay_whole() -> None:
    circuit = stim.Circuit(
        "X_ERROR(0.1) 0\nM 0\n" + "".join(f"DETECTOR({k}, 0) rec[-1]\n" for k in range(3))
    )
    with pytest.raises(ValueError, match="decompose"):
        circuit.detector_error_model(decompose_errors=True)
    assert circuit_source(circuit, name="three").dem[0] == stim.DemInstruction(
        "error", [0.1], [stim.target_relative_detector_id(k) for k in range(3)]
    )
