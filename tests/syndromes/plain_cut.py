"""A slow, plain cut of error models, line by line of their text, to hold the fast one against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.window_model import WindowModel, WindowShape
from emulator.windows import Window

__all__ = ["plain_cut"]

Ids = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Components:
    """All components of a model, flat: component c flips ``flips[first[c]:first[c + 1]]``.

    ``heads`` is the text ``error(p)`` of every error, ``error`` the error that each component is
    part of, ``labels`` the text of its observables, each with a leading space; ``owner`` is the
    window that commits the detector of each flip, ``committer`` the one that commits the component.
    """

    observables: int
    heads: list[str]
    error: list[int]
    labels: list[str]
    first: npt.NDArray[np.int64]
    flips: Ids
    owner: Ids
    committer: Ids

    def any(self, flips: Mask) -> Mask:
        """Tell of each component whether any of its flips is marked."""
        return np.logical_or.reduceat(flips, self.first[:-1])

    def spread(self, components: Mask) -> Mask:
        """Mark all flips of the marked components."""
        return np.repeat(components, np.diff(self.first))


def plain_cut(
    dem: stim.DetectorErrorModel, detector_round: Ids, plan: Sequence[Window]
) -> tuple[WindowModel, ...]:
    """What ``cut_windows`` must give for a plan of several windows that fits the model."""
    owner = np.full(dem.num_detectors, -1, dtype=np.int32)
    for k, window in enumerate(plan):
        owner[_within(detector_round, window.commits)] = k
    parts = _components(dem, owner)
    coordinates = dem.get_detector_coordinates()
    ancestors = _ancestors(plan)
    models = []
    for k, window in enumerate(plan):
        detectors = np.flatnonzero(_within(detector_round, window.rounds)).astype(np.int32)
        if not len(detectors):
            raise SyndromeError(f"window {k} reads rounds without a detector")
        models.append(_cut(parts, k, ancestors[k], detectors, coordinates))
    _check_independence(models, detector_round, plan, ancestors)
    return tuple(models)


def _components(dem: stim.DetectorErrorModel, owner: Ids) -> _Components:
    heads: list[str] = []
    error: list[int] = []
    labels: list[str] = []
    sizes: list[int] = []
    flips: list[int] = []
    for line in str(dem.without_tags().flattened()).splitlines():
        if not line.startswith("error"):
            continue
        head, _, body = line.partition(" ")
        for part in body.split("^"):
            names = part.split()
            ids = [int(name[1:]) for name in names if name[0] == "D"]
            if ids:
                error.append(len(heads))
                labels.append("".join(f" {name}" for name in names if name[0] == "L"))
                sizes.append(len(ids))
                flips += ids
        heads.append(head)
    first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    flipped = np.array(flips, dtype=np.int32)
    owners = owner[flipped]
    committer = np.minimum.reduceat(owners, first[:-1])
    return _Components(dem.num_observables, heads, error, labels, first, flipped, owners, committer)


def _ancestors(plan: Sequence[Window]) -> list[set[int]]:
    """All windows that each window builds on, directly or through others."""
    found: list[set[int]] = []
    for window in plan:
        found.append(set(window.after).union(*(found[j] for j in window.after)))
    return found


def _cut(
    parts: _Components,
    k: int,
    ancestors: set[int],
    detectors: Ids,
    coordinates: dict[int, list[float]],
) -> WindowModel:
    inside, local = _renumber(parts.flips, detectors)
    kept = parts.any(inside) & ~np.isin(parts.committer, list(ancestors))
    carried, labels = _labels(parts, k)
    shown = inside & parts.spread(kept)
    names = [f" D{i}" for i in local[shown].tolist()]
    ends = np.cumsum(np.add.reduceat(shown, parts.first[:-1], dtype=np.int64))[kept].tolist()
    symptoms = {
        c: "".join(names[start:end])
        for c, (start, end) in zip(np.flatnonzero(kept).tolist(), pairwise([0, *ends]), strict=True)
    }
    beyond = np.flatnonzero(parts.any(~inside) & (parts.committer == k)).tolist()
    if beyond:
        _keep_likeliest(parts, {symptoms[c] for c in beyond}, symptoms, labels)
    lines = list(_error_lines(parts, symptoms, labels))
    for i, detector in enumerate(detectors.tolist()):
        position = ", ".join(map(repr, coordinates[detector]))
        lines.append(f"detector({position}) D{i}" if position else f"detector D{i}")
    observables = parts.observables + len(carried)
    lines += [f"logical_observable L{i}" for i in range(observables)]
    dem = stim.DetectorErrorModel("\n".join(lines))
    base = detectors[0]
    shape = WindowShape(dem, 0, detectors - base, carried - base, parts.observables)
    return WindowModel(shape, int(base))


def _renumber(flips: Ids, detectors: Ids) -> tuple[Mask, Ids]:
    """Tell which flips are of ``detectors``, and at which position there."""
    position = np.searchsorted(detectors, flips).astype(np.int32)
    inside = detectors[np.minimum(position, len(detectors) - 1)] == flips
    return inside, position


def _labels(parts: _Components, k: int) -> tuple[Ids, dict[int, str]]:
    """Detectors that window k carries over, and the observables of each component it commits."""
    mine = parts.committer == k
    labels = {c: parts.labels[c] for c in np.flatnonzero(mine).tolist()}
    at = np.flatnonzero(parts.spread(mine) & (parts.owner != k))
    carried, columns = np.unique(parts.flips[at], return_inverse=True)
    components = np.searchsorted(parts.first, at, side="right") - 1
    for c, column in zip(components.tolist(), columns.tolist(), strict=True):
        labels[c] += f" L{parts.observables + column}"
    return carried, labels


def _keep_likeliest(
    parts: _Components, ambiguous: set[str], symptoms: dict[int, str], labels: dict[int, str]
) -> None:
    """Give components that the cut made indistinguishable the labels of the likeliest of them."""
    groups: dict[str, list[int]] = {symptom: [] for symptom in ambiguous}
    for c in labels:
        if symptoms[c] in ambiguous:
            groups[symptoms[c]].append(c)
    for group in groups.values():
        odds: dict[str, float] = {}
        for c in group:
            p = float(parts.heads[parts.error[c]].removeprefix("error(").removesuffix(")"))
            q = odds.get(labels[c], 0.0)
            odds[labels[c]] = p * (1 - q) + q * (1 - p)
        # to 12 digits, and of equal ones the first by name
        best = max(sorted(odds), key=lambda text: float(f"{odds[text]:.12g}"))
        labels.update(dict.fromkeys(group, best))


def _error_lines(
    parts: _Components, symptoms: dict[int, str], labels: dict[int, str]
) -> Iterator[str]:
    """Text of each error, its remaining components joined by ``^``."""
    for error, group in groupby(symptoms, key=parts.error.__getitem__):
        texts = [symptoms[c] + labels.get(c, "") for c in group]
        yield parts.heads[error] + " ^".join(texts)


def _check_independence(
    models: Sequence[WindowModel],
    detector_round: Ids,
    plan: Sequence[Window],
    ancestors: Sequence[set[int]],
) -> None:
    """Refuse a plan in which a window would have to wait for one that it does not build on."""
    for k, model in enumerate(models):
        rounds = detector_round[model.carried]
        for j in range(k + 1, len(plan)):
            if k not in ancestors[j] and _within(rounds, plan[j].rounds).any():
                raise SyndromeError(f"windows {k} and {j} are decoded independently")


def _within(rounds: Ids, span: range) -> Mask:
    return (rounds >= span.start) & (rounds < span.stop)
