"""Memory experiments of CSS codes with measured products, and the codes of several families."""

from collections.abc import Sequence

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.syndromes.rotated_patch import RotatedPatch

Matrix = NDArray[np.uint8]


def surface(distance: int) -> tuple[Matrix, Matrix, Matrix]:
    """X checks, Z checks and logical Z of a rotated surface code."""
    patch = RotatedPatch(distance, "XV")
    return patch.hx, patch.hz, patch.logical("Z")[None]


def repetition(distance: int) -> tuple[Matrix, Matrix, Matrix]:
    """No X checks, Z checks of neighbours, and the first qubit as logical Z."""
    hz = np.eye(distance, dtype=np.uint8)[:-1] | np.eye(distance, k=1, dtype=np.uint8)[:-1]
    return np.empty((0, distance), np.uint8), hz, np.eye(1, distance, dtype=np.uint8)


def bivariate_bicycle() -> tuple[Matrix, Matrix, Matrix]:
    """The [[72, 12, 6]] code of arXiv 2308.07915: x³ + y + y² and y³ + x + x² on a 6 x 6 torus."""
    step = np.roll(np.eye(6, dtype=int), 1, axis=1)
    x, y = np.kron(step, np.eye(6, dtype=int)), np.kron(np.eye(6, dtype=int), step)
    power = np.linalg.matrix_power
    a, b = power(x, 3) + y + power(y, 2), power(y, 3) + x + power(x, 2)
    hx, hz = np.hstack([a, b]).astype(np.uint8), np.hstack([b.T, a.T]).astype(np.uint8)
    return hx, hz, logicals(hx, hz)


def logicals(hx: Matrix, hz: Matrix) -> Matrix:
    """Logical Z operators: they commute with the X checks and are no product of Z checks."""
    reduced, pivots = echelon(hx)
    free = [q for q in range(hx.shape[1]) if q not in pivots]
    kernel = np.zeros((len(free), hx.shape[1]), dtype=np.uint8)
    kernel[np.arange(len(free)), free] = 1
    kernel[:, pivots] = reduced[: len(pivots), free].T
    rows = hz
    found = []
    for row in kernel:
        more = np.vstack([rows, row])
        if len(echelon(more)[1]) > len(echelon(rows)[1]):
            found.append(row)
            rows = more
    return np.array(found, dtype=np.uint8)


def echelon(matrix: Matrix) -> tuple[Matrix, list[int]]:
    """Reduced row echelon form over GF(2), and its pivot columns."""
    rows, pivots = matrix.copy(), list[int]()
    for column in range(matrix.shape[1]):
        below = np.flatnonzero(rows[len(pivots) :, column]) + len(pivots)
        if not len(below):
            continue
        rows[[len(pivots), below[0]]] = rows[[below[0], len(pivots)]]
        others = np.flatnonzero(rows[:, column])
        rows[others[others != len(pivots)]] ^= rows[len(pivots)]
        pivots.append(column)
    return rows, pivots


def memory(
    code: tuple[Matrix, Matrix, Matrix],
    rounds: int,
    p: float,
    *,
    blocks: int = 1,
    gate_before: Sequence[int] = (),
) -> stim.Circuit:
    """Memory in basis Z: data qubits depolarised with ``p`` before each round, checks misread so.

    ``blocks`` blocks of the code, of which the first controls a transversal CNOT on the second
    before each round of ``gate_before``. Every detector is at (block, check, round).
    """
    hx, hz, _ = code
    qubits, checks = hx.shape[1], len(hx) + len(hz)
    total = blocks * checks
    products = ["*".join(f"X{q}" for q in np.flatnonzero(row)) for row in hx]
    products += ["*".join(f"Z{q}" for q in np.flatnonzero(row)) for row in hz]
    circuit = stim.Circuit(f"R {' '.join(map(str, range(blocks * qubits)))}")
    for t in range(rounds):
        gate = t in gate_before
        if gate:
            circuit.append("CX", [k for q in range(qubits) for k in (q, q + qubits)])
        circuit.append("DEPOLARIZE1", range(blocks * qubits), p)
        for block in range(blocks):
            for product in products:
                circuit.append_from_stim_program_text(f"MPP({p}) {_moved(product, block * qubits)}")
        for block in range(blocks):
            for check in range(checks):
                is_z = check >= len(hx)
                if t == 0 and not is_z:
                    continue
                at = block * checks + check
                records = [at - total] + ([at - 2 * total] if t else [])
                if gate and t and block == int(is_z):  # Z spreads from target to control, X back
                    records.append((1 - block) * checks + check - 2 * total)
                where = f"{block}, {check}, {t}"
                text = " ".join(f"rec[{record}]" for record in records)
                circuit.append_from_stim_program_text(f"DETECTOR({where}) {text}")
    circuit.append("M", range(blocks * qubits))
    _read_out(circuit, code, blocks, rounds)
    return circuit


def _read_out(
    circuit: stim.Circuit, code: tuple[Matrix, Matrix, Matrix], blocks: int, rounds: int
) -> None:
    hx, hz, logical = code
    qubits, checks = hx.shape[1], len(hx) + len(hz)
    data = blocks * qubits
    for block in range(blocks):
        for check, row in enumerate(hz):
            records = [block * qubits + int(q) - data for q in np.flatnonzero(row)]
            records.append((block - blocks) * checks + len(hx) + check - data)
            text = " ".join(f"rec[{record}]" for record in records)
            where = f"{block}, {len(hx) + check}, {rounds}"
            circuit.append_from_stim_program_text(f"DETECTOR({where}) {text}")
        for k, row in enumerate(logical):
            text = " ".join(f"rec[{block * qubits + q - data}]" for q in np.flatnonzero(row))
            number = block * len(logical) + k
            circuit.append_from_stim_program_text(f"OBSERVABLE_INCLUDE({number}) {text}")


def _moved(product: str, by: int) -> str:
    return "*".join(f"{factor[0]}{int(factor[1:]) + by}" for factor in product.split("*"))
