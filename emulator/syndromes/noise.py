"""SI1000, the superconducting-inspired noise model, as a pass over a noiseless circuit."""

from collections.abc import Iterable

import stim

from emulator.errors import SyndromeError

__all__ = ["si1000"]

_RESET_ERROR = {"R": "X_ERROR", "RX": "Z_ERROR", "RY": "X_ERROR"}
_MEASUREMENTS = {"M", "MX", "MY"}
_MEASURE_RESETS = {"MR": "R", "MRX": "RX", "MRY": "RY"}
_ANNOTATIONS = {"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS"}
_COLLAPSING = _RESET_ERROR.keys() | _MEASUREMENTS | _MEASURE_RESETS.keys()


def si1000(circuit: stim.Circuit, p: float) -> stim.Circuit:
    """Add SI1000(``p``) noise to a noiseless circuit whose moments are separated by TICKs.

    Two-qubit Clifford gates are followed by DEPOLARIZE2(p), one-qubit ones by DEPOLARIZE1(p/10),
    resets by a flip of 2p; measurement results flip with 5p (the result, not the qubit: the same
    thing where the qubit is reset or never used again). A qubit that does nothing in a moment
    gets DEPOLARIZE1(p/10), and DEPOLARIZE1(2p) on top when others are measured or reset
    meanwhile. Only qubits that some gate of the circuit acts on can idle.

    Gidney, Newman, Fowler and Broughton, "A Fault-Tolerant Honeycomb Memory", arXiv 2108.10457,
    table of noise models; X and Y bases get the rates of the Z basis, as Stim's generated
    circuits prepare and measure in X directly. Operations between two TICKs are one moment, also
    across the end of a REPEAT block, whose body has to start with a TICK. Raises SyndromeError
    for other circuits, for gates it has no rate for and for p outside 0 .. 0.2.
    """
    if not 0 <= p <= 0.2:
        raise SyndromeError(f"si1000: p(={p}) must be from 0 to 0.2, as measurements flip with 5p")
    noisy = _Moments(p, _qubits(circuit))
    noisy.walk(circuit)
    noisy.close()
    return noisy.out


def _qubits(circuit: stim.Circuit) -> set[int]:
    """Qubits that gates act on; bare coordinates do not make a qubit."""
    used: set[int] = set()
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            used |= _qubits(item.body_copy())
        elif item.name != "QUBIT_COORDS":
            used |= _targets([item])
    return used


def _targets(items: Iterable[stim.CircuitInstruction]) -> set[int]:
    return {t.value for item in items for t in item.targets_copy() if t.is_qubit_target}


class _Moments:
    """The noisy circuit so far, and the operations of the moment that is still open."""

    def __init__(self, p: float, qubits: set[int]) -> None:
        self.p = p
        self.qubits = qubits
        self.out = stim.Circuit()
        self.open: list[stim.CircuitInstruction] = []

    def walk(self, circuit: stim.Circuit) -> None:
        for item in circuit:
            if isinstance(item, stim.CircuitRepeatBlock):
                self._repeat(item)
            elif item.name == "TICK":
                self.close()
                self.out.append(item)
            else:
                self._apply(item)

    def close(self) -> None:
        """End the open moment with the noise of the qubits that did nothing in it."""
        if not self.open:
            return
        idle = sorted(self.qubits - _targets(self.open))
        if idle:
            self.out.append("DEPOLARIZE1", idle, self.p / 10)
            if any(item.name in _COLLAPSING for item in self.open):
                self.out.append("DEPOLARIZE1", idle, 2 * self.p)
        self.open = []

    def _repeat(self, block: stim.CircuitRepeatBlock) -> None:
        """All iterations but the last in a block: the last moment may go on after the block."""
        body = block.body_copy()
        first = body[0]
        if first.name != "TICK":
            raise SyndromeError(
                f"si1000: a REPEAT block starts with {first.name}; start its body with a TICK, "
                "so that no moment spans two iterations"
            )
        self.close()
        if block.repeat_count > 1:
            inner = _Moments(self.p, self.qubits)
            inner.walk(body)
            inner.close()
            self.out.append(stim.CircuitRepeatBlock(block.repeat_count - 1, inner.out))
        self.walk(body)

    def _apply(self, item: stim.CircuitInstruction) -> None:
        """Append one operation with its own noise, and enter it in the open moment."""
        if item.name in _ANNOTATIONS:
            self.out.append(item)
            return
        targets = item.targets_copy()
        gate = stim.gate_data(item.name)
        if item.name in _COLLAPSING and not item.gate_args_copy():
            self._collapse(item.name, targets)
        elif gate.is_unitary and all(t.is_qubit_target for t in targets):
            self.out.append(item)
            if gate.is_two_qubit_gate:
                self.out.append("DEPOLARIZE2", targets, self.p)
            else:
                self.out.append("DEPOLARIZE1", targets, self.p / 10)
        else:
            raise SyndromeError(
                f'si1000: no rate for "{item}"; give it noiseless Clifford gates, resets and '
                "single-qubit measurements only"
            )
        self.open.append(item)

    def _collapse(self, name: str, targets: list[stim.GateTarget]) -> None:
        reset = _MEASURE_RESETS.get(name, name)
        if name in _RESET_ERROR:
            self.out.append(name, targets)
        else:
            self.out.append(name, targets, 5 * self.p)
        if reset in _RESET_ERROR:
            self.out.append(_RESET_ERROR[reset], [t.value for t in targets], 2 * self.p)
