from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import FORMATS
from emulator.syndromes.shot_files import (
    Place,
    ShotFile,
    open_apart,
    open_joined,
    open_measurements,
    open_reversed,
)

SHOTS, DETECTORS, OBSERVABLES = 128, 21, 3


@pytest.fixture(scope="module")
def events() -> NDArray[np.bool_]:
    return np.random.default_rng(0).random((SHOTS, DETECTORS)) < 0.3


@pytest.fixture(scope="module")
def flips() -> NDArray[np.bool_]:
    return np.random.default_rng(1).random((SHOTS, OBSERVABLES)) < 0.3


def write(path: Path, fmt: str, data: NDArray[np.bool_], **counts: int) -> Path:
    stim.write_shot_data_file(data=data, path=str(path), format=fmt, **counts)
    return path


def unpacked(file: ShotFile, first: int = 0, count: int = SHOTS) -> tuple[list[Any], list[Any]]:
    rows = file.read(first, count)
    counts = DETECTORS, file.num_observables
    detectors, observables = (
        np.unpackbits(packed, axis=1, count=bits, bitorder="little").tolist()
        for packed, bits in zip(rows, counts, strict=True)
    )
    return detectors, observables


def opened(path: Path, fmt: str, place: Place | None) -> ShotFile:
    return open_joined(path, fmt, detectors=DETECTORS, observables=OBSERVABLES, place=place)


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_layout_in_every_format(
    tmp_path: Path, fmt: str, events: NDArray[np.bool_], flips: NDArray[np.bool_]
) -> None:
    expected = events.astype(int).tolist(), flips.astype(int).tolist()
    numbers = {"num_detectors": DETECTORS, "num_observables": OBSERVABLES}
    behind = write(tmp_path / "behind", fmt, np.hstack([events, flips]), **numbers)
    assert unpacked(opened(behind, fmt, "end")) == expected
    assert unpacked(opened(behind, fmt, None)) == expected
    if fmt == "dets":  # whose letters tell the place of each
        assert unpacked(opened(behind, fmt, "start")) == expected
    else:
        both = np.hstack([flips, events])
        front = write(tmp_path / "front", fmt, both, num_measurements=DETECTORS + OBSERVABLES)
        assert unpacked(opened(front, fmt, "start")) == expected
        assert unpacked(opened(front, fmt, "start"), 70, 5) == tuple(e[70:75] for e in expected)
    alone = write(tmp_path / "alone", fmt, events, num_detectors=DETECTORS)
    assert unpacked(opened(alone, fmt, "none")) == (expected[0], [[] for _ in range(SHOTS)])
    own = write(tmp_path / "own", "01", flips, num_observables=OBSERVABLES)
    apart = open_apart(alone, fmt, own, "01", detectors=DETECTORS, observables=OBSERVABLES)
    assert unpacked(apart) == expected


@pytest.mark.parametrize("fmt", FORMATS)
def test_measurements_are_converted_as_stim_does(tmp_path: Path, fmt: str) -> None:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=3, rounds=3, before_measure_flip_probability=0.1
    )
    measured = circuit.compile_sampler(seed=1).sample(SHOTS)
    path = write(tmp_path / "shots", fmt, measured, num_measurements=circuit.num_measurements)
    file = open_measurements(path, fmt, circuit)
    expected = circuit.compile_m2d_converter().convert(
        measurements=measured, separate_observables=True
    )
    rows = file.read(64, 60)
    for packed, bits in zip(rows, expected, strict=True):
        assert np.array_equal(packed, np.packbits(bits[64:124], axis=1, bitorder="little"))
    assert (file.num_shots, file.num_observables) == (SHOTS, 1)


def test_sweep_bits_control_the_circuit(tmp_path: Path) -> None:
    circuit = stim.Circuit("CX sweep[0] 0 sweep[1] 1\nM 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]")
    sweep = np.array([[0, 1], [1, 1], [1, 0]], dtype=bool)
    path = write(tmp_path / "shots.b8", "b8", sweep, num_measurements=2)
    bits = write(tmp_path / "sweep.01", "01", sweep, num_measurements=2)
    file = open_measurements(path, "b8", circuit, sweep=bits, sweep_fmt="01")
    assert not file.read(0, 3)[0].any()
    with pytest.raises(SyndromeError, match=r"2 sweep bits; name their file with code\.sweep"):
        open_measurements(path, "b8", circuit)
    with pytest.raises(SyndromeError, match="has no sweep bits"):
        open_measurements(path, "b8", stim.Circuit("M 0 1"), sweep=bits)
    short = write(tmp_path / "short.01", "01", sweep[:2], num_measurements=2)
    with pytest.raises(SyndromeError, match=r"short\.01: expected 3 shots, as in .*found 2"):
        open_measurements(path, "b8", circuit, sweep=short, sweep_fmt="01")


def test_bits_packed_the_other_way_round(tmp_path: Path, events: NDArray[np.bool_]) -> None:
    path = tmp_path / "shots.b8"
    np.packbits(events, axis=1, bitorder="big").tofile(path)
    assert unpacked(open_reversed(path, DETECTORS))[0] == events.astype(int).tolist()
