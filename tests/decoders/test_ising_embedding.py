from itertools import product

import numpy as np
import pytest
import stim

from emulator.decoders.ising_embedding import IsingEmbedding, ordinary_embedding
from emulator.errors import SyndromeError
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType
from tests.decoders.faults import inject, places

BASES: tuple[PauliType, PauliType] = ("X", "Z")
every_basis = pytest.mark.parametrize("basis", BASES)
every_orientation = pytest.mark.parametrize("orientation", ORIENTATIONS)


def generated(basis: PauliType, distance: int = 3, rounds: int = 3, p: float = 0) -> stim.Circuit:
    return stim.Circuit.generated(
        f"surface_code:rotated_memory_{basis.lower()}",
        distance=distance,
        rounds=rounds,
        after_clifford_depolarization=p,
        before_measure_flip_probability=p,
    )


def answers(
    embedding: IsingEmbedding, dets: np.ndarray[tuple[int, int], np.dtype[np.uint8]], k: int, t: int
) -> list[int]:
    """pre_L of every single correction, in channel k and round t, that cancels ``dets``."""
    layout = embedding.layout
    size = layout.distance**2
    logits = np.full((size, 4, layout.rounds, size), -1.0, dtype=np.float32)
    logits[np.arange(size), k, t, np.arange(size)] = 1.0
    rows = embedding.embed(np.repeat(dets, size, axis=0))
    shape = (size, 4, layout.rounds, layout.distance, layout.distance)
    pre_l, residual = layout.apply(logits.reshape(shape), rows)
    left = embedding.extract(residual)
    return [int(pre_l[k]) for k in range(size) if not left[k].any()]


@every_basis
@every_orientation
@pytest.mark.parametrize(("distance", "rounds"), [(3, 1), (3, 4), (5, 2), (7, 3)])
def test_every_source_detector_has_one_place(
    distance: int, rounds: int, basis: PauliType, orientation: Orientation
) -> None:
    circuit = generated(basis, distance, rounds)
    embedding = ordinary_embedding(
        circuit, distance=distance, rounds=rounds, basis=basis, orientation=orientation
    )
    layout = embedding.layout
    assert (layout.rounds, layout.orientation) == (rounds + 1, orientation)
    used = embedding.gather[embedding.gather >= 0]
    assert sorted(used.tolist()) == list(range(circuit.num_detectors))
    silent = embedding.gather == -1
    assert silent[-layout.half :].all()
    assert silent[layout.slots[-1, 1 - layout.memory]].all()
    assert silent.sum() == 2 * layout.half


@every_basis
@every_orientation
def test_embedding_and_extracting_lose_nothing(basis: PauliType, orientation: Orientation) -> None:
    circuit = generated(basis, 5, 3, p=0.02)
    embedding = ordinary_embedding(
        circuit, distance=5, rounds=3, basis=basis, orientation=orientation
    )
    dets = circuit.compile_detector_sampler(seed=1).sample(50).astype(np.uint8)
    rows = embedding.embed(dets)
    assert np.array_equal(embedding.extract(rows), dets)
    pre_l, residual = embedding.layout.apply(np.full((50, 4, 4, 5, 5), -1.0), rows)
    assert not pre_l.any()
    assert np.array_equal(embedding.extract(residual), dets)


@every_basis
@every_orientation
def test_correcting_a_data_fault_tells_the_observable(
    basis: PauliType, orientation: Orientation
) -> None:
    circuit = generated(basis)
    embedding = ordinary_embedding(
        circuit, distance=3, rounds=3, basis=basis, orientation=orientation
    )
    memory = embedding.layout.memory
    data = sorted(
        q for q, (x, y) in circuit.get_final_qubit_coordinates().items() if x % 2 and y % 2
    )
    assert len(data) == 9
    resets, rounds = places(circuit, "R", "RX"), places(circuit, "MR")
    starts = [max(k for k in resets if k < rounds[0]) + 1, *(k + 1 for k in rounds)]
    flips = set()
    for k, qubit, t in product(range(2), data, range(4)):
        if k != memory and t in {0, 3}:
            continue  # never seen
        dets, flip = inject(circuit, ("Z_ERROR", "X_ERROR")[k], qubit, starts[t])
        found = answers(embedding, dets, k, t)
        assert dets.any()
        assert found
        assert set(found) == {flip}
        flips.add(flip)
    assert flips == {0, 1}


@every_basis
@every_orientation
def test_correcting_a_measurement_fault_tells_the_observable(
    basis: PauliType, orientation: Orientation
) -> None:
    circuit = generated(basis)
    embedding = ordinary_embedding(
        circuit, distance=3, rounds=3, basis=basis, orientation=orientation
    )
    coordinates = circuit.get_detector_coordinates()
    ancillas = [
        q for q, (x, y) in circuit.get_final_qubit_coordinates().items() if not (x % 2 or y % 2)
    ]
    assert len(ancillas) == 8
    for qubit, t in product(ancillas, range(3)):
        dets, flip = inject(circuit, "X_ERROR", qubit, places(circuit, "MR")[t])
        kind = embedding.layout.memory
        if (
            sum(
                coordinates[k][:2] == circuit.get_final_qubit_coordinates()[qubit]
                for k in range(circuit.num_detectors)
            )
            == 2
        ):
            kind = 1 - kind  # the opposite basis has no detector in rounds 0 and 3
        assert answers(embedding, dets, 2 + kind, t) == [flip] == [0]


@pytest.mark.parametrize(
    "asked",
    [
        {"distance": 5, "rounds": 3, "basis": "Z"},
        {"distance": 3, "rounds": 4, "basis": "Z"},
        {"distance": 3, "rounds": 2, "basis": "Z"},
    ],
)
def test_refuses_another_experiment(asked: dict[str, object]) -> None:
    with pytest.raises(SyndromeError, match="the circuit is no rotated memory of distance"):
        ordinary_embedding(generated("Z"), **asked)  # type: ignore[arg-type]


def test_refuses_another_code() -> None:
    circuit = stim.Circuit.generated("repetition_code:memory", distance=3, rounds=3)
    with pytest.raises(SyndromeError, match="is no rotated memory"):
        ordinary_embedding(circuit, distance=3, rounds=3, basis="Z")


def test_says_which_rows_it_expected() -> None:
    embedding = ordinary_embedding(generated("Z"), distance=3, rounds=3, basis="Z")
    with pytest.raises(SyndromeError, match=r"expected source rows \(batch, 24\)"):
        embedding.embed(np.zeros((1, 32), dtype=np.uint8))
    with pytest.raises(SyndromeError, match=r"expected Ising rows \(batch, 32\)"):
        embedding.extract(np.zeros((1, 24), dtype=np.uint8))
