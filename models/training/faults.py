"""Every fault of a memory experiment: what it does to the data and to the outcomes of its round.

A fault leaves a Pauli on data qubits and flips some outcomes of its own round; from the next round
on, all outcomes follow from the Pauli. So the faults of one round, found once by going through
the Stim circuit backwards, stand for those of every round.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.syndromes.ising_memory import memory_circuit
from models.training.noise import CNOT, PARAMETERS

__all__ = ["Faults", "RoundFaults", "faults"]


@dataclass(frozen=True, eq=False)
class Faults:
    """Faults of one kind of place; F of them.

    ``parameter`` is int64 (F,), an index into ``PARAMETERS``. ``data`` is uint8 (F, 2, D²), the
    Z-type and X-type Pauli it leaves on the data qubits at the end of its round; ``outcomes`` is
    uint8 (F, 2, half), the X and Z checks whose outcome it flips in that round.
    """

    parameter: NDArray[np.int64]
    data: NDArray[np.uint8]
    outcomes: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class RoundFaults:
    """All faults of a memory experiment of T rounds.

    ``preparation`` happens in round 0, ``extraction`` in each of the rounds 0 … T - 2 and
    ``readout`` at the end of round T - 2. Round T - 1 is free of noise.
    """

    layout: IsingLayout
    preparation: Faults
    extraction: Faults
    readout: Faults


def faults(layout: IsingLayout) -> RoundFaults:
    """Find the faults of ``memory_circuit`` for ``layout``; they do not depend on T."""
    circuit = memory_circuit(
        distance=layout.distance,
        rounds=3,
        basis=layout.basis,
        orientation=layout.orientation,
        p=0.01,  # any: only the places of the noise matter
    )
    items = list(circuit)
    middle = next(k for k, item in enumerate(items) if isinstance(item, stim.CircuitRepeatBlock))
    body = list(items[middle].body_copy())
    ready = next(k for k, item in enumerate(items) if item.name == "TICK")

    backwards = _Backwards(layout)
    readout = backwards.noise(items[middle + 1], "meas")
    extraction = [part for item in reversed(body) for part in backwards.step(item)]
    preparation = [part for item in items[:ready] for part in backwards.noise(item, "prep")]
    return RoundFaults(
        layout,
        preparation=backwards.collect(preparation),
        extraction=backwards.collect(extraction),
        readout=backwards.collect(readout),
    )


_Part = tuple[str, NDArray[np.uint8]]
"""One of the ``PARAMETERS``, and the effects uint8 (n, W) of such a fault on n qubits or pairs."""

_FLIPS = {"Z_ERROR": ("Z", "X"), "X_ERROR": ("X", "Z")}
"""Pauli of a flip, and the basis whose states and outcomes it flips."""
_IDLE = {"DEPOLARIZE1": "idle_cnot", "PAULI_CHANNEL_1": "idle_spam"}
_MEASURED = {"MRX": ("X", "Z", 0), "MR": ("Z", "X", 1)}
"""Basis of a measurement, the Pauli that flips its outcome, and its place among (X, Z)."""


class _Backwards:
    """What a Pauli on a qubit does by the end of the round, going back through its circuit.

    Effects are uint8 (qubits, W), W = 2·D² + 2·half bits of data and outcomes in the order of
    ``Faults``; ``x`` and ``z`` are those of an X and of a Z.
    """

    def __init__(self, layout: IsingLayout) -> None:
        self.size, self.half = layout.distance**2, layout.half
        self.width = 2 * self.size + 2 * self.half
        shape = (self.size + 2 * self.half, self.width)
        self.x, self.z = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
        data = np.arange(self.size)
        self.z[data, data] = 1
        self.x[data, self.size + data] = 1

    def effect(self, pauli: str, qubits: list[int]) -> NDArray[np.uint8]:
        """Effects (n, W) of one Pauli on each of the qubits."""
        found = {"I": 0 * self.x, "X": self.x, "Y": self.x ^ self.z, "Z": self.z}[pauli]
        return np.asarray(found[qubits])

    def noise(self, item: Any, flipped: str) -> list[_Part]:
        """Faults of a noise instruction; ``flipped`` says what an X_ERROR or Z_ERROR spoils."""
        qubits = [target.value for target in item.targets_copy()]
        if item.name in _FLIPS:
            pauli, basis = _FLIPS[item.name]
            return [(f"{flipped}_{basis}", self.effect(pauli, qubits))]
        if item.name in _IDLE:
            return [(f"{_IDLE[item.name]}_{pauli}", self.effect(pauli, qubits)) for pauli in "XYZ"]
        if item.name == "DEPOLARIZE2":
            first, second = qubits[::2], qubits[1::2]
            return [
                (f"cnot_{pair}", self.effect(pair[0], first) ^ self.effect(pair[1], second))
                for pair in CNOT
            ]
        return []

    def step(self, item: Any) -> list[_Part]:
        """Go back through one instruction of a round; its faults."""
        qubits = [target.value for target in item.targets_copy()]
        if item.name == "CX":
            control, target = qubits[::2], qubits[1::2]
            self.x[control] ^= self.x[target]
            self.z[target] ^= self.z[control]
        elif item.name in _MEASURED:
            basis, flip, place = _MEASURED[item.name]
            self.x[qubits] = self.z[qubits] = 0
            flipped = 2 * self.size + place * self.half + np.arange(self.half)
            (self.z if flip == "Z" else self.x)[qubits, flipped] = 1
            return [(f"meas_{basis}", self.effect(flip, qubits))]
        return self.noise(item, "prep")

    def collect(self, parts: list[_Part]) -> Faults:
        """Lay faults out, without those that do nothing."""
        counts = [len(effects) for _, effects in parts]
        parameter = np.repeat([PARAMETERS.index(name) for name, _ in parts], counts)
        effects = np.concatenate([effects for _, effects in parts])
        seen = effects.any(axis=1)
        data, outcomes = np.split(effects[seen], [2 * self.size], axis=1)
        return Faults(
            parameter[seen],
            data.reshape(-1, 2, self.size),
            outcomes.reshape(-1, 2, self.half),
        )
