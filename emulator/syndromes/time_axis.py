"""Which coordinate of the detectors is time, found by the order in which things are measured.

The places of detectors come again in every round, so that only time rises with the measurements of
a circuit or, where there is only an error model, with the numbers of the detectors. What is not
unmistakable is refused: one sentence says what was found and which key decides.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.errors import SyndromeError
from emulator.syndromes.coordinates import detector_coordinates
from emulator.syndromes.layers import MeasurementLayers, measurement_layers, shortened

__all__ = ["axis_of_circuit", "axis_of_model", "axis_values", "has_even_steps"]

Table = NDArray[np.float64]

_DECIMALS = 6  # sums of SHIFT_COORDS(0, 0, 0.1) are not exact


def axis_values(table: Table, axis: int, origin: str) -> Table:
    """Coordinate ``axis`` of each detector, float64 of shape (D,); -1 is the last that it has.

    Raises SyndromeError where a detector has no such coordinate.
    """
    lengths = (~np.isnan(table)).sum(axis=1)
    column = axis if axis >= 0 else lengths + axis
    lacking = np.flatnonzero((column < 0) | (column >= lengths))
    if len(lacking):
        raise SyndromeError(
            f"{origin}: {len(lacking)} of {len(table)} detectors, the first of them "
            f"D{lacking[0]}, have no coordinate {axis} to be their time; {lengths_found(table)}; "
            "write another code.time_coordinate (0 is the first, -1 the last), or a code.rounds "
            "that needs none"
        )
    values: Table = table[np.arange(len(table)), column].round(_DECIMALS)
    return values


def lengths_found(table: Table) -> str:
    """How many coordinates the detectors have, in words."""
    lengths, numbers = np.unique((~np.isnan(table)).sum(axis=1), return_counts=True)
    if len(lengths) == 1:
        return f"all have {lengths[0]} coordinate(s)"
    return " and ".join(f"{n} have {k}" for k, n in zip(lengths, numbers, strict=True))


def axis_of_circuit(circuit: stim.Circuit, origin: str) -> int | None:
    """Coordinate that is time in ``circuit``; None where one layer of measurements is all of it.

    Time is the one coordinate whose values follow one another as layers of measurements do, and
    that joins detectors which share a measurement, as those of one place in successive rounds do.
    Raises SyndromeError where that is none, or where several would give different rounds.
    """
    short, layers = _walked(circuit)
    table = detector_coordinates(short)
    if np.ptp(layers.parts) == 0:
        return None
    axes = _axes(table)
    timely = [axis for axis in axes if _follows(axis, layers) and _joins(axis, layers)]
    if _stands_still(table, layers):
        timely = []
    if not timely and np.ptp(layers.steps) == 0 and axes and _usual(axes).is_constant:
        return None
    return _only(timely, axes, table, origin, "rises with the measurements")


def has_even_steps(circuit: stim.Circuit, axis: int) -> bool:
    """Whether as many layers of measurements lie between all neighbouring values of ``axis``.

    Between the last two there may be fewer, as the data are read out without ancillas. Such values
    are rounds whatever numbers they are.
    """
    short, layers = _walked(circuit)
    values = axis_values(detector_coordinates(short), axis, "")
    ranks = np.unique(values, return_inverse=True)[1]
    last = np.zeros(int(ranks.max()) + 1, dtype=np.int64)
    np.maximum.at(last, ranks, layers.steps)
    between = np.diff(last)
    return bool((between[:-1] == between[:1]).all() and (between[-1:] <= between[:1]).all())


def _walked(circuit: stim.Circuit) -> tuple[stim.Circuit, MeasurementLayers]:
    """A circuit with few repetitions, and its layers."""
    short = shortened(circuit)
    try:
        return short, measurement_layers(short)
    except ValueError:  # a detector looks back over more iterations than are left
        return circuit, measurement_layers(circuit)


def axis_of_model(dem: stim.DetectorErrorModel, origin: str) -> int | None:
    """Coordinate that is time in an error model; None where there is only one round.

    Detectors are numbered as they are declared, so that time never falls from one to the next. A
    model does not tell time from place as a circuit does: only the third coordinate or the last is
    taken for time. Raises SyndromeError as `axis_of_circuit` does.
    """
    table = detector_coordinates(dem)
    axes = _axes(table)
    varied = [axis for axis in axes if not axis.is_constant]
    timely = [axis for axis in varied if (np.diff(axis.values) >= 0).all()]
    usual = _usual(axes)
    is_line = len(varied) <= 1
    if usual.is_constant and (is_line or not timely) and (_all_apart(table) or len(axes) == 1):
        return None
    if table.shape[1] <= 2 and timely and not _comes_again(timely[0], dem):
        timely = []
    last = usual if usual.is_constant else axes[-1]
    is_known = all(axis in (usual, last) for axis in timely)
    return _only(timely, axes, table, origin, "rises with the detectors", is_known=is_known)


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One coordinate: its values by detector, and their ranks among the distinct ones."""

    number: int
    values: Table
    ranks: NDArray[np.intp]

    @property
    def is_constant(self) -> bool:
        return bool(self.ranks.max(initial=0) == 0)


