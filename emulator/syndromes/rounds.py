"""The round that each detector belongs to: the one whose measurements complete it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.coordinates import detector_coordinates
from emulator.syndromes.layers import MeasurementLayers, measurement_layers
from emulator.syndromes.time_axis import (
    axis_of_circuit,
    axis_of_model,
    axis_values,
    has_even_steps,
)

__all__ = ["FoundRounds", "RoundRule", "detector_rounds", "find_rounds"]

RoundRule = int | Sequence[int] | Literal["measurements", "ticks"] | None
"""How rounds are told: their number, the round of each detector, a rule, or None: by coordinates.

``"measurements"``: measurements with neither a gate, a reset nor a TICK between them are a round.
``"ticks"``: the measurements between two TICKs are a round.
"""

_KEYS = (
    'write code.rounds = "measurements" or "ticks" (with a circuit), 1, or a list with the round '
    "of each detector"
)


@dataclass(frozen=True, slots=True, eq=False)
class FoundRounds:
    """Rounds of a shot: ``detector_round`` is int32 of shape (D,), in 0 .. ``num_rounds`` - 1."""

    detector_round: NDArray[np.int32]
    num_rounds: int


def find_rounds(
    model: stim.Circuit | stim.DetectorErrorModel,
    origin: str,
    *,
    rounds: RoundRule = None,
    time_coordinate: int | None = None,
    first_round: int = 0,
) -> FoundRounds:
    """Rounds of the detectors of a circuit or an error model, which errors call ``origin``.

    ``time_coordinate`` is the coordinate that is time (-1 the last); None finds it. The earliest
    detectors belong to ``first_round``. Raises SyndromeError where the rounds cannot be told.
    """
    if model.num_detectors == 0:
        raise SyndromeError(f"{origin}: declares no detectors, so there is nothing to decode")
    table = detector_coordinates(model)
    circuit = model if isinstance(model, stim.Circuit) else None
    if rounds is not None and not isinstance(rounds, int):
        found, count = _by_rule(rounds, circuit, model.num_detectors, origin)
    elif rounds == 1 and first_round == 0:
        found, count = np.zeros(len(table), dtype=np.int32), 1
    elif np.isnan(table).all():
        found, count = _without_coordinates(rounds, circuit, len(table), origin)
    else:
        _check_declared(table, origin)
        try:
            axis = _axis(model, origin) if time_coordinate is None else time_coordinate
        except SyndromeError:
            if circuit is None or rounds is None:
                raise
            found, count = _without_coordinates(rounds, circuit, len(table), origin)
        else:
            times = np.zeros(len(table)) if axis is None else axis_values(table, axis, origin)
            even = circuit is not None and axis is not None and has_even_steps(circuit, axis)
            found, count = detector_rounds(times, origin, rounds, first_round, are_rounds=even)
    return FoundRounds(found, count)


def _axis(model: stim.Circuit | stim.DetectorErrorModel, origin: str) -> int | None:
    """Coordinate that is time; None where there is one round."""
    if isinstance(model, stim.Circuit):
        return axis_of_circuit(model, origin)
    return axis_of_model(model, origin)


def detector_rounds(
    times: NDArray[np.float64],
    origin: str,
    rounds: int | None = None,
    first: int = 0,
    *,
    are_rounds: bool = False,
) -> tuple[NDArray[np.int32], int]:
    """Round of each detector, int32 of shape (D,), and the number of rounds.

    The distinct ``times`` (float64, shape (D,)), sorted, are the rounds ``first``, ``first + 1``,
    …; ``rounds`` puts all later ones into the last round, as the detectors of a final data readout
    leave with the last round of ancillas. Times at unequal distances, of which the last may be
    shorter, do not tell whether rounds without detectors are between them: unless it is known that
    they ``are_rounds``, ``rounds`` must then be the number of times, or, where all times are whole
    steps apart, that of all steps. Raises SyndromeError for any other ``rounds``.
    """
    distinct, rank = np.unique(times, return_inverse=True)
    steps = _steps(distinct)
    available = first + len(distinct)
    if not are_rounds and not _is_even(distinct):
        spanned = None if steps is None else first + int(steps[-1]) + 1
        if rounds is None or rounds not in (available, spanned):
            raise SyndromeError(_unequal(origin, distinct, available, spanned))
        if steps is not None and rounds == spanned:
            return (steps[rank] + first).astype(np.int32), rounds
    count = available if rounds is None else rounds
    if not 1 <= count <= available:
        raise SyndromeError(
            f"{origin}: rounds(={rounds}) must be from 1 to {available}, "
            f"as its detectors have {len(distinct)} distinct times"
        )
    return np.minimum(rank + first, count - 1).astype(np.int32), count


def _is_even(distinct: NDArray[np.float64]) -> bool:
    """Whether times are equally far apart; the last may come sooner, as a readout may."""
    gaps = np.diff(distinct)
    even = np.allclose(gaps[:-1], gaps[:1], rtol=1e-3)
    return bool(even and (gaps[-1:] <= gaps[:1] * 1.001).all())


def _steps(distinct: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Distance of each time from the first in the smallest steps; None if that is not whole."""
    if len(distinct) == 1:
        return np.zeros(1, dtype=np.int64)
    steps = (distinct - distinct[0]) / np.diff(distinct).min()
    whole = np.rint(steps)
    return whole.astype(np.int64) if np.allclose(steps, whole, rtol=0, atol=1e-3) else None


