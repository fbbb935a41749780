"""Detectors of Stim's colour code that Chromobius can decode, with its colours and bases.

Stim's ``color_code:memory_xyz`` measures each plaquette's X, Y and Z product in turn, one a round,
and its detectors multiply three consecutive rounds. A wrong measurement then flips three detectors
of one plaquette, which no colour and basis make a step of one excitation in time. Here a detector
compares a round with the one three rounds before it, which measured the same product: it is the
product of two of Stim's, so that all of them together say the same, and a wrong measurement flips
two. The first layer of detectors, whose product is known from the reset, remains as it is.

Chromobius knows two bases. Every third round measures the product that the final readout measures
too, the one that protects the observable, and is its X; the round after it is its Z; the remaining
detectors, of the product of both, are marked as ignored. Other decoders use them all. Convention:
Chromobius, ``doc/chromobius_api_reference.md``.
"""

import stim

__all__ = ["coloured_circuit"]

IGNORED = -1
"""Fourth coordinate of a detector that Chromobius leaves aside."""

_CYCLE = 3
_FIRST_LAYER = 1  # it compares rounds 0 and 1
_READOUT = 2  # rounds that measure what the readout does are 2, 5, 8, …, all 2 modulo 3
_BASES = {2: 0, 0: 3, 1: None}  # of rounds modulo 3: what is added to the colour


def coloured_circuit(circuit: stim.Circuit, rounds: int) -> stim.Circuit:
    """Rewrite the detectors of Stim's ``color_code:memory_xyz`` of ``rounds`` >= 2, noise kept.

    Their number, order and first three coordinates stay; the fourth is 0, 1, 2 for red, green and
    blue in Chromobius's basis X, 3, 4, 5 in Z, and -1 where it is to ignore them. Plaquettes of one
    colour have the same y modulo 3. Loops stay loops, three rounds a turn.
    """
    size = circuit.num_detectors // rounds
    items = list(circuit)
    first = next(k for k, item in enumerate(items) if item.name == "DETECTOR")
    coloured = circuit[:first]
    for item in items[first : first + size]:
        coloured.append(_detector(item, _targets(item), _FIRST_LAYER))
    body, rest = _body(circuit[first + size :], rounds, size)
    turns, left = divmod(max(0, rounds - 3), _CYCLE)
    coloured += _rounds(body, range(2, min(rounds, 3)), size)
    if turns:
        coloured.append(stim.CircuitRepeatBlock(turns, _rounds(body, range(3, 6), size)))
    coloured += _rounds(body, range(3, 3 + left), size)
    _append_readout(coloured, list(rest), rounds, size)
    return coloured


def _body(after: stim.Circuit, rounds: int, size: int) -> tuple[stim.Circuit, stim.Circuit]:
    """One round with its detectors, which is a loop unless it happens once, and the readout."""
    if rounds == 2:
        return stim.Circuit(), after
    if isinstance(after[0], stim.CircuitRepeatBlock):
        return after[0].body_copy(), after[1:]
    end = next(k for k, item in enumerate(after) if item.name == "DETECTOR") + size
    return after[:end], after[end:]


def _rounds(body: stim.Circuit, rounds: range, size: int) -> stim.Circuit:
    """Measure these rounds, their detectors comparing them with three rounds before, if any."""
    found = stim.Circuit()
    for t in rounds:
        for item in body:
            if item.name == "DETECTOR":
                latest = max(_targets(item))
                earlier = [latest - _CYCLE * size] if t >= _CYCLE else []
                found.append(_detector(item, [latest, *earlier], t))
            else:
                found.append(item)
    return found


def _append_readout(
    coloured: stim.Circuit, items: list[stim.CircuitInstruction], rounds: int, size: int
) -> None:
    """Read the data out; its detectors compare it with the last round of the same product."""
    back = (rounds - 1 - _READOUT) % _CYCLE + 1
    data = next(item.num_measurements for item in items if item.num_measurements)
    plaquette = 0
    for item in items:
        if item.name == "DETECTOR":
            mine = [target for target in _targets(item) if target >= -data]
            if back <= rounds:  # else it was last known from the reset
                mine.append(plaquette - data - back * size)
            coloured.append(_detector(item, mine, _READOUT))
            plaquette += 1
        else:
            coloured.append(item)


def _targets(item: stim.CircuitInstruction) -> list[int]:
    return [int(target.value) for target in item.targets_copy()]


def _detector(item: stim.CircuitInstruction, targets: list[int], t: int) -> stim.CircuitInstruction:
    """Detector of round t that multiplies other measurements, with a colour and a basis."""
    x, y, time = item.gate_args_copy()
    basis = None if t == _FIRST_LAYER else _BASES[t % _CYCLE]
    label = IGNORED if basis is None else basis + round(y) % 3
    records = [stim.target_rec(target) for target in targets]
    return stim.CircuitInstruction("DETECTOR", records, [x, y, time, label])