def _axes(table: Table) -> list[_Axis]:
    """Every coordinate that all detectors have; their last one too where that is another."""
    lengths = (~np.isnan(table)).sum(axis=1)
    numbers = list(range(int(lengths.min(initial=table.shape[1]))))
    if np.ptp(lengths) and lengths.min() > 0:
        numbers.append(-1)
    axes = []
    for number in numbers:
        values = axis_values(table, number, "")
        axes.append(_Axis(number, values, np.unique(values, return_inverse=True)[1]))
    return axes


def _usual(axes: list[_Axis]) -> _Axis:
    """The third coordinate, or the last of fewer: time in the circuits that Stim generates."""
    return axes[min(2, len(axes) - 1)]


def _follows(axis: _Axis, layers: MeasurementLayers) -> bool:
    """Whether the values of a coordinate come in layers of their own, one after the other.

    Only the last two may share a step: the data are read out with the last ancillas.
    """
    if axis.is_constant:
        return False
    steps, parts = _spans(axis, layers.steps), _spans(axis, layers.parts)
    apart = steps[1, :-1] < steps[0, 1:]
    in_order = parts[1, :-1] <= parts[0, 1:]
    last = parts[1, -2] < parts[0, -1] or len(apart) > 1
    return bool(apart[:-1].all() and in_order.all() and last)


def _spans(axis: _Axis, layers: NDArray[np.int64]) -> NDArray[np.int64]:
    """First and last layer that completes a detector of each value: int64 (2, values)."""
    spans = np.empty((2, int(axis.ranks.max()) + 1), dtype=np.int64)
    spans[0], spans[1] = layers.max(), layers.min()
    np.minimum.at(spans[0], axis.ranks, layers)
    np.maximum.at(spans[1], axis.ranks, layers)
    return spans


def _joins(axis: _Axis, layers: MeasurementLayers) -> bool:
    """Whether detectors of different values share a measurement."""
    first: dict[int, int] = {}
    for rank, records in zip(axis.ranks.tolist(), layers.records, strict=True):
        if any(first.setdefault(record, rank) != rank for record in records):
            return True
    return False


def _stands_still(table: Table, layers: MeasurementLayers) -> bool:
    """Whether one place has the same coordinates in two rounds: detectors sharing a measurement."""
    _, number = np.unique(np.nan_to_num(table, nan=np.inf), axis=0, return_inverse=True)
    steps: dict[tuple[int, int], int] = {}
    facts = zip(number.ravel().tolist(), layers.steps.tolist(), layers.records, strict=True)
    return any(
        steps.setdefault((row, record), step) != step
        for row, step, records in facts
        for record in records
    )


def _all_apart(table: Table) -> bool:
    """Whether no two detectors have the same coordinates."""
    return bool(len(np.unique(table, axis=0)) == len(table))


def _comes_again(axis: _Axis, dem: stim.DetectorErrorModel) -> bool:
    """Whether every value of a coordinate has the same places, and no error joins both ends.

    With two coordinates at most, that is what tells rounds of a repetition code from the rows of a
    lattice that is measured once; a lattice that is closed in itself has errors across its ends.
    """
    table = detector_coordinates(dem)
    if table.shape[1] == 1:
        return bool(len(table) > axis.ranks.max() + 1)
    places: defaultdict[int, set[float]] = defaultdict(set)
    for rank, row in zip(axis.ranks.tolist(), table, strict=True):
        places[rank].add(float(row[1 - axis.number]))
    if len({frozenset(found) for found in places.values()}) > 1:
        return False
    return len(places) <= 2 or {0, len(places) - 1} not in _joined_ranks(axis, dem)


def _joined_ranks(axis: _Axis, dem: stim.DetectorErrorModel) -> list[set[int]]:
    """Ranks of the detectors of each component of each error."""
    found: list[set[int]] = []
    for error in dem.flattened():
        if error.type == "error":
            found.append(set())
            for target in error.targets_copy():
                if target.is_separator():
                    found.append(set())
                elif target.is_relative_detector_id():
                    found[-1].add(int(axis.ranks[target.val]))
    return found


def _only(
    timely: list[_Axis],
    axes: list[_Axis],
    table: Table,
    origin: str,
    rises: str,
    *,
    is_known: bool = True,
) -> int:
    """The one coordinate that can be time; SyndromeError, with all of them, where it is not one.

    ``is_known``: whether a coordinate that is the only one can be relied on.
    """
    if is_known and len({axis.ranks.tobytes() for axis in timely}) == 1:
        return timely[-1].number
    found = ", ".join(_described(axis, rises if axis in timely else "") for axis in axes)
    raise SyndromeError(
        f"{origin}: which coordinate of its detectors is time cannot be told ("
        f"{found or lengths_found(table)}); write code.time_coordinate = its number (0 is "
        'the first, -1 the last), or code.rounds = "measurements", "ticks", 1 or a list with the '
        "round of each detector"
    )


def _described(axis: _Axis, rises: str) -> str:
    values = np.unique(axis.values)
    name = "the last coordinate" if axis.number < 0 else f"coordinate {axis.number}"
    if len(values) == 1:
        return f"{name} is {values[0]:g} throughout"
    text = f"{name} has {len(values)} values from {values[0]:g} to {values[-1]:g}"
    return f"{text} and {rises}" if rises else text
