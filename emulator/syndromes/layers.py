"""Measurement layers of a circuit: which step of measurements completes each detector."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import stim
from numpy.typing import NDArray

__all__ = ["MeasurementLayers", "measurement_layers", "shortened"]

_ANNOTATIONS = frozenset(
    {"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS", "TICK", "MPAD"}
)
_MAX_REPEATS = 6


@dataclass(frozen=True, slots=True, eq=False)
class MeasurementLayers:
    """Layers of measurements in order, counted in three ways.

    ``steps``: measurements with neither a gate, a reset, a TICK nor a second measurement of one of
    their qubits between them are one layer. ``parts``: noise and declared detectors end a layer
    too, which parts the ancillas of a last round from the data. ``moments``: all measurements
    between two TICKs are one layer. Each is int64 of shape (D,): the layer that completes the
    detector, that of its last measurement. ``counts`` are the numbers of layers, by the same names,
    and ``records`` the measurements of each detector.
    """

    steps: NDArray[np.int64]
    parts: NDArray[np.int64]
    moments: NDArray[np.int64]
    counts: dict[str, int]
    records: tuple[tuple[int, ...], ...]


def measurement_layers(circuit: stim.Circuit) -> MeasurementLayers:
    """Walk through ``circuit`` once; raises ValueError for a detector of what was never measured.

    Heralds and padding bits belong to the layer that follows them, as they measure no qubit. A
    detector without measurements is completed by the last layer before it.
    """
    walk = _Walk()
    for instruction in circuit.flattened():
        walk.take(instruction)
    of_record = np.array(walk.layers, dtype=np.int64).reshape(-1, 3)
    of_record = np.minimum(of_record, np.maximum(np.array(walk.counts) - 1, 0))
    completed = np.zeros((len(walk.records), 3), dtype=np.int64)
    for number, records in enumerate(walk.records):
        if records and min(records) < 0:
            raise ValueError(f"D{number} reads a measurement before the first")
        completed[number] = (
            of_record[list(records)].max(axis=0) if records else walk.declared[number]
        )
    steps, parts, moments = completed.T
    counts = dict(zip(("steps", "parts", "moments"), walk.counts, strict=True))
    return MeasurementLayers(steps, parts, moments, counts, tuple(walk.records))


def shortened(circuit: stim.Circuit) -> stim.Circuit:
    """Copy of a circuit whose REPEAT blocks run at most six times: enough to see their order."""
    copy = stim.Circuit()
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            count = min(item.repeat_count, _MAX_REPEATS)
            copy.append(stim.CircuitRepeatBlock(count, shortened(item.body_copy())))
        else:
            copy.append(item)
    return copy


@dataclass(slots=True)
class _Walk:
    """What is known after some instructions; triples are (steps, parts, moments)."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    is_open: list[bool] = field(default_factory=lambda: [False, False, False])
    measured: set[int] = field(default_factory=set)
    layers: list[tuple[int, ...]] = field(default_factory=list)
    records: list[tuple[int, ...]] = field(default_factory=list)
    declared: list[list[int]] = field(default_factory=list)

    def take(self, instruction: stim.CircuitInstruction) -> None:
        name = instruction.name
        if name == "DETECTOR":
            self._declare(instruction)
        elif name == "TICK":
            self.is_open = [False, False, False]
        elif instruction.num_measurements and not _is_herald(name):
            self._measure(instruction)
        elif instruction.num_measurements:
            self.layers += [tuple(self.counts)] * instruction.num_measurements
        elif _is_noise(name):
            self.is_open[1] = False
        elif name not in _ANNOTATIONS:
            self.is_open[0] = self.is_open[1] = False

    def _declare(self, instruction: stim.CircuitInstruction) -> None:
        self.is_open[1] = False
        targets = instruction.targets_copy()
        self.records.append(tuple(len(self.layers) + target.value for target in targets))
        self.declared.append([max(count - 1, 0) for count in self.counts])

    def _measure(self, instruction: stim.CircuitInstruction) -> None:
        for qubits, records in _at_once(instruction):
            if not self.is_open[0]:
                self.measured = set()
            elif self.measured & qubits:
                self.is_open[0] = self.is_open[1] = False
                self.measured = set()
            self.measured |= qubits
            for kind in range(3):
                self.counts[kind] += not self.is_open[kind]
                self.is_open[kind] = True
            self.layers += [tuple(count - 1 for count in self.counts)] * records


def _at_once(instruction: stim.CircuitInstruction) -> Iterator[tuple[set[int], int]]:
    """Qubits that are measured at once, and the number of measurements, in the order of these.

    Stim merges "M 0" and another "M 0" into "M 0 0". Products of one instruction are measured at
    once although they share qubits, as stabilisers do.
    """
    groups = instruction.target_groups()
    qubits = [target.value for group in groups for target in group]
    if len(qubits) > len(groups) or len(set(qubits)) == len(qubits):
        yield set(qubits), len(groups)
    else:
        yield from (({qubit}, 1) for qubit in qubits)


@cache
def _is_herald(name: str) -> bool:
    return name == "MPAD" or name.startswith("HERALDED")


@cache
def _is_noise(name: str) -> bool:
    facts = stim.gate_data(name)
    return bool(facts.is_noisy_gate and not facts.produces_measurements)