def _unequal(
    origin: str, distinct: NDArray[np.float64], available: int, spanned: int | None
) -> str:
    shown = ", ".join(f"{time:g}" for time in distinct[:5]) + (", …" if len(distinct) > 5 else "")
    steps = "" if spanned is None else f", {spanned} if rounds without detectors are between them"
    return (
        f"{origin}: the {len(distinct)} distinct times of its detectors ({shown}) are not equally "
        f"far apart, so they do not tell its rounds; write code.rounds = {available} if each time "
        f'is a round{steps}, or "measurements", "ticks" or a list with the round of each detector'
    )


def _check_declared(table: NDArray[np.float64], origin: str) -> None:
    bare = np.flatnonzero(np.isnan(table).all(axis=1))
    if len(bare):
        raise SyndromeError(
            f"{origin}: {len(bare)} of {len(table)} detectors, the first of them D{bare[0]}, "
            f"have no coordinates to tell their round; declare them, e.g. DETECTOR(x, y, t), or "
            f"{_KEYS}"
        )


def _by_rule(
    rule: Sequence[int] | str, circuit: stim.Circuit | None, num_detectors: int, origin: str
) -> tuple[NDArray[np.int32], int]:
    if not isinstance(rule, str):
        if len(rule) != num_detectors:
            raise SyndromeError(
                f"{origin}: code.rounds lists {len(rule)} rounds, but the model has "
                f"{num_detectors} detectors; list one round for each, from D0 on"
            )
        found = np.array(rule, dtype=np.int32)
        return found, int(found.max()) + 1
    if circuit is None:
        raise SyndromeError(
            f'{origin}: code.rounds = "{rule}" needs a circuit, and an error model has no '
            "measurements; write 1 or a list with the round of each detector"
        )
    layers = _layers(circuit, origin)
    kind = "steps" if rule == "measurements" else "moments"
    return getattr(layers, kind).astype(np.int32), layers.counts[kind]


def _without_coordinates(
    rounds: int | None, circuit: stim.Circuit | None, num_detectors: int, origin: str
) -> tuple[NDArray[np.int32], int]:
    """Rounds of bare detectors: as many as asked for, where the measurements come in as many."""
    if rounds is None:
        _check_declared(np.full((num_detectors, 1), np.nan), origin)
    if circuit is None or rounds is None:
        raise SyndromeError(
            f"{origin}: code.rounds = {rounds} does not say which of {num_detectors} detectors "
            "without coordinates belong to which round; write 1 or a list with the round of each"
        )
    layers = _layers(circuit, origin)
    kinds = ("steps", "parts", "moments")
    # with one more, the last is the data readout, which belongs to the last round
    joins_readout = layers.counts["steps"] == layers.counts["parts"] == rounds + 1
    for kind in kinds:
        if layers.counts[kind] == rounds or joins_readout:
            return np.minimum(getattr(layers, kind), rounds - 1).astype(np.int32), rounds
    counts = " or ".join(map(str, sorted({layers.counts[kind] for kind in kinds})))
    raise SyndromeError(
        f"{origin}: code.rounds = {rounds} does not fit its detectors without a time, whose "
        f"measurements come in {counts} layers; write one of these numbers, or {_KEYS}"
    )


def _layers(circuit: stim.Circuit, origin: str) -> MeasurementLayers:
    try:
        return measurement_layers(circuit)
    except ValueError as reason:
        raise SyndromeError(f"{origin}: {reason}; correct the circuit") from reason
