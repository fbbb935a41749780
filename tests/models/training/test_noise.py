import numpy as np
import pytest

from emulator.errors import SyndromeError
from models.training.noise import CNOT, PARAMETERS, NoiseModel


def named(**changes: float) -> NoiseModel:
    return NoiseModel(tuple(changes.get(name, 0.0) for name in PARAMETERS))


def channel(rates: dict[str, float]) -> dict[str, float]:
    """Distribution of the product of Paulis each drawn a Poisson number of times."""
    names = list("IXYZ") if len(next(iter(rates))) == 1 else ["II", *CNOT]
    bits = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
    keys = {tuple(b for pauli in name for b in bits[pauli]): name for name in names}
    found = dict.fromkeys(names, 0.0) | {names[0]: 1.0}
    for name, rate in rates.items():
        act = (1 - np.exp(-2 * rate)) / 2
        moved = dict.fromkeys(names, 0.0)
        for key, other in keys.items():
            own = tuple(b for pauli in name for b in bits[pauli])
            after = keys[tuple(a ^ b for a, b in zip(key, own, strict=True))]
            moved[other] += (1 - act) * found[other]
            moved[after] += act * found[other]
        found = moved
    return found


def test_default_of_the_published_model() -> None:
    values = dict(zip(PARAMETERS, NoiseModel.depolarising(0.003).probabilities, strict=True))
    assert len(values) == 25
    assert values["prep_X"] == values["meas_Z"] == pytest.approx(0.002, rel=1e-12)
    assert values["idle_cnot_Y"] == pytest.approx(0.001, rel=1e-12)
    assert values["idle_spam_X"] == pytest.approx(0.001996, rel=1e-12)
    assert values["cnot_ZX"] == pytest.approx(0.0002, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "factor"),
    [
        ({"prep_X": 1e-4, "prep_Z": 5e-4}, 10),
        ({"cnot_XX": 3e-3}, 2),
        ({"meas_X": 0.01}, 1),
        ({}, 1),
    ],
)
def test_scaling_brings_the_largest_group_to_six_per_mille(
    given: dict[str, float], factor: float
) -> None:
    noise = named(**given)
    wanted = [factor * value for value in noise.probabilities]
    assert noise.scaled().probabilities == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("p", [0.003, 0.1])
def test_poisson_faults_make_up_the_channels(p: float) -> None:
    noise = NoiseModel.depolarising(p)
    rates = dict(zip(PARAMETERS, noise.rates.tolist(), strict=True))
    pairs = channel({name: rates[f"cnot_{name}"] for name in CNOT})
    assert [pairs[name] for name in CNOT] == pytest.approx([p / 15] * 15, rel=1e-9)
    waiting = channel({name: rates[f"idle_spam_{name}"] for name in "XYZ"})
    assert waiting["Y"] == pytest.approx(2 * p / 3 - 4 * p**2 / 9, rel=1e-9)
    assert (1 - np.exp(-2 * rates["meas_X"])) / 2 == pytest.approx(2 * p / 3, rel=1e-9)


def test_unequal_channels_are_met_where_they_can_be() -> None:
    noise = named(idle_cnot_X=0.02, idle_cnot_Y=0.005, idle_cnot_Z=0.01)
    rates = dict(zip(PARAMETERS, noise.rates.tolist(), strict=True))
    found = channel({name: rates[f"idle_cnot_{name}"] for name in "XYZ"})
    assert [found[name] for name in "XYZ"] == pytest.approx([0.02, 0.005, 0.01], rel=1e-9)
    # X and Z but never Y is no product of independent faults: off by the missing 0.02 · 0.01
    noise = named(idle_cnot_X=0.02, idle_cnot_Z=0.01)
    rates = dict(zip(PARAMETERS, noise.rates.tolist(), strict=True))
    assert rates["idle_cnot_Y"] == 0
    found = channel({name: rates[f"idle_cnot_{name}"] for name in "XYZ"})
    assert [found[name] for name in "XYZ"] == pytest.approx([0.02, 0, 0.01], abs=2.1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"prep_Z": -0.1}, "prep_Z = -0.1 "),
        ({"meas_X": 0.5}, "meas_X = 0.5 "),
        ({"idle_spam_X": 0.3, "idle_spam_Z": 0.2}, "idle_spam_X to idle_spam_Z sum to 0.5;"),
    ],
)
def test_what_is_no_channel_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(SyndromeError, match=message):
        named(**wrong)


def test_other_than_25_numbers_are_refused() -> None:
    with pytest.raises(SyndromeError, match="3 parameters; give 25"):
        NoiseModel((0.1, 0.1, 0.1))
