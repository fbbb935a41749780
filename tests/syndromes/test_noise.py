from collections import Counter

import pytest
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.noise import si1000

P = 0.01


def noiseless(task: str = "surface_code:rotated_memory_z", rounds: int = 3) -> stim.Circuit:
    return stim.Circuit.generated(task, distance=3, rounds=rounds)


@pytest.mark.parametrize(
    "task",
    ["surface_code:rotated_memory_x", "repetition_code:memory", "color_code:memory_xyz"],
)
def test_taking_the_noise_away_leaves_the_circuit(task: str) -> None:
    circuit = noiseless(task)
    assert si1000(circuit, P).without_noise().flattened() == circuit.flattened()


def test_moments_of_a_small_circuit() -> None:
    circuit = stim.Circuit("""
        QUBIT_COORDS(9) 9
        R 0 1
        RX 2
        TICK
        H 0
        TICK
        CX 0 1
        TICK
        MR 1
        TICK
        M 0
        MX 2
    """)
    assert si1000(circuit, P) == stim.Circuit("""
        QUBIT_COORDS(9) 9
        R 0 1
        X_ERROR(0.02) 0 1
        RX 2
        Z_ERROR(0.02) 2
        TICK
        H 0
        DEPOLARIZE1(0.001) 0
        DEPOLARIZE1(0.001) 1 2
        TICK
        CX 0 1
        DEPOLARIZE2(0.01) 0 1
        DEPOLARIZE1(0.001) 2
        TICK
        MR(0.05) 1
        X_ERROR(0.02) 1
        DEPOLARIZE1(0.001) 0 2
        DEPOLARIZE1(0.02) 0 2
        TICK
        M(0.05) 0
        MX(0.05) 2
        DEPOLARIZE1(0.001) 1
        DEPOLARIZE1(0.02) 1
    """)


@pytest.mark.parametrize("rounds", [1, 2, 3, 6])
def test_noise_of_a_distance_3_memory(rounds: int) -> None:
    """Counted by hand: 9 data qubits, 8 ancillas, 4 of them with two H, 24 CX a round."""
    rates: Counter[tuple[str, float]] = Counter()
    for item in si1000(noiseless(rounds=rounds), P).flattened():
        if stim.gate_data(item.name).is_noisy_gate and item.gate_args_copy():
            rates[item.name, round(item.gate_args_copy()[0], 12)] += len(item.target_groups())
    assert rates["DEPOLARIZE2", P] == 24 * rounds
    assert rates["X_ERROR", 2 * P] == 17 + 8 * rounds
    assert rates["MR", 5 * P] == 8 * rounds
    assert rates["M", 5 * P] == 9
    # data wait for the ancillas' readout in every round but the last, which reads them out too
    assert rates["DEPOLARIZE1", 2 * P] == 9 * (rounds - 1)
    # all 17 qubits in the two H moments, gate or idle; 68 - 48 idle in the four CX moments
    assert rates["DEPOLARIZE1", P / 10] == (2 * 17 + 20) * rounds + 9 * (rounds - 1)


def test_long_circuits_stay_folded() -> None:
    assert len(si1000(noiseless(rounds=1000), P)) < 200


@pytest.mark.parametrize("p", [-0.1, 0.21])
def test_strength_out_of_range(p: float) -> None:
    with pytest.raises(SyndromeError, match=r"from 0 to 0\.2"):
        si1000(noiseless(), p)


@pytest.mark.parametrize(
    "line", ["X_ERROR(0.1) 0", "M(0.1) 0", "MPP X0*X1", "MXX 0 1", "CX rec[-1] 0"]
)
def test_operations_without_a_rate(line: str) -> None:
    with pytest.raises(SyndromeError, match="no rate for"):
        si1000(stim.Circuit(f"M 0\nTICK\n{line}"), P)


def test_a_moment_cannot_span_two_iterations() -> None:
    with pytest.raises(SyndromeError, match="REPEAT block starts with M"):
        si1000(stim.Circuit("R 0\nTICK\nREPEAT 2 {\nM 0\nTICK\n}"), P)
