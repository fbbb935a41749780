import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.bitfile import FORMATS
from emulator.syndromes.circuits import CircuitSource, generated_source
from emulator.syndromes.samples import source_from_samples
from emulator.syndromes.source import SyndromeSource

SHOTS = 192


@pytest.fixture(scope="module")
def origin() -> CircuitSource:
    return generated_source(
        "surface_code:rotated_memory_z", distance=3, rounds=3, noise="depolarizing", p=0.03
    )


@pytest.fixture
def model(tmp_path: Path, origin: CircuitSource) -> Path:
    path = tmp_path / "model.dem"
    origin.dem.to_file(path)
    return path


def packed(source: SyndromeSource, shots: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    chunks = list(source.chunks(shots, seed=5, chunk_shots=50))
    return (
        np.concatenate([chunk.detectors for chunk in chunks]),
        np.concatenate([chunk.observables for chunk in chunks]),
    )


def bits(rows: NDArray[np.uint8], count: int) -> NDArray[np.bool_]:
    return np.unpackbits(rows, axis=1, count=count, bitorder="little").astype(bool)


def write(path: Path, fmt: str, data: NDArray[np.bool_], detectors: int, observables: int) -> Path:
    stim.write_shot_data_file(
        data=data,
        path=str(path),
        format=fmt,
        num_detectors=detectors,
        num_observables=observables,
    )
    return path


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("kind", ["appended", "separate", "absent"])
def test_every_format_returns_the_shots(
    tmp_path: Path, origin: CircuitSource, model: Path, fmt: str, kind: str
) -> None:
    detectors, observables = packed(origin, SHOTS)
    assert observables.any()
    events, flips = bits(detectors, 24), bits(observables, 1)
    appended = kind == "appended"
    data = np.hstack([events, flips]) if appended else events
    path = write(tmp_path / "shots", fmt, data, 24, int(appended))
    flip_path = write(tmp_path / "flips", "01", flips, 0, 1) if kind == "separate" else None
    source = source_from_samples(
        path, fmt=fmt, model=model, observables=flip_path, observables_fmt="01", rounds=3
    )
    found = packed(source, SHOTS)
    assert source.num_shots == SHOTS
    assert source.num_detectors == 24
    assert np.array_equal(found[0], detectors)
    if kind == "absent":
        assert source.num_observables == 0
        assert found[1].shape == (SHOTS, 0)
    else:
        assert source.num_observables == 1
        assert np.array_equal(found[1], observables)
    assert np.array_equal(source.detector_round, origin.detector_round)
    assert np.array_equal(source.coordinates, origin.coordinates)


def test_room_in_the_last_byte_counts_as_observables_only_if_used(tmp_path: Path) -> None:
    model = tmp_path / "model.dem"
    model.write_text("error(0.1) D0 L0\ndetector(0) D0\n")
    path = tmp_path / "shots.b8"
    for content, observables in ((b"\x01\x00", 0), (b"\x01\x02", 1)):
        path.write_bytes(content)
        source = source_from_samples(path, fmt="b8", model=model)
        assert source.num_observables == observables
        assert packed(source, 2)[0].tolist() == [[1], [0]]


def test_size_that_fits_with_and_without_observables(tmp_path: Path) -> None:
    """64 * 4 shots of 3 bits are as long as 64 * 3 shots of 4 bits."""
    model = tmp_path / "model.dem"
    model.write_text("error(0.1) D0 D1 L0\ndetector(0) D0\ndetector(0) D1\ndetector(0) D2\n")
    data = np.zeros((256, 3), bool)
    path = write(tmp_path / "shots", "ptb64", data, 3, 0)
    with pytest.raises(SyndromeError, match="fits shots with and without observables"):
        source_from_samples(path, fmt="ptb64", model=model)
    path = write(tmp_path / "shots", "01", np.zeros((5, 3), bool), 3, 0)
    source = source_from_samples(path, fmt="01", model=model)
    assert (source.num_shots, source.num_observables) == (5, 0)


@pytest.mark.parametrize("fmt", FORMATS)
def test_models_without_observables(tmp_path: Path, fmt: str) -> None:
    model = tmp_path / "model.dem"
    model.write_text("error(0.1) D0\ndetector(0) D0\n")
    path = write(tmp_path / "shots", fmt, np.eye(64, 1, dtype=bool), 1, 0)
    source = source_from_samples(path, fmt=fmt, model=model)
    detectors, observables = packed(source, 64)
    assert detectors.sum() == 1
    assert observables.shape == (64, 0)


def test_a_circuit_serves_as_model(tmp_path: Path, origin: CircuitSource) -> None:
    model = tmp_path / "model.stim"
    origin.circuit.to_file(model)
    path = write(tmp_path / "shots", "b8", bits(packed(origin, 9)[0], 24), 24, 0)
    source = source_from_samples(path, fmt="b8", model=model)
    assert source.circuit == origin.circuit
    assert source.dem == origin.dem
    assert source.num_rounds == 4


def test_long_files_are_read_in_blocks(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "shots.01"
    path.write_bytes((b"0" * 25 + b"\n") * 200_000)
    source = source_from_samples(path, fmt="01", model=model, accept_mismatch=True)
    tracemalloc.start()
    total = sum(len(chunk.detectors) for chunk in source.chunks(200_000, seed=0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 200_000
    assert peak < path.stat().st_size / 10


def test_more_shots_than_recorded(tmp_path: Path, model: Path) -> None:
    path = write(tmp_path / "shots", "b8", np.zeros((7, 24), bool), 24, 0)
    source = source_from_samples(path, fmt="b8", model=model)
    with pytest.raises(SyndromeError, match="8 shots are asked for, but it holds 7"):
        next(source.chunks(8, seed=0))


@pytest.mark.parametrize("fmt", ["01", "b8", "ptb64", "r8"])
@pytest.mark.parametrize("detectors", [15, 40])
def test_a_model_of_another_size(tmp_path: Path, model: Path, fmt: str, detectors: int) -> None:
    data = np.random.default_rng(0).random((64, detectors)) < 0.5
    path = write(tmp_path / "shots", fmt, data[: 64 if fmt == "ptb64" else 61], detectors, 0)
    with pytest.raises(SyndromeError, match="24 detectors") as error:
        list(source_from_samples(path, fmt=fmt, model=model).chunks(1, seed=0))
    assert str(path) in str(error.value)


def test_files_of_different_runs(tmp_path: Path, model: Path) -> None:
    shots = write(tmp_path / "shots", "b8", np.zeros((7, 24), bool), 24, 0)
    flips = write(tmp_path / "flips", "b8", np.zeros((6, 1), bool), 0, 1)
    with pytest.raises(SyndromeError, match=r"flips: expected 7 shots.*found 6"):
        source_from_samples(shots, fmt="b8", model=model, observables=flips)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("model.dem", "error(0.1) D0 L0", "have no coordinates"),
        ("model.dem", "nonsense D0", "cannot be read as a detector error model"),
        ("model.stim", "nonsense 0", "cannot be read as a Stim circuit"),
        ("model.txt", "", r"give a \.dem or a \.stim file"),
    ],
)
def test_models_that_do_not_work(tmp_path: Path, name: str, text: str, message: str) -> None:
    model = tmp_path / name
    model.write_text(text)
    with pytest.raises(SyndromeError, match=message) as error:
        source_from_samples(tmp_path / "shots", fmt="b8", model=model)
    assert str(model) in str(error.value)


FOUND = Path(__file__).parents[1] / "data" / "found"


def test_measurements_are_no_detection_events() -> None:
    shots, model = FOUND / "measurements.b8", FOUND / "surface.stim"
    with pytest.raises(SyndromeError, match=r"contradict .*surface\.stim.*D\d+ fires in") as error:
        source_from_samples(shots, fmt="b8", model=model)
    assert 'code.samples_hold = "measurements"' in str(error.value)
    assert "below 1e-09" in str(error.value)
    source = source_from_samples(shots, fmt="b8", model=model, samples_hold="measurements")
    assert (source.num_shots, source.num_detectors, source.num_observables) == (200, 32, 1)
    accepted = source_from_samples(shots, fmt="b8", model=model, accept_mismatch=True)
    assert accepted.num_shots == 300


def test_measurements_beside_a_model_of_their_own(tmp_path: Path) -> None:
    circuit = stim.Circuit.from_file(FOUND / "surface.stim")
    dem = tmp_path / "model.dem"
    circuit.detector_error_model().to_file(dem)
    shots = FOUND / "measurements.b8"
    with pytest.raises(SyndromeError, match=r"only a circuit turns .*code\.circuit"):
        source_from_samples(shots, fmt="b8", model=dem, samples_hold="measurements")
    source = source_from_samples(
        shots,
        fmt="b8",
        model=dem,
        samples_hold="measurements",
        circuit=FOUND / "surface.stim",
    )
    assert source.num_shots == 200
    with pytest.raises(
        SyndromeError, match=r"expected 32 detectors and 1 observables.*found 8 and"
    ):
        source_from_samples(
            shots,
            fmt="b8",
            model=dem,
            samples_hold="measurements",
            circuit=FOUND / "no_coordinates.stim",
        )


def test_the_layout_that_would_fit_is_named(tmp_path: Path, origin: CircuitSource) -> None:
    model = tmp_path / "model.stim"
    origin.circuit.to_file(model)
    bits_of = origin.circuit.compile_detector_sampler(seed=2)
    events, flips = bits_of.sample(2000, separate_observables=True)
    measured = origin.circuit.compile_sampler(seed=2).sample(640)
    front = np.hstack([flips, events])
    for fmt in ("01", "b8", "hits"):
        path = tmp_path / "front"
        stim.write_shot_data_file(data=front, path=str(path), format=fmt, num_measurements=25)
        with pytest.raises(SyndromeError, match=r'write code\.observables_at = "start"'):
            source_from_samples(path, fmt=fmt, model=model)
    path = tmp_path / "measured.b8"  # as many bytes as shots of other detectors, but for padding
    stim.write_shot_data_file(data=measured, path=str(path), format="b8", num_measurements=33)
    with pytest.raises(SyndromeError, match=r"bit is set beyond the 25.*samples_hold = \"meas"):
        source_from_samples(path, fmt="b8", model=model)
    for fmt in ("01", "r8", "hits", "dets"):
        path = tmp_path / "measured"
        stim.write_shot_data_file(data=measured, path=str(path), format=fmt, num_measurements=33)
        with pytest.raises(
            SyndromeError, match=r"33 measurements a shot would fit: write code\.samp"
        ):
            source_from_samples(path, fmt=fmt, model=model)
    path = tmp_path / "big.b8"
    np.packbits(events, axis=1, bitorder="big").tofile(path)
    with pytest.raises(SyndromeError, match="bits of each byte turned round: pack them with"):
        source_from_samples(path, fmt="b8", model=model)


def test_rounds_of_a_model_without_coordinates(tmp_path: Path) -> None:
    model = tmp_path / "model.dem"
    model.write_text("error(0.1) D0 D1 L0\nerror(0.1) D1\n")
    path = write(tmp_path / "shots", "01", np.zeros((5, 2), bool), 2, 0)
    source = source_from_samples(path, fmt="01", model=model, rounds=[0, 1])
    assert source.num_rounds == 2


def test_a_file_with_windows_line_ends() -> None:
    source = source_from_samples(FOUND / "crlf.01", fmt="01", model=FOUND / "crlf.dem")
    assert (source.num_shots, source.num_detectors, source.num_observables) == (2000, 32, 1)
