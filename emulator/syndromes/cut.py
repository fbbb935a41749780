"""Window error models: the pieces of a detector error model that each decoding window works on.

A *component* is the part of an error between two ``^`` separators. Each component is committed by
exactly one window: the first in the plan whose commit rounds it touches. A window reads the
components that touch its detectors, less those that a window it builds on has committed; detectors
outside the window are dropped from them, which leaves the window an open boundary in time.

Committed components keep their observables and gain a *virtual observable* for every detector they
flip outside the commit rounds. A prediction then says, beside the logical flips, which detectors
of later windows to toggle, so any decoder that predicts observables can hand its boundary over.
This is the overlapping-window method of Dennis et al. (arXiv quant-ph/0110143, section VI.B), and
with the plan of ``parallel_windows`` that of Skoric et al. (arXiv 2209.08552).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt
import stim

from emulator.errors import SyndromeError
from emulator.windows import Window

__all__ = ["WindowModel", "cut_windows"]

Ids = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WindowModel:
    """The error model that one window decodes.

    ``dem`` has the window's detectors renumbered 0..n-1; ``detectors`` (int32, shape (n,),
    ascending) are their numbers in the whole model. Observables 0..``observables``-1 of ``dem``
    are those of the whole model; observable ``observables`` + j says that detector ``carried[j]``
    (int32, a number of the whole model, ascending) must be toggled for the windows that follow.
    """

    dem: stim.DetectorErrorModel
    detectors: Ids
    observables: int
    carried: Ids


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


def cut_windows(
    dem: stim.DetectorErrorModel, detector_round: Ids, plan: Sequence[Window]
) -> tuple[WindowModel, ...]:
    """Cut ``dem`` into one model for each window of ``plan``, in its order.

    ``detector_round`` (int32, shape (D,)) is the round of each detector. A plan of one window
    returns ``dem`` itself. The ``^`` grouping of an error survives among those of its components
    that a window keeps. Components without detectors are dropped: no decoder can see them.

    Raises SyndromeError when the rounds or the plan do not fit the model, or when an error joins
    two windows that the plan decodes independently of each other.
    """
    detector_round = np.asarray(detector_round, dtype=np.int32)
    owner = _owners(dem, detector_round, plan)
    if len(plan) == 1:
        every = np.arange(dem.num_detectors, dtype=np.int32)
        return (WindowModel(dem, every, dem.num_observables, np.empty(0, dtype=np.int32)),)
    parts = _components(dem, owner)
    coordinates = dem.get_detector_coordinates()
    ancestors = _ancestors(plan)
    models = []
    for k, window in enumerate(plan):
        detectors = np.flatnonzero(_within(detector_round, window.rounds)).astype(np.int32)
        if not len(detectors):
            raise SyndromeError(
                f"window {k} reads rounds {_span(window.rounds)}, where the error model has no "
                "detector; plan for fewer rounds"
            )
        models.append(_cut(parts, k, ancestors[k], detectors, coordinates))
    _check_independence(models, detector_round, plan, ancestors)
    return tuple(models)


def _owners(dem: stim.DetectorErrorModel, detector_round: Ids, plan: Sequence[Window]) -> Ids:
    """Position in the plan of the window that commits each detector."""
    if detector_round.shape != (dem.num_detectors,):
        raise SyndromeError(
            f"rounds were given for {detector_round.size} detectors, but the error model has "
            f"{dem.num_detectors}; give one round for each detector"
        )
    owner = np.full(dem.num_detectors, -1, dtype=np.int32)
    for k, window in enumerate(plan):
        if any(not 0 <= j < k for j in window.after):
            raise SyndromeError(f"window {k} builds on {window.after}; list those windows first")
        mine = _within(detector_round, window.commits)
        if (owner[mine] >= 0).any() or (mine & ~_within(detector_round, window.rounds)).any():
            raise SyndromeError(
                f"window {k} commits rounds {_span(window.commits)}, some of which it does not "
                "read or another window has committed; commit every round once"
            )
        owner[mine] = k
    if (owner < 0).any():
        raise SyndromeError(
            f"no window commits round {detector_round[owner < 0][0]} of the error model; "
            "plan for all of its rounds"
        )
    return owner


def _components(dem: stim.DetectorErrorModel, owner: Ids) -> _Components:
    # Stim writes probabilities with enough digits to read them back exactly, and reading its text
    # is several times faster than asking for targets one by one.
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
    if not flips:
        raise SyndromeError("the error model has no error that flips a detector; add noise to it")
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
    return WindowModel(dem, detectors, parts.observables, carried)


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
    """Give components that the cut made indistinguishable the labels of the likeliest of them.

    This happens when committed components reach beyond the window (no buffer, or errors longer
    than it). Decoders disagree on which of two parallel edges they keep; with equal labels they
    all combine the probabilities as of independent errors, and none of them can choose badly.
    """
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
        labels.update(dict.fromkeys(group, max(odds, key=odds.__getitem__)))


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
                raise SyndromeError(
                    f"windows {k} and {j} are decoded independently, but an error of the model "
                    "reaches from one into the other; use a larger buffer"
                )


def _within(rounds: Ids, span: range) -> Mask:
    return (rounds >= span.start) & (rounds < span.stop)


def _span(rounds: range) -> str:
    return f"{rounds.start} to {rounds.stop - 1}"
