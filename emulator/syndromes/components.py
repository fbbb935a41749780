"""Components of a detector error model as arrays, read from its text without unrolling it.

A *component* is the part of an error between two ``^`` separators. Stim folds the repeated rounds
of a circuit into ``repeat`` blocks, whose text does not grow with the number of rounds. The error
lines between two shifts are a *run*. Every run is read once; its repetitions are *copies* of it,
each with detectors shifted by an offset of its own, and only those asked for are made.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

__all__ = ["Components", "Folded", "ragged", "read_components", "read_folded"]

Ids = NDArray[np.int32]
Counts = NDArray[np.int64]

# Kinds of the words of an error line.
_HEAD, _DETECTOR, _OBSERVABLE, _SEPARATOR = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Components that flip a detector, in the order of the model's flattened errors.

    Component c (of C) belongs to error ``error[c]`` (int64, shape (C,), ascending), whose text is
    ``heads[head[c]]``, such as ``error(0.01)``. It flips the detectors
    ``flips[first[c]:first[c + 1]]`` (int32; int64, shape (C + 1,)) and the observables named by
    ``labels[label[c]]``: their text with a space before each; ``labels[0]`` is empty.
    """

    heads: list[str]
    labels: list[str]
    error: Counts
    head: Ids
    label: Ids
    first: Counts
    flips: Ids

    def kept(self, keep: NDArray[np.bool_]) -> "Components":
        """Components that ``keep`` marks, bool (C,)."""
        ids = np.flatnonzero(keep)
        sizes = np.diff(self.first)[ids]
        return Components(
            heads=self.heads,
            labels=self.labels,
            error=self.error[ids],
            head=self.head[ids],
            label=self.label[ids],
            first=np.concatenate([[0], np.cumsum(sizes)]),
            flips=self.flips[ragged(self.first[ids], sizes)],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """All components of a model, every run of errors once, and where its copies stand.

    ``runs`` has the components of run r (of R) at ``bounds[r]`` .. ``bounds[r + 1] - 1`` (int64,
    shape (R + 1,)), with errors and detectors as they are numbered in its first copy. Copy i (of
    I), in the order of the flattened errors, is run ``run[i]`` (int64, shape (I,)) with its
    detectors shifted by ``offset[i]`` and its errors by ``before[i]`` (int64, shape (I,)).
    """

    runs: Components
    bounds: Counts
    run: Counts
    offset: Counts
    before: Counts

    def copies(self, ids: Counts) -> Components:
        """Components of the copies with these numbers, in their order."""
        runs = self.run[ids]
        starts, counts = self.bounds[runs], self.bounds[runs + 1] - self.bounds[runs]
        return self.members(np.repeat(ids, counts), ragged(starts, counts))

    def members(self, copies: Counts, at: Counts) -> Components:
        """Components of single copies: those at ``at`` in ``runs``, each of the copy beside it."""
        runs = self.runs
        sizes = runs.first[at + 1] - runs.first[at]
        flips = runs.flips[ragged(runs.first[at], sizes)]
        return Components(
            heads=runs.heads,
            labels=runs.labels,
            error=runs.error[at] + self.before[copies],
            head=runs.head[at],
            label=runs.label[at],
            first=np.concatenate([[0], np.cumsum(sizes)]),
            flips=(flips + np.repeat(self.offset[copies], sizes)).astype(np.int32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Copies that a block makes: the run of each, and how far its detectors are shifted."""

    run: Counts
    offset: Counts
    shift: int


def read_components(text: str) -> Components:
    """Read all components of a model without tags from its text; see `read_folded`."""
    folded = read_folded(text)
    return folded.copies(np.arange(len(folded.run)))


def read_folded(text: str) -> Folded:
    """Read the components of a model without tags from its text, each run of errors once.

    Stim writes probabilities with enough digits to read them back exactly, so they are kept as the
    text they are.
    """
    vocabulary = defaultdict[str, int](count().__next__)  # numbers words as they first appear
    runs: list[Ids] = []
    block = _read_block(iter(text.splitlines()), vocabulary, runs)
    parts = _parse(list(vocabulary), runs)
    errors = parts.errors[block.run]
    before = np.cumsum(errors) - errors
    return Folded(parts.parts, parts.bounds, block.run, block.offset, before)


def ragged(starts: Counts, counts: Counts) -> Counts:
    """Indices of consecutive ranges: starts[i] .. starts[i] + counts[i] - 1 for each i in turn."""
    before = np.cumsum(counts) - counts
    found: Counts = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return found


def _read_block(lines: Iterator[str], vocabulary: Mapping[str, int], runs: list[Ids]) -> _Block:
    """Read lines up to the end of their block, adding its runs to ``runs``."""
    none = np.empty(0, dtype=np.int64)
    order, offset = [none], [none]
    shift = 0
    errors: list[str] = []

    def end_run() -> None:
        """Store the error lines read so far, which share one shift."""
        if errors:
            words = " ".join(errors).split()
            errors.clear()
            order.append(np.array([len(runs)]))
            offset.append(np.array([shift]))
            numbers = map(vocabulary.__getitem__, words)
            runs.append(np.fromiter(numbers, dtype=np.int32, count=len(words)))

    for line in lines:
        text = line.lstrip()
        if text.startswith("error"):
            errors.append(text)
        elif text.startswith("shift_detectors"):
            end_run()
            shift += int(text.rpartition(" ")[2])
        elif text.startswith("repeat"):
            end_run()
            body = _read_block(lines, vocabulary, runs)
            times = int(text.split()[1])
            starts = shift + np.arange(times)[:, None] * body.shift
            order.append(np.tile(body.run, times))
            offset.append((starts + body.offset).ravel())
            shift += times * body.shift
        elif text.startswith("}"):
            break
    end_run()
    return _Block(np.concatenate(order), np.concatenate(offset), shift)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Components of the runs, one run after the other, before they are unrolled.

    ``parts`` has the components as if every run stood once, with errors numbered from 0 in each
    run; those of run r are ``bounds[r]`` .. ``bounds[r + 1] - 1``, and it has ``errors[r]`` errors.
    """

    parts: Components
    bounds: Counts
    errors: Counts


def _parse(words: list[str], runs: list[Ids]) -> _Parts:
    """Sort the words of all runs into components."""
    kinds, values, heads, labels = _vocabulary(words)
    numbers = np.concatenate([np.empty(0, dtype=np.int32), *runs])
    kind, value = kinds[numbers], values[numbers]
    starts = np.flatnonzero((kind == _HEAD) | (kind == _SEPARATOR))
    sizes = np.diff(starts, append=len(kind))
    component = np.repeat(np.arange(len(starts)), sizes)
    is_flip = kind == _DETECTOR
    flips_of = np.bincount(component[is_flip], minlength=len(starts))
    kept = flips_of > 0

    is_head = kind == _HEAD
    error = np.cumsum(is_head)[starts] - 1
    head = value[is_head][error]
    label = _labels(component, kind, value, labels, len(starts))

    run_ends = np.cumsum([len(run) for run in runs], dtype=np.int64)
    errors_before = np.concatenate([[0], np.cumsum(is_head)[run_ends - 1]])
    run_of = np.searchsorted(run_ends, starts, side="right")
    parts = Components(
        heads=heads,
        labels=labels,
        error=(error - errors_before[run_of])[kept],
        head=head[kept].astype(np.int32),
        label=label[kept],
        first=np.concatenate([[0], np.cumsum(flips_of[kept])]),
        flips=value[is_flip].astype(np.int32),
    )
    bounds = np.concatenate([[0], np.cumsum(np.bincount(run_of[kept], minlength=len(runs)))])
    return _Parts(parts, bounds, np.diff(errors_before))


def _vocabulary(words: list[str]) -> tuple[Ids, Counts, list[str], list[str]]:
    """Kind and value of each word: a detector's or observable's number, or a place in a list.

    Also gives the lists: heads, and labels, of which the first is empty.
    """
    kinds = np.empty(len(words), dtype=np.int32)
    values = np.zeros(len(words), dtype=np.int64)
    heads: list[str] = []
    labels = [""]
    for i, word in enumerate(words):
        if word[0] == "D":
            kinds[i], values[i] = _DETECTOR, int(word[1:])
        elif word[0] == "L":
            kinds[i], values[i] = _OBSERVABLE, len(labels)
            labels.append(f" {word}")
        elif word == "^":
            kinds[i] = _SEPARATOR
        else:
            kinds[i], values[i] = _HEAD, len(heads)
            heads.append(word)
    return kinds, values, heads, labels


def _labels(component: Counts, kind: Ids, value: Counts, labels: list[str], total: int) -> Ids:
    """Label of each of ``total`` components; those of several observables are added to the list."""
    at = np.flatnonzero(kind == _OBSERVABLE)
    owners, names = component[at], value[at]
    label = np.zeros(total, dtype=np.int32)
    label[owners] = names
    several = np.flatnonzero(np.bincount(owners, minlength=total) > 1)
    if len(several):
        place = {text: i for i, text in enumerate(labels)}
        bounds = np.searchsorted(owners, [several, several + 1])
        for c, start, end in zip(several.tolist(), *bounds.tolist(), strict=True):
            text = "".join(labels[name] for name in names[start:end].tolist())
            if place.setdefault(text, len(labels)) == len(labels):
                labels.append(text)
            label[c] = place[text]
    return label
