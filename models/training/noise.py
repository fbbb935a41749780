"""Circuit noise in 25 numbers, and the Poisson rates at which its Pauli faults are drawn.

The parameters and the scaling for training are those of NVIDIA's Ising pre-decoder,
github.com/NVIDIA/Ising-Decoding, ``code/qec/noise_model.py`` and its TRAINING.md.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from emulator.errors import SyndromeError

__all__ = ["CNOT", "PARAMETERS", "NoiseModel"]

CNOT = tuple(a + b for a, b in product("IXYZ", repeat=2) if a + b != "II")
"""The 15 faults of a CNOT: Pauli on the control, then on the target."""

PARAMETERS = (
    *("prep_X", "prep_Z", "meas_X", "meas_Z"),
    *(f"idle_cnot_{pauli}" for pauli in "XYZ"),
    *(f"idle_spam_{pauli}" for pauli in "XYZ"),
    *(f"cnot_{pair}" for pair in CNOT),
)
"""Names of the 25 probabilities: flip of a qubit prepared or of an outcome measured in a basis;
Pauli on a qubit that idles during a layer of CNOTs, and on data while ancillas are measured and
reset; Pauli pair after a CNOT."""

_CHANNELS = tuple(slice(*ends) for ends in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 7), (7, 10)))
_CNOT_CHANNEL = slice(10, 25)
_GROUPS = (slice(0, 2), slice(2, 4), slice(4, 7), slice(7, 10), _CNOT_CHANNEL)
_TARGET = 6e-3
"""Largest of the five group sums after scaling, a little below the threshold of the code."""


@dataclass(frozen=True)
class NoiseModel:
    """Probabilities in the order of ``PARAMETERS``.

    Raises SyndromeError unless there are 25 numbers >= 0 and every channel leaves its qubits alone
    more often than not, without which there are no rates.
    """

    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no set of channels."""
        if len(self.probabilities) != len(PARAMETERS):
            raise SyndromeError(
                f"noise: {len(self.probabilities)} parameters; give {len(PARAMETERS)} of them."
            )
        for name, value in zip(PARAMETERS, self.probabilities, strict=True):
            if not 0 <= value < 0.5:
                raise SyndromeError(f"noise: {name} = {value} is not in [0, 0.5); give less.")
        for channel in (*_CHANNELS, _CNOT_CHANNEL):
            total = sum(self.probabilities[channel])
            if total >= 0.5:
                names = f"{PARAMETERS[channel][0]} to {PARAMETERS[channel][-1]}"
                raise SyndromeError(f"noise: {names} sum to {total:.4g}; give less than 0.5.")

    @classmethod
    def depolarising(cls, p: float) -> "NoiseModel":
        """The one-parameter model of ``emulator.syndromes.ising_memory.memory_circuit``."""
        waiting = 2 * p / 3 - 4 * p**2 / 9
        return cls((*[2 * p / 3] * 4, *[p / 3] * 3, *[waiting] * 3, *[p / 15] * 15))

    def scaled(self) -> "NoiseModel":
        """The noise to train at: all 25 numbers times one factor, never less than 1.

        It makes the largest of the five sums (preparation, measurement, both kinds of idling,
        CNOT) 6e-3: weak noise gives few events to learn from. Stronger noise stays as it is.
        """
        largest = max(sum(self.probabilities[group]) for group in _GROUPS)
        factor = max(1.0, _TARGET / largest) if largest else 1.0
        return NoiseModel(tuple(factor * value for value in self.probabilities))

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """Mean number of times each fault happens, float64 (25,), if faults are Poisson.

        A Pauli drawn a Poisson number of times with mean μ acts with probability
        (1 - exp(-2μ))/2. The product of such independent faults over all Paulis of a channel is
        the channel itself, where its eigenvalues f, the Walsh-Hadamard transform of its
        probabilities, allow it: μ = WHT(log f)/4^n. It is exact for one Pauli and for
        depolarising noise; a rate that comes out negative, of second order in p, is taken as 0.
        """
        p = np.array(self.probabilities)
        rates = [_flip_rate(p[channel]) for channel in _CHANNELS[:4]]
        rates += [_pauli_rates(p[channel], 1) for channel in _CHANNELS[4:]]
        rates.append(_pauli_rates(p[_CNOT_CHANNEL], 2))
        return np.concatenate(rates)


def _flip_rate(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-np.log1p(-2 * p) / 2)


def _pauli_rates(p: NDArray[np.float64], qubits: int) -> NDArray[np.float64]:
    """Rates of the Paulis I … ZZ but the first, whose probabilities are ``p``."""
    one = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])  # I X Y Z
    signs = one if qubits == 1 else np.kron(one, one)
    eigenvalues = signs @ np.concatenate([[1 - p.sum()], p])
    rates = signs @ np.log(eigenvalues) / len(signs)
    return np.asarray(np.maximum(rates[1:], 0))
