import pytest
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.rotated_patch import ORIENTATIONS, Orientation, PauliType, RotatedPatch

BASES: tuple[PauliType, PauliType] = ("X", "Z")
every_orientation = pytest.mark.parametrize("orientation", ORIENTATIONS)
every_basis = pytest.mark.parametrize("basis", BASES)


@every_orientation
@every_basis
@pytest.mark.parametrize("rounds", [2, 3, 7])
def test_without_noise_nothing_fires(
    orientation: Orientation, basis: PauliType, rounds: int
) -> None:
    circuit = memory_circuit(distance=3, rounds=rounds, basis=basis, orientation=orientation, p=0.0)
    assert circuit.num_detectors == rounds * 8
    # raises when a detector or the observable is not deterministic
    circuit.detector_error_model(allow_gauge_detectors=False)
    dets, observables = circuit.compile_detector_sampler().sample(8, separate_observables=True)
    assert not dets.any()
    assert not observables.any()
    assert "ERROR" not in str(circuit)
    assert "DEPOLARIZE" not in str(circuit)


@every_orientation
@every_basis
@pytest.mark.parametrize("distance", [3, 5])
def test_the_circuit_keeps_the_distance_of_the_code(
    distance: int, orientation: Orientation, basis: PauliType
) -> None:
    circuit = memory_circuit(
        distance=distance, rounds=distance, basis=basis, orientation=orientation, p=0.001
    )
    assert len(circuit.shortest_graphlike_error()) == distance


@every_orientation
@every_basis
def test_detectors_come_group_by_group(orientation: Orientation, basis: PauliType) -> None:
    rounds, patch = 4, RotatedPatch(3, orientation)
    circuit = memory_circuit(distance=3, rounds=rounds, basis=basis, orientation=orientation, p=0.0)
    groups: list[tuple[PauliType, int]] = [(basis, 0)]
    groups += [(kind, t) for t in range(1, rounds) for kind in BASES]
    groups += [(basis, rounds)]
    expected = [
        [2.0 * j, 2.0 * i, float(t)] for kind, t in groups for i, j in patch.corners(kind).tolist()
    ]
    found = circuit.get_detector_coordinates()
    assert [found[k] for k in range(circuit.num_detectors)] == expected


@every_basis
@pytest.mark.parametrize("readout_noise", [True, False])
def test_the_boundary_group_never_fires(basis: PauliType, readout_noise: bool) -> None:
    circuit = memory_circuit(distance=3, rounds=3, basis=basis, p=0.02, readout_noise=readout_noise)
    dem = circuit.detector_error_model()
    fired = {t.val for e in dem.flattened() for t in e.targets_copy() if e.type == "error"}
    assert not fired & set(range(20, 24))
    assert (set(range(20)) - fired) == set()


def test_noise_follows_the_one_parameter_rule() -> None:
    p = 0.003
    text = str(memory_circuit(distance=3, rounds=3, basis="X", p=p))
    each = f"{2 * p / 3 - 4 * p * p / 9:.6g}"
    assert each == "0.001996"  # the figure in NVIDIA's default 25-parameter model
    assert f"PAULI_CHANNEL_1({each}, {each}, {each})" in text
    for gate in ("Z_ERROR(0.002)", "X_ERROR(0.002)", "MRX(0.002)", "MR(0.002)"):
        assert gate in text
    assert "DEPOLARIZE2(0.003)" in text
    assert "DEPOLARIZE1(0.003)" in text


def test_every_qubit_is_busy_or_idles_noisily_in_each_layer() -> None:
    circuit = memory_circuit(distance=3, rounds=2, basis="Z", p=0.01).flattened()
    touched = [
        {target.value for target in instruction.targets_copy()}
        for instruction in circuit
        if instruction.name in {"DEPOLARIZE1", "DEPOLARIZE2"}
    ]
    assert len(touched) == 8  # four layers; the last round is free of noise
    for busy, idle in zip(touched[::2], touched[1::2], strict=True):
        assert busy.isdisjoint(idle)
        assert busy | idle == set(range(17))


def test_readout_noise_sits_before_the_last_round() -> None:
    with_it = list(memory_circuit(distance=3, rounds=3, basis="X", p=0.003))
    without = list(memory_circuit(distance=3, rounds=3, basis="X", p=0.003, readout_noise=False))
    assert len(with_it) == len(without) + 1
    loop = next(k for k, part in enumerate(with_it) if isinstance(part, stim.CircuitRepeatBlock))
    assert with_it.pop(loop + 1) == stim.CircuitInstruction("Z_ERROR", range(9), [0.002])
    assert with_it == without


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": 1}, "rounds: 1 is too few"),
        ({"basis": "Y"}, 'basis: "Y" is unknown'),
        ({"p": 0.8}, "p: 0.8 is not a depolarising probability"),
        ({"distance": 6}, "distance: 6 "),
    ],
)
def test_refuses_what_it_cannot_build(wrong: dict[str, object], message: str) -> None:
    asked: dict[str, object] = {"distance": 3, "rounds": 3, "basis": "X", "p": 0.01} | wrong
    with pytest.raises(SyndromeError, match=message):
        memory_circuit(**asked)  # type: ignore[arg-type]
