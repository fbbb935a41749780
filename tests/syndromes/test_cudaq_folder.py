from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymatching
import pytest
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.circuits import CircuitSource, circuit_source, generated_source
from emulator.syndromes.cudaq_folder import (
    ising_detector_rounds,
    read_cudaq_folder,
    write_cudaq_folder,
)
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.samples import source_from_samples
from emulator.syndromes.source import CodeInfo, SyndromeSource

SHOTS = 1500
FILES = ["H_csr.bin", "O_csr.bin", "detectors.bin", "metadata.txt", "observables.bin", "priors.bin"]


def ising() -> CircuitSource:
    circuit = memory_circuit(distance=3, rounds=5, basis="X", p=0.02)
    info = CodeInfo("ising:memory_x", 3, "X", 0.02)
    return circuit_source(circuit, name="ising", rounds=5, metadata=info)


def rotated() -> CircuitSource:
    return generated_source(
        "surface_code:rotated_memory_z", distance=3, rounds=5, noise="si1000", p=0.01
    )


def colour() -> CircuitSource:
    return generated_source(
        "color_code:memory_xyz", distance=3, rounds=4, noise="depolarizing", p=0.01
    )


def packed(source: SyndromeSource, shots: int = SHOTS) -> NDArray[np.uint8]:
    return np.concatenate(
        [np.hstack([c.detectors, c.observables]) for c in source.chunks(shots, seed=11)]
    )


@pytest.mark.parametrize("make", [ising, rotated, colour])
def test_a_written_folder_is_the_source_again(
    tmp_path: Path, make: Callable[[], CircuitSource]
) -> None:
    source = make()
    write_cudaq_folder(tmp_path / "data", source, SHOTS, 11)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    again = read_cudaq_folder(tmp_path / "data")
    assert np.array_equal(packed(again), packed(source))
    assert again.num_shots == SHOTS
    assert (again.num_detectors, again.num_observables) == (source.num_detectors, 1)
    assert again.num_rounds == source.num_rounds
    assert np.array_equal(again.detector_round, source.detector_round)
    assert again.metadata == source.metadata


@pytest.mark.parametrize("make", [ising, rotated])
def test_matching_on_the_folder_predicts_as_on_the_source(
    tmp_path: Path, make: Callable[[], CircuitSource]
) -> None:
    source = make()
    write_cudaq_folder(tmp_path / "data", source, SHOTS, 11)
    again = read_cudaq_folder(tmp_path / "data")
    width = -(-source.num_detectors // 8)
    shots = packed(source)[:, :width]
    predictions = [
        pymatching.Matching.from_detector_error_model(dem).decode_batch(
            shots, bit_packed_shots=True
        )
        for dem in (source.dem, again.dem)
    ]
    assert predictions[0].any()
    assert np.array_equal(*predictions)


def test_parallel_edges_become_one_column_of_odd_parity(tmp_path: Path) -> None:
    (tmp_path / "model.dem").write_text("""
        error(0.1) D0 D1 ^ D1 L0
        error(0.2) D1 D0
        error(0.25) D0 D1 L0
        detector(0) D0
        detector(0) D1
    """)
    (tmp_path / "shots.dets").write_text("shot D0 L0\nshot D1\n")
    source = source_from_samples(tmp_path / "shots.dets", fmt="dets", model=tmp_path / "model.dem")
    write_cudaq_folder(tmp_path / "data", source, 2, 0)
    errors = [e for e in read_cudaq_folder(tmp_path / "data").dem if e.type == "error"]
    assert [str(e).split(" ", 1)[1] for e in errors] == ["D0 D1", "D1 L0", "D0 D1 L0"]
    assert [e.args_copy()[0] for e in errors] == pytest.approx(
        [0.1 * 0.8 + 0.9 * 0.2, 0.1, 0.25], abs=1e-15
    )


@pytest.mark.slow
def test_sizes_of_the_published_example(tmp_path: Path) -> None:
    """Distance 13, 104 rounds, X, p = 0.003, simple noise, as in the README of Ising-Decoding."""
    circuit = memory_circuit(distance=13, rounds=104, basis="X", p=0.003, readout_noise=False)
    write_cudaq_folder(tmp_path / "data", circuit_source(circuit, name="d13", rounds=104), 2, 0)
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "data").iterdir()}
    assert sizes["H_csr.bin"] == 808_944
    assert sizes["O_csr.bin"] == 2_932
    assert sizes["priors.bin"] == 750_916


