import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from emulator.syndromes.expected_rates import ExpectedRates

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Shots:
    """Shots in memory, of bits (shots, D)."""

    bits: NDArray[np.bool_]
    num_observables: int = 0

    @property
    def num_shots(self) -> int:
        return len(self.bits)

    def read(self, first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        rows = np.packbits(self.bits[first : first + count], axis=1, bitorder="little")
        return rows, np.empty((len(rows), 0), np.uint8)


SHOTS = Path(__file__).parents[1] / "data" / "found" / "memory.b8"


def memory(task: str = "surface_code:rotated_memory_z", p: float = 0.01) -> stim.Circuit:
    return stim.Circuit.generated(
        task,
        distance=3,
        rounds=4,
        after_clifford_depolarization=p,
        before_measure_flip_probability=p,
    )


def turned(bits: Bits) -> Bits:
    """The bits of each byte in reverse."""
    reverse: Bits = bits.reshape(len(bits), -1, 8)[:, :, ::-1].reshape(bits.shape)
    return reverse


def rates(circuit: stim.Circuit) -> ExpectedRates:
    return ExpectedRates.of(circuit.detector_error_model(decompose_errors=True))


@pytest.fixture(scope="module")
def sampled() -> Bits:
    """Shots of `memory`, stored: the sampler of another Stim gives other ones."""
    bits: Bits = stim.read_shot_data_file(path=SHOTS, format="b8", num_detectors=32)
    return bits


def test_rates_are_exact() -> None:
    dem = stim.DetectorErrorModel(
        "error(0.1) D0 D1\nerror(0.2) D1\nerror(0.3) D0 D2 ^ D2 L0\ndetector D3"
    )
    found = ExpectedRates.of(dem)
    expected = [(1 - 0.8 * 0.4) / 2, (1 - 0.8 * 0.6) / 2, 0, 0]
    assert found.detectors == pytest.approx(expected)
    assert found.pairs.tolist() == [[0, 1]]
    both = 0.1 * 0.8 * 0.7 + 0.9 * 0.2 * 0.3
    assert found.coincidences == pytest.approx(both, abs=5 * (both / 4096) ** 0.5)


@pytest.mark.parametrize("task", ["surface_code:rotated_memory_z", "repetition_code:memory"])
@pytest.mark.parametrize("p", [0.0005, 0.01, 0.1])
@pytest.mark.parametrize("shots", [1, 100, 20_000])
def test_shots_of_the_model_agree_with_it(task: str, p: float, shots: int) -> None:
    circuit = memory(task, p)
    found = rates(circuit)
    for seed in range(3):
        bits = circuit.compile_detector_sampler(seed=seed).sample(shots)
        assert found.contradiction(Shots(bits)) is None


def test_a_model_that_is_nearly_right_will_do() -> None:
    bits = memory(p=0.0102).compile_detector_sampler(seed=1).sample(16_384)
    assert rates(memory()).contradiction(Shots(bits)) is None


@pytest.mark.parametrize(
    "change",
    [
        np.invert,
        lambda bits: np.roll(bits, 1, axis=1),
        lambda bits: np.roll(bits, -8, axis=1),
        turned,
        lambda bits: bits[:, np.random.default_rng(1).permutation(32)],
        np.zeros_like,
        lambda bits: np.random.default_rng(0).random(bits.shape) < 0.5,
        lambda bits: bits & (np.arange(3000) % 2 == 0)[:, None],
    ],
)
def test_other_bits_contradict_it(sampled: Bits, change: Callable[[Bits], Bits]) -> None:
    found = rates(memory()).contradiction(Shots(change(sampled)))
    assert found is not None
    assert re.match(r"D\d+ fires in [\d.]+ % of 3000 shots, and the model expects [\d.]+ %", found)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda bits: np.roll(bits, 1, axis=1), "behind 1 other bits"),
        (lambda bits: np.roll(bits, -8, axis=1), "without the first 8"),
        (turned, "with the bits of each byte turned round"),
    ],
)
def test_the_rates_of_another_order_tell_with_few_shots(
    sampled: Bits, change: Callable[[Bits], Bits], name: str
) -> None:
    found = rates(memory()).contradiction(Shots(change(sampled[:350])))
    assert found == f"the rates of 350 shots are those of its detectors {name}"


def test_equal_rates_in_other_places_fire_together_too_rarely() -> None:
    """A ring of 48 detectors, all of one rate, in an order that parts all neighbours."""
    ring = [f"error(0.05) D{k} D{(k + 1) % 48}" for k in range(48)]
    dem = stim.DetectorErrorModel("\n".join(ring))
    bits = dem.compile_sampler(seed=5).sample(1000)[0]
    found = ExpectedRates.of(dem)
    assert found.contradiction(Shots(bits)) is None
    other = found.contradiction(Shots(bits[:, np.arange(48) * 5 % 48]))
    assert other is not None
    assert "fire together in a shot (mean of 1000), and the model expects 2." in other


def test_a_detector_that_no_error_flips_must_be_silent() -> None:
    found = ExpectedRates.of(stim.DetectorErrorModel("error(0.5) D0\ndetector D1"))
    bits = np.zeros((50, 2), bool)
    bits[::2, 0] = True
    assert found.contradiction(Shots(bits)) is None
    bits[7, 1] = True
    assert "D1 fires in 2 % of 50 shots, and the model expects 0 %" in str(
        found.contradiction(Shots(bits))
    )


def test_a_model_without_errors_expects_nothing() -> None:
    found = ExpectedRates.of(stim.DetectorErrorModel("detector D3"))
    assert found.contradiction(Shots(np.zeros((9, 4), bool))) is None
    assert found.contradiction(Shots(np.eye(4, dtype=bool))) is not None


def test_certain_errors_are_expected() -> None:
    found = ExpectedRates.of(stim.DetectorErrorModel("error(1) D0\nerror(0.5) D1"))
    bits = np.zeros((400, 2), bool)
    bits[:, 0], bits[::2, 1] = True, True
    assert found.contradiction(Shots(bits)) is None
    assert found.contradiction(Shots(~bits)) is not None
