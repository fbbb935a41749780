import numpy as np
import pytest
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.circuits import circuit_source, generated_source, raw_bits_per_round
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.source import bits_per_round, chunk_starts, packed_bytes


@pytest.mark.parametrize("distance", [3, 5, 7])
@pytest.mark.parametrize("rounds", [2, 3, 10])
@pytest.mark.parametrize("basis", ["x", "z"])
def test_rotated_memory_bits_per_round(distance: int, rounds: int, basis: str) -> None:
    source = generated_source(
        f"surface_code:rotated_memory_{basis}",
        distance=distance,
        rounds=rounds,
        noise="depolarizing",
        p=0.001,
    )
    checks = distance**2 - 1
    bulk = [checks] * (rounds - 2)
    assert bits_per_round(source).tolist() == [checks // 2, *bulk, 3 * checks // 2]
    assert raw_bits_per_round(source).tolist() == [checks, *bulk, 2 * distance**2 - 1]


def test_one_round_carries_everything() -> None:
    source = generated_source(
        "surface_code:rotated_memory_z", distance=3, rounds=1, noise="si1000", p=0.001
    )
    assert bits_per_round(source).tolist() == [8]
    assert raw_bits_per_round(source).tolist() == [17]


def test_repetition_code_bits_per_round() -> None:
    source = generated_source(
        "repetition_code:memory", distance=5, rounds=4, noise="depolarizing", p=0.001
    )
    assert bits_per_round(source).tolist() == [4, 4, 4, 8]
    assert raw_bits_per_round(source).tolist() == [4, 4, 4, 9]


def test_colour_code_needs_two_rounds_for_its_first_detectors() -> None:
    source = generated_source(
        "color_code:memory_xyz", distance=3, rounds=4, noise="depolarizing", p=0.001
    )
    assert bits_per_round(source).tolist() == [0, 3, 3, 6]
    assert raw_bits_per_round(source).tolist() == [3, 3, 3, 10]


def test_ising_circuit_bits_per_round() -> None:
    circuit = memory_circuit(distance=3, rounds=4, basis="X", p=0.01)
    source = circuit_source(circuit, name="ising", rounds=4)
    assert bits_per_round(source).tolist() == [4, 8, 8, 12]
    assert raw_bits_per_round(source).tolist() == [8, 8, 8, 17]


RAGGED = stim.Circuit("""
    M 0 1 2
    DETECTOR(0) rec[-1]
    REPEAT 3 {
        M 3
        SHIFT_COORDS(1)
        REPEAT 2 {
            M 0 1
            DETECTOR(0) rec[-1]
            M 2
        }
        REPEAT 4 {
            M 4
        }
    }
    M 0 1
    DETECTOR(7) rec[-1]
    M 1
""")


def test_raw_bits_of_repeated_rounds() -> None:
    """Measurements belong to the round of the next detector, whatever repeats around them."""
    found = raw_bits_per_round(circuit_source(RAGGED, name="ragged", rounds=5, time_coordinate=0))
    assert found.tolist() == [3, (1 + 2) + (1 + 2), (1 + 4 + 1 + 2) + 3, 8 + 3, 1 + 4 + 2 + 1]
    marked = "".join(f"{line}\n" for line in str(RAGGED).splitlines())
    ticked = stim.Circuit(
        marked.replace("SHIFT", "TICK\nSHIFT").replace("DETECTOR(7)", "TICK\nDETECTOR(7)")
    )
    source = circuit_source(ticked, name="ragged", rounds=5, time_coordinate=0)
    assert raw_bits_per_round(source).tolist() == [4, 11, 11, 12, 1]


def test_bits_per_round_counts_every_detector_once() -> None:
    circuit = stim.Circuit("M 0 1 2\nDETECTOR(7) rec[-1]\nDETECTOR(3) rec[-2]\nDETECTOR(7) rec[-3]")
    source = circuit_source(circuit, name="odd order", time_coordinate=0)
    assert source.detector_round.tolist() == [1, 0, 1]
    assert bits_per_round(source).tolist() == [1, 2]
    assert bits_per_round(source).dtype == np.int64


def test_packed_bytes() -> None:
    assert [packed_bytes(bits) for bits in (0, 1, 8, 9)] == [0, 1, 1, 2]


def test_chunks_are_positive() -> None:
    source = generated_source("repetition_code:memory", distance=3, rounds=2, noise="none", p=0.0)
    assert list(chunk_starts(source, 5, 2)) == [0, 2, 4]
    for shots, chunk_shots in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(SyndromeError, match="must be >= 1"):
            chunk_starts(source, shots, chunk_shots)