def test_ising_order_by_groups() -> None:
    """Half-size groups of distance 3: round 0, X and Z of rounds 1 and 2, boundary."""
    expected = [0] * 4 + [1] * 8 + [2] * 8 + [2] * 4
    assert ising_detector_rounds(3, 3).tolist() == expected
    assert np.array_equal(ising_detector_rounds(3, 5), ising().detector_round)


def test_metadata_of_the_original_is_enough(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_cudaq_folder(folder, ising(), 10, 0)
    assert "detector_rounds" not in (folder / "metadata.txt").read_text()
    (folder / "metadata.txt").write_text(
        "distance=3\nn_rounds=5\nbasis=Z\ncode_rotation=XV\np_error=0.003\nH_shape=(40, 1)\n"
    )
    source = read_cudaq_folder(folder)
    assert source.metadata == CodeInfo("ising:memory_z", 3, "Z", 0.003)
    assert source.num_rounds == 5


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("distance=3\n", "how many rounds"),
        ("n_rounds=5\n", "distance of the code"),
        ("distance=3\nn_rounds=many\n", '"many" is no count'),
        ("distance=3\nn_rounds=4\n", "expected 40 detectors.*found 32"),
        ("distance=3\nn_rounds=5\np_error=high\n", '"high" is no number'),
        ("n_rounds=5\ndetector_rounds=0x4 1\n", "is no list of runs"),
        ("n_rounds=5\ndetector_rounds=\n", "is no list of runs"),
        ("n_rounds=5\ndetector_rounds=5x40\n", "beyond n_rounds=5"),
        ("n_rounds=5\ndetector_rounds=0x4 4x-1\n", "is no list of runs"),
    ],
)
def test_metadata_that_do_not_fit(tmp_path: Path, metadata: str, message: str) -> None:
    folder = tmp_path / "data"
    write_cudaq_folder(folder, ising(), 10, 0)
    (folder / "metadata.txt").write_text(metadata)
    with pytest.raises(SyndromeError, match=message):
        read_cudaq_folder(folder)


@pytest.mark.parametrize("name", FILES)
def test_folders_without_one_of_their_files(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    write_cudaq_folder(folder, ising(), 10, 0)
    (folder / name).unlink()
    with pytest.raises(SyndromeError, match=name):
        read_cudaq_folder(folder)


@pytest.mark.parametrize("name", [name for name in FILES if name != "metadata.txt"])
def test_files_of_another_run(tmp_path: Path, name: str) -> None:
    write_cudaq_folder(tmp_path / "data", ising(), 10, 0)
    other = memory_circuit(distance=5, rounds=3, basis="X", p=0.02)
    other.append("OBSERVABLE_INCLUDE", [], 1)
    write_cudaq_folder(tmp_path / "other", circuit_source(other, name="other", rounds=3), 11, 0)
    (tmp_path / "other" / name).rename(tmp_path / "data" / name)
    with pytest.raises(SyndromeError, match=r"expected .* but found"):
        read_cudaq_folder(tmp_path / "data")


def test_values_other_than_0_and_1(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_cudaq_folder(folder, ising(), 10, 0)
    content = bytearray((folder / "detectors.bin").read_bytes())
    content[8] = 2
    (folder / "detectors.bin").write_bytes(content)
    with pytest.raises(SyndromeError, match=r"detectors\.bin: expected values 0 and 1"):
        next(read_cudaq_folder(folder).chunks(1, seed=0))


def test_nothing_is_left_of_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    write_cudaq_folder(tmp_path / "data", ising(), 10, 0)
    recorded = read_cudaq_folder(tmp_path / "data")
    with pytest.raises(SyndromeError, match="holds 10"):
        write_cudaq_folder(tmp_path / "more", recorded, 11, 0)
    with pytest.raises(SyndromeError, match="exists already"):
        write_cudaq_folder(tmp_path / "data", recorded, 10, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_unrecorded_observables_are_not_written_as_zeros(tmp_path: Path) -> None:
    (tmp_path / "model.dem").write_text("error(0.1) D0 L0\ndetector(0) D0\n")
    (tmp_path / "shots.dets").write_text("shot D0\n")
    source = source_from_samples(tmp_path / "shots.dets", fmt="dets", model=tmp_path / "model.dem")
    with pytest.raises(SyndromeError, match="not recorded"):
        write_cudaq_folder(tmp_path / "data", source, 1, 0)
