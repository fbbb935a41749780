"""One certain fault put into a noiseless circuit, and what its detectors then say."""

import numpy as np
import stim
from numpy.typing import NDArray

Shot = tuple[NDArray[np.uint8], int]


def inject(circuit: stim.Circuit, gate: str, qubit: int, position: int) -> Shot:
    """Detectors uint8 (1, n) and observable flip after ``gate`` hits ``qubit`` at ``position``.

    ``position`` counts instructions of the flattened ``circuit``.
    """
    faulty = circuit.flattened()
    faulty.insert(position, stim.CircuitInstruction(gate, [qubit], [1.0]))
    dets, flips = faulty.compile_detector_sampler().sample(1, separate_observables=True)
    return dets.astype(np.uint8), int(flips[0, 0])


def places(circuit: stim.Circuit, *names: str) -> list[int]:
    """Positions in the flattened ``circuit`` of the instructions called one of ``names``."""
    return [k for k, instruction in enumerate(circuit.flattened()) if instruction.name in names]
