import numpy as np
import pytest
import stim

from emulator.syndromes.circuits import generated_circuit
from emulator.syndromes.colour_code import coloured_circuit

TASK = "color_code:memory_xyz"


@pytest.mark.parametrize("noise", ["depolarizing", "si1000"])
@pytest.mark.parametrize("rounds", range(2, 11))
def test_new_detectors_say_the_same_as_those_of_stim(rounds: int, noise: str) -> None:
    plain = stim.Circuit.generated(TASK, distance=5, rounds=rounds)
    coloured = generated_circuit(TASK, distance=5, rounds=rounds, noise=noise, p=0.01)
    measured = plain.compile_sampler(seed=1).sample(50)
    layers = []
    for circuit in (plain, coloured):
        convert = circuit.compile_m2d_converter().convert
        found = convert(measurements=measured, append_observables=False)
        layers.append(found.reshape(50, rounds, -1))
    theirs, mine = layers
    expected = theirs.copy()
    expected[:, 1:-1] ^= theirs[:, :-2]  # rounds 2 on, but for the readout
    if rounds % 3 == 2:
        expected[:, -1] ^= theirs[:, -2]
    assert np.array_equal(mine, expected)
    assert coloured.num_observables == 1


def test_colours_and_bases() -> None:
    circuit = coloured_circuit(stim.Circuit.generated(TASK, distance=5, rounds=9), 9)
    where = circuit.get_detector_coordinates()
    plain = stim.Circuit.generated(TASK, distance=5, rounds=9).get_detector_coordinates()
    assert {k: place[:3] for k, place in where.items()} == plain
    label = np.array([place[3] for place in where.values()]).reshape(9, -1)
    bases = [sorted({int(x) // 3 for x in layer}) for layer in label]
    # rounds 1 to 8, then the readout: ignored, X, Z, ignored, X, …
    assert bases == [[-1], [0], [1], [-1], [0], [1], [-1], [0], [0]]
    places: dict[tuple[float, ...], float] = {}
    for *place, _, c in where.values():
        if 0 <= c < 3:
            assert places.setdefault(tuple(place), c) == c
    assert sorted(np.bincount(list(map(int, places.values()))).tolist()) == [3, 3, 3]
    for (x, y), colour in places.items():
        near = [c for (u, v), c in places.items() if 0 < (u - x) ** 2 + (v - y) ** 2 < 3.3]
        assert colour not in near


def test_loops_stay_loops() -> None:
    circuit = generated_circuit(TASK, distance=3, rounds=100_001, noise="depolarizing", p=0.001)
    assert circuit.num_detectors == 3 * 100_001
    assert len(str(circuit).splitlines()) < 300
    assert circuit.detector_error_model().num_detectors == 3 * 100_001


def test_chromobius_decodes_it_better_at_larger_distance() -> None:
    chromobius = pytest.importorskip("chromobius")
    rates = []
    for distance in (3, 5, 7):
        circuit = generated_circuit(TASK, distance=distance, rounds=8, noise="depolarizing", p=5e-4)
        decoder = chromobius.compile_decoder_for_dem(circuit.detector_error_model())
        detectors, flips = circuit.compile_detector_sampler(seed=7).sample(
            20_000, separate_observables=True, bit_packed=True
        )
        found = decoder.predict_obs_flips_from_dets_bit_packed(detectors)
        rates.append(int((found != flips).sum()))
    assert rates[0] > 1.5 * rates[1] > 2 * rates[2] > 0
    assert rates[2] < 40
