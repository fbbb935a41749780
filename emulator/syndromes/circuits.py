"""Detection events sampled from Stim circuits: generated codes and circuit files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.blockwise import BlockwiseSampler
from emulator.syndromes.colour_code import coloured_circuit
from emulator.syndromes.noise import si1000
from emulator.syndromes.rounds import coordinate_table, detector_rounds
from emulator.syndromes.source import Chunk, CodeInfo, SyndromeSource, chunk_starts

__all__ = [
    "CircuitSource",
    "circuit_source",
    "error_model",
    "generated_circuit",
    "generated_source",
    "raw_bits_per_round",
    "read_circuit",
    "source_from_circuit",
]

NOISE_MODELS = ("depolarizing", "si1000", "none")

# What Stim simulates at once: it pads batches to its SIMD width, which is at most 256 bits.
_BATCH_SHOTS = 256
# Stim takes some 100 bytes a detector and batch; circuits of more detectors are sampled blockwise.
_LONG = 1 << 20
_BATCH_BITS = 1 << 29


@dataclass(frozen=True, eq=False)
class CircuitSource:
    """An unlimited source: shots sampled from a noisy circuit (fields as in SyndromeSource)."""

    name: str
    circuit: stim.Circuit
    dem: stim.DetectorErrorModel
    detector_round: NDArray[np.int32]
    num_rounds: int
    metadata: CodeInfo
    num_shots: None = None

    @property
    def num_detectors(self) -> int:
        """Detectors a shot, D."""
        return int(self.circuit.num_detectors)

    @property
    def num_observables(self) -> int:
        """Logical observables a shot, O."""
        return int(self.circuit.num_observables)

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """Detector coordinates, read anew at each call (see SyndromeSource)."""
        return coordinate_table(self.circuit, self.name)

    def chunks(self, shots: int, *, seed: int, chunk_shots: int = 1024) -> Iterator[Chunk]:
        """Sample shots 0 .. ``shots`` - 1 (see SyndromeSource), bit-packed throughout.

        One sampler runs in batches of 256 shots, or of fewer for long circuits, whatever
        ``chunk_shots`` is, so that shot k is the same in chunks of any size and in requests of any
        length. Stim's random stream differs between versions of Stim and between machines of
        different SIMD width: store shots, not seeds, to repeat a result elsewhere.
        """
        starts = chunk_starts(self, shots, chunk_shots)
        batches = self._batches(seed)
        detectors, observables = next(batches)
        for first in starts:
            count = min(chunk_shots, shots - first)
            parts, held = [(detectors, observables)], len(detectors)
            while held < count:
                parts.append(next(batches))
                held += len(parts[-1][0])
            detectors = np.concatenate([part[0] for part in parts])
            observables = np.concatenate([part[1] for part in parts])
            yield Chunk(first, detectors[:count], observables[:count])
            detectors, observables = detectors[count:], observables[count:]

    def _batches(self, seed: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        # Stim takes 64 bits of seed; a hash of the seed keeps neighbouring seeds apart
        state = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
        if self.num_detectors > _LONG:
            lanes = max(1, min(_BATCH_SHOTS, _BATCH_BITS // self.num_detectors))
            blockwise = BlockwiseSampler(self.circuit, seed=state >> 1, lanes=lanes)
            while True:
                yield blockwise.sample()
        sampler = self.circuit.compile_detector_sampler(seed=state >> 1)
        while True:
            yield sampler.sample(_BATCH_SHOTS, bit_packed=True, separate_observables=True)


def generated_circuit(
    task: str, *, distance: int, rounds: int, noise: str, p: float
) -> stim.Circuit:
    """One of ``stim.Circuit.generated``'s memory experiments, with noise of strength ``p``.

    ``noise`` is ``"depolarizing"`` (all four noise parameters of the generator equal ``p``),
    ``"si1000"`` or ``"none"``. A colour code gets the detectors of ``coloured_circuit``. Raises
    SyndromeError, with Stim's reason, for what cannot be generated.
    """
    if noise not in NOISE_MODELS:
        raise SyndromeError(
            f'noise model "{noise}" is unknown; write one of {", ".join(NOISE_MODELS)}'
        )
    strength = p if noise == "depolarizing" else 0.0
    try:
        circuit = stim.Circuit.generated(
            task,
            distance=distance,
            rounds=rounds,
            after_clifford_depolarization=strength,
            before_round_data_depolarization=strength,
            before_measure_flip_probability=strength,
            after_reset_flip_probability=strength,
        )
    except ValueError as reason:
        raise SyndromeError(
            f"Stim cannot generate {task} with distance {distance}, rounds {rounds} and p {p}: "
            f"{_first_line(reason)}"
        ) from reason
    if task.startswith("color_code"):
        circuit = coloured_circuit(circuit, rounds)
    return si1000(circuit, p) if noise == "si1000" else circuit


def generated_source(
    task: str, *, distance: int, rounds: int, noise: str, p: float
) -> CircuitSource:
    """Source of a generated memory experiment (see ``generated_circuit``) of ``rounds`` rounds.

    The detectors of the final data readout belong to the last round, with whose ancillas the data
    qubits are measured. The colour code's first round completes no detector, as the first ones
    multiply two rounds of its X, Y, Z cycle; its error model is left undecomposed, as an error
    trips three detectors, one of each colour.
    """
    circuit = generated_circuit(task, distance=distance, rounds=rounds, noise=noise, p=p)
    colour = task.startswith("color_code")
    basis = task[-1].upper() if task.endswith(("memory_x", "memory_z")) else None
    return circuit_source(
        circuit,
        name=f"{task} d={distance} r={rounds} {noise} p={p}",
        rounds=rounds,
        first_round=1 if colour else 0,
        decompose=not colour,
        metadata=CodeInfo(task, distance, "Z" if task == "repetition_code:memory" else basis, p),
    )


def source_from_circuit(path: str | Path, *, rounds: int | None = None) -> CircuitSource:
    """Source of a ``.stim`` file whose detectors carry coordinates.

    Rounds are the distinct times of the detectors (see ``detector_rounds``); ``rounds`` puts
    later ones into the last round. Raises SyndromeError for a file that Stim cannot read, for
    detectors without coordinates and for a circuit without an error model.
    """
    return circuit_source(read_circuit(path), name=str(path), rounds=rounds)


def circuit_source(
    circuit: stim.Circuit,
    *,
    name: str,
    rounds: int | None = None,
    first_round: int = 0,
    decompose: bool = True,
    metadata: CodeInfo | None = None,
) -> CircuitSource:
    """Source of any noisy circuit; the earliest detectors belong to round ``first_round``."""
    table = coordinate_table(circuit, name)
    detector_round, num_rounds = detector_rounds(table, name, rounds, first_round)
    return CircuitSource(
        name=name,
        circuit=circuit,
        dem=error_model(circuit, name, decompose=decompose),
        detector_round=detector_round,
        num_rounds=num_rounds,
        metadata=metadata or CodeInfo(),
    )


def read_circuit(path: str | Path) -> stim.Circuit:
    """Read a ``.stim`` file; SyndromeError, with the reason, where that fails."""
    try:
        return stim.Circuit.from_file(str(path))
    except (ValueError, OSError, IndexError) as reason:
        raise SyndromeError(
            f"{path}: cannot be read as a Stim circuit: {_first_line(reason)}"
        ) from reason


def error_model(
    circuit: stim.Circuit, name: str, *, decompose: bool = True
) -> stim.DetectorErrorModel:
    """Error model of a circuit, its errors split into graph edges where ``decompose`` is set.

    A circuit whose errors do not split keeps whole hyperedges, which need a hypergraph decoder.
    Exclusive Pauli channels count as independent errors. Raises SyndromeError, with Stim's
    reason, where there is no error model, e.g. because a detector is not deterministic.
    """
    if decompose:
        try:
            return circuit.detector_error_model(
                decompose_errors=True, approximate_disjoint_errors=True
            )
        except ValueError:  # try again whole: that fails too unless splitting was the trouble
            pass
    try:
        return circuit.detector_error_model(approximate_disjoint_errors=True)
    except ValueError as reason:
        raise SyndromeError(
            f"{name}: the circuit has no detector error model: {_first_line(reason)}"
        ) from reason


def raw_bits_per_round(source: SyndromeSource) -> NDArray[np.int64]:
    """Measured bits a round, before they are combined to detection events: int64 (num_rounds,).

    Where as many moments (the operations between two TICKs) measure qubits as there are rounds,
    each is one round: d² - 1 ancillas a round of a rotated surface code memory, and 2d² - 1 bits
    in the last, which reads out the data too. In other circuits a measurement belongs to the
    round of the first detector declared after it. Raises SyndromeError for a source without a
    circuit.
    """
    if source.circuit is None:
        raise SyndromeError(f"{source.name}: raw bits a round are known only with a circuit")
    moments = _measured_between(source.circuit, "TICK")
    measuring = moments[moments > 0]
    if len(measuring) == source.num_rounds:
        return measuring
    declared = _measured_between(source.circuit, "DETECTOR")
    rounds = np.append(source.detector_round, source.num_rounds - 1)
    totals = np.zeros(source.num_rounds, dtype=np.int64)
    np.add.at(totals, rounds, declared)
    return totals


def _measured_between(circuit: stim.Circuit, mark: str) -> NDArray[np.int64]:
    """Bits measured before, between and after the n marks of a circuit, int64 (n + 1,).

    A repeated block is walked through once.
    """
    found, bits = [np.zeros(1, dtype=np.int64)], 0
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            body = _measured_between(item.body_copy(), mark)
            found += [np.array([bits]), _end_to_end(np.tile(body, item.repeat_count), len(body))]
            bits = 0
        elif item.name == mark:
            found.append(np.array([bits, 0]))
            bits = 0
        else:
            bits += item.num_measurements
    found.append(np.array([bits]))
    lengths = [len(each) for each in found]
    starts = np.ones(sum(lengths), dtype=bool)
    starts[np.cumsum(lengths)[:-1]] = False
    return np.add.reduceat(np.concatenate(found), np.flatnonzero(starts))


def _end_to_end(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Join counts of ``size`` at a time, the last of each with the first of the next."""
    starts = np.arange(len(counts))
    joined: NDArray[np.int64] = np.add.reduceat(counts, starts[(starts == 0) | (starts % size > 0)])
    return joined


def _first_line(reason: Exception) -> str:
    return str(reason).strip().split("\n", 1)[0]
