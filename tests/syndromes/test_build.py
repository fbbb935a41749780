from pathlib import Path

import numpy as np
import pytest

from emulator.errors import SyndromeError
from emulator.scenario.codes import CircuitCode, CudaqCode, GeneratedCode, Noise, SampleCode, Task
from emulator.syndromes.build import build_source
from emulator.syndromes.circuits import generated_source
from emulator.syndromes.cudaq_folder import ising_detector_rounds, write_cudaq_folder
from emulator.syndromes.source import CodeInfo, bits_per_round

NOISE = Noise(model="depolarizing", p=0.01)


@pytest.mark.parametrize(
    ("task", "basis"),
    [
        ("surface_code:rotated_memory_x", "X"),
        ("surface_code:rotated_memory_z", "Z"),
        ("repetition_code:memory", "Z"),
        ("color_code:memory_xyz", None),
        ("ising:memory_x", "X"),
        ("ising:memory_z", "Z"),
    ],
)
def test_generated_codes(task: Task, basis: str | None) -> None:
    source = build_source(GeneratedCode(task=task, distance=3, rounds=4), NOISE)
    assert source.metadata == CodeInfo(task, 3, basis, 0.01)
    assert source.num_rounds == len(bits_per_round(source)) == 4
    assert source.circuit is not None
    assert source.dem.num_errors > 0


def test_ising_codes_are_in_ising_order() -> None:
    code = GeneratedCode(task="ising:memory_z", distance=3, rounds=4, orientation="ZH")
    source = build_source(code, NOISE)
    assert np.array_equal(source.detector_round, ising_detector_rounds(3, 4))
    assert "ZH" in source.name


def test_noise_of_generated_codes() -> None:
    code = GeneratedCode(task="surface_code:rotated_memory_x", distance=3, rounds=2)
    assert build_source(code, Noise(model="none")).dem.num_errors == 0
    assert build_source(code).dem.num_errors == 0
    si1000 = build_source(code, Noise(model="si1000", p=0.01))
    assert si1000.dem != build_source(code, NOISE).dem
    ising = GeneratedCode(task="ising:memory_x", distance=3, rounds=2)
    with pytest.raises(SyndromeError, match="noise of its own"):
        build_source(ising, Noise(model="si1000", p=0.01))


def test_noise_without_its_strength() -> None:
    code = GeneratedCode(task="repetition_code:memory", distance=3, rounds=2)
    noise = Noise.model_construct(model="si1000", p=None)
    with pytest.raises(SyndromeError, match="needs its strength"):
        build_source(code, noise)


def test_files(tmp_path: Path) -> None:
    origin = generated_source(
        "surface_code:rotated_memory_x", distance=3, rounds=3, noise="depolarizing", p=0.01
    )
    circuit, folder, shots = tmp_path / "c.stim", tmp_path / "data", tmp_path / "shots.dets"
    origin.circuit.to_file(circuit)
    write_cudaq_folder(folder, origin, 5, 0)
    shots.write_text("shot D3 L0\nshot\n")
    opened = [
        build_source(CircuitCode(source="circuit", circuit=circuit, rounds=3)),
        build_source(SampleCode(source="samples", detections=shots, format="dets", model=circuit)),
        build_source(CudaqCode(source="cudaq", folder=folder)),
    ]
    assert [source.num_shots for source in opened] == [None, 2, 5]
    assert [source.num_rounds for source in opened] == [3, 4, 3]
    assert {source.num_detectors for source in opened} == {24}
