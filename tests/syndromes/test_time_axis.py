from pathlib import Path

import numpy as np
import pytest
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.rounds import find_rounds
from emulator.syndromes.time_axis import axis_of_circuit, axis_of_model

FOUND = Path(__file__).parents[1] / "data" / "found"
TASKS = (
    "surface_code:rotated_memory_x",
    "surface_code:unrotated_memory_z",
    "repetition_code:memory",
    "color_code:memory_xyz",
)


def memory(task: str, rounds: int, p: float = 0.01) -> stim.Circuit:
    return stim.Circuit.generated(
        task,
        distance=3,
        rounds=rounds,
        before_round_data_depolarization=p,
        before_measure_flip_probability=p,
    )


def moved(
    circuit: stim.Circuit, order: tuple[int, ...], extra: float | None = None
) -> stim.Circuit:
    """The same circuit with its detector coordinates in another order, or with one more."""
    copy = stim.Circuit()
    for item in circuit.flattened():
        if item.name == "DETECTOR":
            values = [item.gate_args_copy()[k] for k in order]
            copy.append(
                "DETECTOR", item.targets_copy(), [*values, *([] if extra is None else [extra])]
            )
        else:
            copy.append(item)
    return copy


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rounds", [2, 3, 20])
@pytest.mark.parametrize("p", [0.0, 0.01])
def test_time_of_generated_circuits_is_found(task: str, rounds: int, p: float) -> None:
    circuit = memory(task, rounds, p)
    last = 1 if task.startswith("rep") else 2
    assert axis_of_circuit(circuit, "here") == last
    if p:
        assert axis_of_model(circuit.detector_error_model(), "here") == last


@pytest.mark.parametrize("task", TASKS[:2])
@pytest.mark.parametrize("order", [(2, 0, 1), (0, 2, 1), (1, 0, 2), (0, 1, 2)])
def test_time_may_stand_anywhere(task: str, order: tuple[int, ...]) -> None:
    circuit = moved(memory(task, 5), order)
    assert axis_of_circuit(circuit, "here") == order.index(2)
    expected = find_rounds(memory(task, 5), "here", time_coordinate=2).detector_round
    assert np.array_equal(find_rounds(circuit, "here").detector_round, expected)
    marked = moved(circuit, (0, 1, 2), extra=-9)
    assert axis_of_circuit(marked, "here") == order.index(2)


@pytest.mark.parametrize("name", ["time_fourth.stim", "time_first.stim"])
def test_circuits_of_six_rounds(name: str) -> None:
    found = find_rounds(stim.Circuit.from_file(FOUND / name), name)
    assert np.bincount(found.detector_round).tolist() == [2] * 6


def test_models_tell_less_than_circuits() -> None:
    fourth, first = (
        stim.Circuit.from_file(FOUND / f"time_{name}.stim").detector_error_model()
        for name in ("fourth", "first")
    )
    assert find_rounds(fourth, "here").num_rounds == 6
    with pytest.raises(SyndromeError, match=r"coordinate 0 has 6 values from 0 to 5 and rises"):
        find_rounds(first, "here")
    assert find_rounds(first, "here", time_coordinate=0).num_rounds == 6


def test_coordinates_without_time_are_refused() -> None:
    circuit = moved(memory("surface_code:rotated_memory_x", 5), (0, 1))
    for model in (circuit, circuit.detector_error_model()):
        with pytest.raises(SyndromeError, match=r"is time cannot be told.*code\.time_coordinate"):
            find_rounds(model, "here")
        assert find_rounds(model, "here", rounds=1).num_rounds == 1
    for rule in ("ticks", 5, 6):
        assert find_rounds(circuit, "here", rounds=rule).num_rounds == int(rule == 6) + 5
    with pytest.raises(SyndromeError, match="come in 5 or 6 layers"):
        find_rounds(circuit, "here", rounds=4)


def test_a_time_that_never_advances_is_refused() -> None:
    text = str(memory("surface_code:rotated_memory_x", 5)).replace("SHIFT_COORDS(0, 0, 1)", "")
    with pytest.raises(SyndromeError, match="is time cannot be told"):
        find_rounds(stim.Circuit(text), "here")


def test_halves_of_one_step_are_no_rounds_of_their_own() -> None:
    """Checks that are measured together, with times t and t + 1/2 by their basis."""
    text = "R 0 1 2 3\n"
    for t in range(4):
        text += "CX 2 0 3 1\nMR 0 1\n"
        for k, half in ((1, ""), (2, ".5")):
            before = f" rec[-{k + 2}]" if t else ""
            text += f"DETECTOR({k}, {k}, {t}{half}) rec[-{k}]{before}\n"
    with pytest.raises(SyndromeError, match="is time cannot be told"):
        find_rounds(stim.Circuit(text), "here")


