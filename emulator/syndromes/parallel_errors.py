"""Parts of errors that flip the same detectors, and the observables they are given in common.

A graph decoder has one edge for a set of detectors, and so one set of observables for it. In an
error model errors with the same detectors may flip different ones, alone or as parts of others.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["DecomposedError", "Numbers", "Part", "agreed_observables", "merged_errors"]

Numbers = tuple[int, ...]
Part = tuple[Numbers, Numbers]
"""Detectors and observables that a part of an error flips, ascending."""

_Odds: TypeAlias = "defaultdict[Numbers, dict[Numbers, float]]"


@dataclass(slots=True)
class DecomposedError:
    """An error: its probability and its parts, each with a detector."""

    p: float
    parts: list[Part]


def merged_errors(errors: list[DecomposedError]) -> list[DecomposedError]:
    """Errors in order, equal ones as one: an odd number of them happened."""
    equal: dict[tuple[Part, ...], list[float]] = {}
    for error in errors:
        equal.setdefault(tuple(sorted(error.parts)), []).append(error.p)
    merged = []
    for parts, chances in sorted(equal.items()):
        p = 0.0
        for chance in sorted(chances):
            p = _either(p, chance)
        merged.append(DecomposedError(p, list(parts)))
    return merged


def agreed_observables(errors: list[DecomposedError]) -> dict[Numbers, Numbers] | None:
    """One set of observables for all parts with the same detectors; None where all agree already.

    What counts is the probability of errors whose parts then flip other observables together than
    the error does. The start is what is likeliest among errors of that part alone, or, where there
    are none, among all: parts of one error may have any observables, as long as those of the whole
    error are right. From there one set of detectors is changed at a time, while fewer errors err.
    """
    alone: _Odds = defaultdict(dict)
    anywhere: _Odds = defaultdict(dict)
    touching: defaultdict[Numbers, list[DecomposedError]] = defaultdict(list)
    for error in merged_errors(errors):
        for detectors, observables in error.parts:
            touching[detectors].append(error)
            for odds in (anywhere, alone) if len(error.parts) == 1 else (anywhere,):
                p = odds[detectors].get(observables, 0.0)
                odds[detectors][observables] = _either(p, error.p)
    if all(len(rivals) == 1 for rivals in anywhere.values()):
        return None
    labels = {part: _likeliest(alone.get(part) or anywhere[part]) for part in anywhere}
    while _improve(labels, touching):
        pass
    return labels


def _improve(
    labels: dict[Numbers, Numbers], touching: Mapping[Numbers, list[DecomposedError]]
) -> bool:
    """Change the observables of single parts where fewer errors go wrong then; False if nowhere."""
    changed = False
    for part, errors in touching.items():
        own = labels[part]
        lacking = [_lacking(error, labels) for error in errors]
        if not any(lacking):
            continue
        tried = {}
        for label in {own} | {tuple(sorted(set(own) ^ more)) for more in lacking}:
            labels[part] = label
            tried[label] = _chance_of_wrong(errors, labels)
        best = min(tried, key=lambda label: (tried[label], label))
        labels[part] = best if tried[best] < tried[own] else own
        changed |= labels[part] != own
    return changed


def _chance_of_wrong(errors: list[DecomposedError], labels: dict[Numbers, Numbers]) -> float:
    """Probability of the errors that the labels get wrong, rounded: it is compared."""
    return float(f"{math.fsum(error.p for error in errors if _lacking(error, labels)):.12g}")


def _lacking(error: DecomposedError, labels: dict[Numbers, Numbers]) -> set[int]:
    """Observables that the labels of an error's parts flip together and the error does not."""
    flipped: set[int] = set()
    for detectors, observables in error.parts:
        flipped ^= set(labels[detectors]) ^ set(observables)
    return flipped


def _likeliest(rivals: dict[Numbers, float]) -> Numbers:
    """Observables of the highest probability, rounded: the order of combining decides no tie."""
    return min(rivals, key=lambda label: (-float(f"{rivals[label]:.12g}"), label))


def _either(p: float, q: float) -> float:
    """Probability that one of two independent errors happened, and not the other."""
    return p * (1 - q) + q * (1 - p)
