"""Detection events of long circuits, sampled some rounds at a time.

Stim's detector sampler holds all measurements and detectors of 256 shots, 32 bytes each, however
few shots are wanted. Here the circuit goes through one ``FlipSimulator`` block by block; between
blocks its record is emptied, and only what a later block can look back on stays: the Pauli frame
and the last measurements. No REPEAT block is unrolled.
"""

from collections.abc import Iterator

import numpy as np
import stim
from numpy.typing import NDArray

__all__ = ["BlockwiseSampler"]

Bits = NDArray[np.uint8]

_LANES = 256
"""Shots that are simulated side by side: Stim pads fewer to as many."""


class BlockwiseSampler:
    """Samples shots of a circuit whose detectors are deterministic, in batches of ``lanes``.

    Memory is that of the shots asked for, a bit a detector, and of a block: ``block_detectors``
    detectors or one iteration of an innermost REPEAT block, whichever is more, at some 100 bytes.
    """

    def __init__(
        self, circuit: stim.Circuit, *, seed: int, lanes: int, block_detectors: int = 1 << 16
    ) -> None:
        """Prepare batches of ``lanes`` shots, at most 256."""
        self._circuit = circuit
        self._lanes = lanes
        self._block_detectors = block_detectors
        self._lookback = _lookback(circuit)
        # Detectors are deterministic, which the making of the error model has checked: they do not
        # depend on how the simulator randomises stabilizers.
        self._simulator = stim.FlipSimulator(
            batch_size=_LANES,
            num_qubits=circuit.num_qubits,
            seed=seed,
            disable_stabilizer_randomization=True,
        )

    def sample(self) -> tuple[Bits, Bits]:
        """Sample the next batch.

        Detectors are uint8 (lanes, ceil(D / 8)), observables uint8 (lanes, ceil(O / 8)), bit-packed
        along the last axis, least significant bit first.
        """
        simulator, lanes = self._simulator, self._lanes
        detectors = np.zeros((lanes, -(-self._circuit.num_detectors // 8)), dtype=np.uint8)
        observables = np.zeros((self._circuit.num_observables, lanes), dtype=bool)
        left = np.empty((lanes, 0), dtype=bool)
        at = 0
        simulator.clear()
        for block in self._blocks(self._circuit, 1):
            simulator.do(block)
            flips = simulator.get_detector_flips(bit_packed=True)[:, : -(-lanes // 8)]
            bits = np.unpackbits(flips, axis=1, count=lanes, bitorder="little").T
            left = np.concatenate([left, bits.astype(bool)], axis=1)
            whole = left.shape[1] // 8
            packed = np.packbits(left[:, : 8 * whole], axis=1, bitorder="little")
            detectors[:, at : at + whole] = packed
            at, left = at + whole, left[:, 8 * whole :]
            found = simulator.get_observable_flips()
            observables[: len(found)] ^= found[:, :lanes]
            self._forget()
        detectors[:, at:] = np.packbits(left, axis=1, bitorder="little")
        return detectors, np.packbits(observables.T, axis=1, bitorder="little")

    def _blocks(self, circuit: stim.Circuit, times: int) -> Iterator[stim.Circuit]:
        """Split ``times`` repetitions of a circuit into blocks, in order."""
        detectors = max(1, circuit.num_detectors)
        if detectors * times <= self._block_detectors or not _has_blocks(circuit):
            each = max(1, self._block_detectors // detectors)
            for done in range(0, times, each):
                yield circuit * min(each, times - done)
            return
        for _ in range(times):
            straight = stim.Circuit()
            for item in circuit:
                if isinstance(item, stim.CircuitRepeatBlock):
                    if len(straight):
                        yield straight
                    straight = stim.Circuit()
                    yield from self._blocks(item.body_copy(), item.repeat_count)
                else:
                    straight.append(item)
            if len(straight):
                yield straight

    def _forget(self) -> None:
        """Empty the record of the simulator but for what a later block can look back on."""
        simulator, scratch = self._simulator, self._circuit.num_qubits
        flips = simulator.get_measurement_flips(bit_packed=True)
        flips = flips[max(0, len(flips) - self._lookback) :]
        kept = np.unpackbits(flips, axis=1, count=_LANES, bitorder="little").astype(bool)
        frames = [frame.to_numpy() for frame in simulator.peek_pauli_flips()]
        simulator.clear()
        # Kept measurements are made again, of qubits beyond those of the circuit.
        mask = np.zeros((scratch + len(kept), _LANES), dtype=bool)
        mask[scratch:] = kept
        simulator.broadcast_pauli_errors(pauli="X", mask=mask)
        again = stim.Circuit()
        again.append("MR", range(scratch, scratch + len(kept)))
        simulator.do(again)
        for pauli, masks in (("X", [x for x, _ in frames]), ("Z", [z for _, z in frames])):
            mask = np.array(masks)[:, :scratch].T
            simulator.broadcast_pauli_errors(pauli=pauli, mask=mask)


def _has_blocks(circuit: stim.Circuit) -> bool:
    return any(isinstance(item, stim.CircuitRepeatBlock) for item in circuit)


def _lookback(circuit: stim.Circuit) -> int:
    """Measurements that an instruction looks back on at most."""
    furthest = 0
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            furthest = max(furthest, _lookback(item.body_copy()))
        else:
            records = (t.value for t in item.targets_copy() if t.is_measurement_record_target)
            furthest = max(furthest, *(-value for value in records), 0)
    return furthest
