import pytest
import stim

from emulator.syndromes.layers import measurement_layers, shortened


def layers(text: str) -> tuple[list[int], list[int], list[int]]:
    found = measurement_layers(stim.Circuit(text))
    return found.steps.tolist(), found.parts.tolist(), found.moments.tolist()


@pytest.mark.parametrize(
    ("between", "steps", "parts", "moments"),
    [
        ("H 1", 1, 1, 0),
        ("R 1", 1, 1, 0),
        ("TICK", 1, 1, 1),
        ("X_ERROR(0.1) 1", 0, 1, 0),
        ("DETECTOR rec[-1]", 0, 1, 0),
        ("SHIFT_COORDS(1)", 0, 0, 0),
        ("M 0", 1, 1, 0),
        ("MR 2", 0, 0, 0),
    ],
)
def test_what_ends_a_layer(between: str, steps: int, parts: int, moments: int) -> None:
    found = layers(f"M 0\n{between}\nM 1\nDETECTOR rec[-1]")
    assert tuple(kind[-1] for kind in found) == (steps, parts, moments)


def test_the_last_measurement_completes_a_detector() -> None:
    text = "M 0\nTICK\nM 0\nTICK\nM 0\nDETECTOR rec[-3]\nDETECTOR rec[-2] rec[-3]\nDETECTOR rec[-1]"
    assert layers(text)[0] == [0, 1, 2]


def test_detectors_without_measurements_follow_what_was_measured() -> None:
    assert layers("DETECTOR\nM 0\nTICK\nM 0\nDETECTOR")[0] == [0, 1]


def test_heralds_and_padding_belong_to_the_next_layer() -> None:
    text = "M 0\nHERALDED_ERASE(0.1) 1\nDETECTOR rec[-1]\nTICK\nM 1\nMPAD 0\nDETECTOR rec[-1]"
    assert layers(text)[2] == [1, 1]


def test_products_that_share_a_qubit_are_measured_one_after_the_other() -> None:
    text = "MPP X0*X1\nX_ERROR(0.1) 0\nMPP X1*X2\nDETECTOR rec[-1]"
    assert layers(text)[0] == [1]
    assert layers(text.replace("X1*X2", "X2*X3"))[0] == [0]
    assert layers("MPP X0*X1 X1*X2\nDETECTOR rec[-1]")[0] == [0]


def test_a_shortened_circuit_keeps_the_order_of_its_rounds() -> None:
    circuit = stim.Circuit.generated("repetition_code:memory", distance=3, rounds=10**9)
    short = shortened(circuit)
    assert short.num_detectors == 2 * 8
    assert measurement_layers(short).steps.tolist() == [k for k in range(7) for _ in "ab"] + [6, 6]


def test_nested_loops_are_shortened() -> None:
    circuit = stim.Circuit("REPEAT 100 {\n REPEAT 100 {\n M 0\n}\n}")
    assert shortened(circuit).num_measurements == 36