@pytest.mark.parametrize("last", ["SHIFT_COORDS(0, 0, 1)\n", ""])
@pytest.mark.parametrize("jump", [1, 7])
def test_times_that_jump_are_rounds_where_the_measurements_do_not(last: str, jump: int) -> None:
    """Two shifts a round, one before a readout, and one round numbered further on."""
    text = "R 0 1\n"
    for t in range(5):
        text += f"CX 0 1\nMR 1\nSHIFT_COORDS(0, 0, {jump if t == 3 else 1})\n"
        text += f"DETECTOR(3, 4, 0) rec[-1]{' rec[-2]' * (t > 0)}\nSHIFT_COORDS(0, 0, 1)\n"
    circuit = stim.Circuit(f"{text}H 0\nM 0\n{last}DETECTOR(3, 4, 0) rec[-1] rec[-2]")
    for axis in (None, 2):
        found = find_rounds(circuit, "here", time_coordinate=axis)
        assert found.detector_round.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_round_without_detectors_is_not_passed_over() -> None:
    """Times 0, 1, 2, 4 and 5: in round 3 something is measured that nothing is compared with."""
    text = "R 0 1\n"
    for t in range(6):
        text += "CX 0 1\nMR 1\n"
        text += f"DETECTOR(3, 4, {t}) rec[-1]{' rec[-2]' * (t > 0)}\n" if t != 3 else ""
    with pytest.raises(SyndromeError, match="not equally far apart"):
        find_rounds(stim.Circuit(text), "here")
    assert find_rounds(stim.Circuit(text), "here", rounds=6).detector_round.tolist() == [
        0,
        1,
        2,
        4,
        5,
    ]


def test_detectors_that_lack_their_time_are_named() -> None:
    text = "M 0 1\nDETECTOR(0, 0, 0) rec[-1]\nDETECTOR(2, 2) rec[-2]\nTICK\nM 0 1\n"
    text += "DETECTOR(0, 0, 1) rec[-1] rec[-3]\nDETECTOR(2, 2) rec[-2] rec[-4]"
    circuit = stim.Circuit(text)
    with pytest.raises(
        SyndromeError, match=r"2 of 4 detectors, the first of them D1.*2 have 2 and"
    ):
        find_rounds(circuit, "here", time_coordinate=2)
    with pytest.raises(SyndromeError, match="is time cannot be told"):
        find_rounds(circuit, "here")


def test_the_last_coordinate_of_rows_of_several_lengths() -> None:
    text = "M 0 1\nDETECTOR(0, 7, 0) rec[-1]\nDETECTOR(0, 0) rec[-2]\nTICK\nM 0 1\n"
    text += "DETECTOR(0, 7, 1) rec[-1] rec[-3]\nDETECTOR(0, 1) rec[-2] rec[-4]"
    assert axis_of_circuit(stim.Circuit(text), "here") == -1
    assert find_rounds(stim.Circuit(text), "here").detector_round.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "coordinates", ["(0,0,0) (1,0,0)", "(4,4) (1,0)", "(3) (7)", "(0,0) (0,1)"]
)
def test_what_is_measured_at_once_is_one_round(coordinates: str) -> None:
    one, other = coordinates.split()
    text = f"X_ERROR(0.1) 0 1 2\nM 0 1 2\nDETECTOR{one} rec[-1] rec[-2]\n"
    circuit = stim.Circuit(f"{text}DETECTOR{other} rec[-2] rec[-3]")
    assert find_rounds(circuit, "here").num_rounds == 1


@pytest.mark.parametrize(
    ("declared", "rounds"),
    [
        ("(0,0,0) (1,0,0) (2,0,0)", 1),
        ("(0) (0) (0)", 1),
        ("(2,4,0) (0,0,0) (4,2,0)", 1),
        ("(0) (0) (1)", 2),
        ("(0,2) (2,2) (0,3)", None),  # no place comes again as a whole
        ("(1,0) (1,1) (1,2)", 3),
        ("(0,0,0) (0,2,0) (2,0,0)", None),  # the first coordinate rises
        ("(0) (1) (2)", None),  # times, or places
        ("(0,0,1) (1,0,0) (0,0,0)", None),  # falls
        ("(0,0,0) (0,0,1) (0,0,1)", 2),
    ],
)
def test_small_models_of_ones_own(declared: str, rounds: int | None) -> None:
    lines = [f"detector{values} D{k}" for k, values in enumerate(declared.split())]
    dem = stim.DetectorErrorModel("\n".join(["error(0.1) D0 D1", "error(0.1) D1 D2", *lines]))
    if rounds is None:
        with pytest.raises(SyndromeError, match=r"is time cannot be told.*code\.rounds"):
            find_rounds(dem, "here")
    else:
        assert find_rounds(dem, "here").num_rounds == rounds


def test_rows_of_a_closed_lattice_are_no_rounds() -> None:
    lines: list[str] = []
    number: dict[tuple[int, int], int] = {}
    for y in range(4):
        for x in range(3):
            number[x, y] = len(number)
            lines.append(f"detector({x}, {y}) D{number[x, y]}")
    closed = [
        f"error(0.1) D{number[x, y]} D{number[x, (y + 1) % 4]}" for x in range(3) for y in range(4)
    ]
    with pytest.raises(SyndromeError, match="is time cannot be told"):
        find_rounds(stim.DetectorErrorModel("\n".join([*closed, *lines])), "here")
    opened = [line for k, line in enumerate(closed) if k % 4 != 3]
    assert (
        find_rounds(stim.DetectorErrorModel("\n".join([*opened, *lines])), "here").num_rounds == 4
    )


def test_loops_that_look_back_far_are_read_whole() -> None:
    text = "M 0\nDETECTOR(0, 0, 0) rec[-1]\nREPEAT 9 {\nTICK\nM 0\nSHIFT_COORDS(0, 0, 1)\n"
    text += "DETECTOR(0, 0, 0) rec[-1] rec[-2]\n}\nTICK\nM 0\nSHIFT_COORDS(0, 0, 1)\n"
    circuit = stim.Circuit(text + "DETECTOR(0, 0, 0) rec[-1] rec[-10]")
    assert find_rounds(circuit, "here").num_rounds == 11
