"""Memory experiment whose detectors come in exactly the order an Ising pre-decoder expects."""

import stim

from emulator.errors import SyndromeError
from emulator.syndromes.rotated_patch import Orientation, PauliType, RotatedPatch

__all__ = ["memory_circuit"]


def memory_circuit(
    *,
    distance: int,
    rounds: int,
    basis: PauliType,
    orientation: Orientation = "XV",
    p: float,
    readout_noise: bool = True,
) -> stim.Circuit:
    """Build a rotated-surface-code memory experiment of ``rounds`` = T rounds, T >= 2.

    One state-preparation round, T - 2 looped rounds and one noise-free round; each measures the X
    ancillas, then the Z ancillas. The 2·T·half detectors, half = (distance² - 1)/2, come in groups
    of half: the memory-basis checks of round 0; X then Z checks of round t = 1 … T - 1; last the
    final data parity against the last ancilla round, which is always 0. Detector coordinates are
    (x, y, t) with data qubit (r, c) at (2c + 1, 2r + 1). Observable 0 is the logical of ``basis``.

    ``p`` sets all noise: preparation and measurement flips 2p/3, DEPOLARIZE2(p) after a CNOT,
    DEPOLARIZE1(p) on whoever idles during a CNOT layer, and two such steps in a row (each Pauli
    with 2p/3 - 4p²/9) on data waiting for the ancillas. ``readout_noise`` flips data by 2p/3
    before the noise-free round, which then stands for a noisy data readout. Order and noise rule:
    github.com/NVIDIA/Ising-Decoding, ``code/qec/surface_code/memory_circuit.py``.

    Raises SyndromeError for an even distance, fewer than 2 rounds, or a p outside [0, 0.75].
    """
    if rounds < 2:
        raise SyndromeError(f"rounds: {rounds} is too few for the Ising layout; give at least 2.")
    if basis not in {"X", "Z"}:
        raise SyndromeError(f'basis: "{basis}" is unknown; give "X" or "Z".')
    if not 0 <= p <= 0.75:
        raise SyndromeError(f"p: {p} is not a depolarising probability; give one in [0, 0.75].")
    builder = _Builder(RotatedPatch(distance, orientation), basis, p)
    circuit = builder.prepare()
    circuit += builder.extraction(noisy=True) + builder.detectors(first=True)
    if rounds > 2:
        looped = builder.extraction(noisy=True) + builder.detectors()
        circuit.append(stim.CircuitRepeatBlock(rounds - 2, looped))
    if readout_noise and p > 0:
        circuit.append(_FLIP[basis], builder.data, 2 * p / 3)
    circuit += builder.extraction(noisy=False) + builder.detectors()
    return circuit + builder.read_out()


_FLIP = {"X": "Z_ERROR", "Z": "X_ERROR"}
_RESET = {"X": "RX", "Z": "R"}
_MEASURE = {"X": "MX", "Z": "M"}
_MEASURE_RESET = {"X": "MRX", "Z": "MR"}
_KINDS: tuple[PauliType, PauliType] = ("X", "Z")


class _Builder:
    """Parts of the experiment: data qubits 0 … d² - 1, then X ancillas, then Z ancillas."""

    def __init__(self, patch: RotatedPatch, basis: PauliType, p: float) -> None:
        self.patch, self.basis, self.p = patch, basis, p
        size, half = patch.distance**2, patch.half
        self.data = range(size)
        self.ancillas = {"X": range(size, size + half), "Z": range(size + half, size + 2 * half)}
        self.corners = {kind: patch.corners(kind).tolist() for kind in _KINDS}

    def prepare(self) -> stim.Circuit:
        """Name the coordinates and reset every qubit."""
        circuit = stim.Circuit()
        for q in self.data:
            r, c = divmod(q, self.patch.distance)
            circuit.append("QUBIT_COORDS", [q], (2 * c + 1, 2 * r + 1))
        for kind in _KINDS:
            for q, (i, j) in zip(self.ancillas[kind], self.corners[kind], strict=True):
                circuit.append("QUBIT_COORDS", [q], (2 * j, 2 * i))
        circuit.append(_RESET[self.basis], self.data)
        self._flip(circuit, self.basis, self.data)
        for kind in _KINDS:
            circuit.append(_RESET[kind], self.ancillas[kind])
        circuit.append("TICK")
        return circuit

    def extraction(self, *, noisy: bool) -> stim.Circuit:
        """One round from freshly reset ancillas to measured and reset ones."""
        circuit = stim.Circuit()
        if noisy:
            for kind in _KINDS:
                self._flip(circuit, kind, self.ancillas[kind])
        for step in range(4):
            pairs = self._cnots(step)
            circuit.append("CX", pairs)
            if noisy and self.p > 0:
                circuit.append("DEPOLARIZE2", pairs, self.p)
                idle = sorted(set(range(2 * len(self.data) - 1)) - set(pairs))
                circuit.append("DEPOLARIZE1", idle, self.p)
            circuit.append("TICK")
        for kind in _KINDS:
            flip = [2 * self.p / 3] if noisy and self.p > 0 else []
            circuit.append(_MEASURE_RESET[kind], self.ancillas[kind], flip)
        if noisy and self.p > 0:
            each = 2 * self.p / 3 - 4 * self.p**2 / 9
            circuit.append("PAULI_CHANNEL_1", self.data, [each] * 3)
        circuit.append("TICK")
        return circuit

    def detectors(self, *, first: bool = False) -> stim.Circuit:
        """Detectors of the round just measured; in the first, the memory basis against nothing."""
        circuit, half = stim.Circuit(), self.patch.half
        for kind in (self.basis,) if first else _KINDS:
            for k, (i, j) in enumerate(self.corners[kind]):
                now = k - (2 if kind == "X" else 1) * half
                recs = [now] if first else [now, now - 2 * half]
                circuit.append(
                    "DETECTOR", [stim.target_rec(rec) for rec in recs], (2 * j, 2 * i, 0)
                )
        circuit.append("SHIFT_COORDS", [], (0, 0, 1))
        return circuit

    def read_out(self) -> stim.Circuit:
        """Measure the data without noise; boundary detectors and the logical observable."""
        circuit, half, size = stim.Circuit(), self.patch.half, len(self.data)
        circuit.append(_MEASURE[self.basis], self.data)
        ancilla = -size - (2 if self.basis == "X" else 1) * half
        for k, (i, j) in enumerate(self.corners[self.basis]):
            support = [q for q in self.patch.support((i, j)) if q is not None]
            recs = [ancilla + k, *(q - size for q in support)]
            circuit.append("DETECTOR", [stim.target_rec(rec) for rec in recs], (2 * j, 2 * i, 0))
        logical = self.patch.logical(self.basis).nonzero()[0].tolist()
        circuit.append("OBSERVABLE_INCLUDE", [stim.target_rec(q - size) for q in logical], 0)
        return circuit

    def _cnots(self, step: int) -> list[int]:
        pairs: list[int] = []
        for kind in _KINDS:
            order = self.patch.cnot_steps(kind)
            for ancilla, (i, j) in zip(self.ancillas[kind], self.corners[kind], strict=True):
                data = self.patch.support((i, j), order)[step]
                if data is not None:
                    pairs += [ancilla, data] if kind == "X" else [data, ancilla]
        return pairs

    def _flip(self, circuit: stim.Circuit, kind: str, qubits: range) -> None:
        if self.p > 0:
            circuit.append(_FLIP[kind], qubits, 2 * self.p / 3)
