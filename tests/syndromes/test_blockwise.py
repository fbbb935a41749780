import numpy as np
import pytest
import stim

from emulator.syndromes import circuits
from emulator.syndromes.blockwise import BlockwiseSampler
from emulator.syndromes.circuits import CircuitSource, generated_source

# Measurements, frames and feedback all cross the ends of blocks, inner blocks included.
CERTAIN = stim.Circuit("""
    H 0
    CX 0 1
    M 5
    REPEAT 3 {
        X_ERROR(1) 2
        MR 2
        DETECTOR rec[-1]
        REPEAT 5 {
            X_ERROR(1) 3
            M 3
            DETECTOR rec[-1]
            DETECTOR rec[-1] rec[-2]
            CX rec[-1] 4
        }
        M 4
        DETECTOR rec[-1]
        OBSERVABLE_INCLUDE(1) rec[-2]
    }
    MXX 0 1
    DETECTOR rec[-1]
    OBSERVABLE_INCLUDE(0) rec[-2] rec[-9]
""")


@pytest.mark.parametrize("block", [1, 3, 10, 1000])
def test_certain_errors_are_those_of_stim(block: int) -> None:
    sampler = CERTAIN.compile_detector_sampler()
    expected = sampler.sample(3, bit_packed=True, separate_observables=True)
    blockwise = BlockwiseSampler(CERTAIN, seed=1, lanes=3, block_detectors=block)
    for _ in range(2):
        for found, stims in zip(blockwise.sample(), expected, strict=True):
            assert found.tolist() == stims.tolist()


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_each_shot_keeps_its_own_frame_and_record(block: int) -> None:
    circuit = stim.Circuit("""
        M 0
        REPEAT 50 {
            X_ERROR(0.3) 0
            M 0
            DETECTOR rec[-1] rec[-2]
        }
        H 1
        REPEAT 20 {
            Z_ERROR(0.3) 1
            TICK
        }
        MX 1
        OBSERVABLE_INCLUDE(0) rec[-2]
        OBSERVABLE_INCLUDE(1) rec[-1]
    """)
    sampler = BlockwiseSampler(circuit, seed=5, lanes=200, block_detectors=block)
    detectors, observables = sampler.sample()
    flips = np.bitwise_count(detectors).sum(axis=1)
    assert ((observables[:, 0] & 1) == flips % 2).all()
    assert 0.25 < flips.mean() / 50 < 0.35
    assert 0.3 < (observables[:, 0] >> 1).mean() < 0.7
    again, _ = sampler.sample()
    assert (again != detectors).any()


def test_a_circuit_that_measures_nothing() -> None:
    circuit = stim.Circuit("REPEAT 9 {\nDETECTOR\n}")
    detectors, observables = BlockwiseSampler(circuit, seed=0, lanes=2, block_detectors=1).sample()
    assert detectors.tolist() == [[0, 0], [0, 0]]
    assert observables.shape == (2, 0)


def long_source() -> CircuitSource:
    return generated_source(
        "surface_code:rotated_memory_z", distance=3, rounds=60, noise="depolarizing", p=0.01
    )


def test_a_source_of_long_shots_is_as_noisy_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    source = long_source()
    (usual,) = source.chunks(2048, seed=3, chunk_shots=2048)
    monkeypatch.setattr(circuits, "_LONG", 100)
    (blockwise,) = source.chunks(2048, seed=3, chunk_shots=2048)
    assert (usual.detectors != blockwise.detectors).any()

    first, second = (
        np.unpackbits(chunk.detectors, axis=1, bitorder="little").mean(axis=0)
        for chunk in (usual, blockwise)
    )
    # 2048 shots a rate: six standard errors of the difference of two
    assert np.abs(first - second).max() < 6 * np.sqrt(2 * 0.15 * 0.85 / 2048)
    assert abs(first.mean() - second.mean()) < 0.002


@pytest.mark.parametrize("bits", [1, 480 * 10, 1 << 30])
def test_long_shots_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(circuits, "_LONG", 100)
    monkeypatch.setattr(circuits, "_BATCH_BITS", bits)
    source = long_source()
    (whole,) = source.chunks(12, seed=3, chunk_shots=100)
    parts = list(source.chunks(12, seed=3, chunk_shots=5))
    assert [chunk.first_shot for chunk in parts] == [0, 5, 10]
    for name in ("detectors", "observables"):
        joined = np.concatenate([getattr(chunk, name) for chunk in parts])
        assert joined.tolist() == getattr(whole, name).tolist()
