"""From the [code] and [noise] sections of a scenario to its source of syndromes."""

from typing import Literal

from emulator.errors import SyndromeError
from emulator.scenario.codes import CircuitCode, Code, GeneratedCode, Noise, SampleCode
from emulator.syndromes.circuits import circuit_source, generated_source, source_from_circuit
from emulator.syndromes.cudaq_folder import read_cudaq_folder
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.samples import source_from_samples
from emulator.syndromes.source import CodeInfo, SyndromeSource

__all__ = ["build_source"]


def build_source(code: Code, noise: Noise | None = None) -> SyndromeSource:
    """Open or generate what the sections ask for.

    ``noise`` is for generated codes only; the others bring their own. Raises SyndromeError where
    a file cannot be read or a code cannot be generated.
    """
    if isinstance(code, GeneratedCode):
        return _generated(code, noise)
    if isinstance(code, CircuitCode):
        return source_from_circuit(
            code.circuit, rounds=code.rounds, time_coordinate=code.time_coordinate
        )
    if isinstance(code, SampleCode):
        return source_from_samples(
            code.detections,
            fmt=code.format,
            model=code.model,
            observables=code.observables,
            observables_fmt=code.observables_format,
            observables_at=code.observables_at,
            samples_hold=code.samples_hold,
            circuit=code.circuit,
            sweep=code.sweep,
            sweep_fmt=code.sweep_format,
            rounds=code.rounds,
            time_coordinate=code.time_coordinate,
            accept_mismatch=code.mismatch == "accept",
        )
    return read_cudaq_folder(code.folder)


def _generated(code: GeneratedCode, noise: Noise | None) -> SyndromeSource:
    model = "none" if noise is None else noise.model
    p = 0.0 if noise is None or model == "none" else noise.p
    if p is None:
        raise SyndromeError(f'noise: model "{model}" needs its strength; write e.g. p = 0.001')
    if not code.task.startswith("ising:"):
        return generated_source(
            code.task, distance=code.distance, rounds=code.rounds, noise=model, p=p
        )
    return _ising(code, model, p)


def _ising(code: GeneratedCode, model: str, p: float) -> SyndromeSource:
    if model == "si1000":
        raise SyndromeError(
            f'noise: {code.task} has a circuit-level noise of its own; write model = "depolarizing"'
        )
    basis: Literal["X", "Z"] = "X" if code.task == "ising:memory_x" else "Z"
    circuit = memory_circuit(
        distance=code.distance,
        rounds=code.rounds,
        basis=basis,
        orientation=code.orientation,
        p=p,
    )
    return circuit_source(
        circuit,
        name=f"{code.task} {code.orientation} d={code.distance} r={code.rounds} p={p}",
        rounds=code.rounds,
        time_coordinate=2,
        metadata=CodeInfo(code.task, code.distance, basis, p),
    )
