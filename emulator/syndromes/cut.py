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

The work is done on arrays, and windows whose errors are equal but for a translation in time share
one text and one parsed model: a sliding plan has a handful of distinct windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.components import Components, ragged, read_components
from emulator.windows import Window

__all__ = ["WindowModel", "cut_windows"]

Ids = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MAX_CACHED_CUTS = 4

_cuts: dict[bytes, "tuple[WindowModel, ...]"] = {}


@dataclass(frozen=True, slots=True, eq=False)
class WindowModel:
    """The error model that one window decodes.

    ``dem`` has the window's detectors renumbered 0..n-1; ``detectors`` (int32, shape (n,),
    ascending) are their numbers in the whole model. Observables 0..``observables``-1 of ``dem``
    are those of the whole model; observable ``observables`` + j says that detector ``carried[j]``
    (int32, a number of the whole model, ascending) must be toggled for the windows that follow.
    Windows of one cut with the same number ``errors`` have equal models but for the coordinates
    of their detectors. Models are shared between callers: do not change them.
    """

    dem: stim.DetectorErrorModel
    detectors: Ids
    observables: int
    carried: Ids
    errors: int = 0


def cut_windows(
    dem: stim.DetectorErrorModel, detector_round: Ids, plan: Sequence[Window]
) -> tuple[WindowModel, ...]:
    """Cut ``dem`` into one model for each window of ``plan``, in its order.

    ``detector_round`` (int32, shape (D,)) is the round of each detector. A plan of one window
    returns ``dem`` itself. The ``^`` grouping of an error survives among those of its components
    that a window keeps. Components without detectors are dropped: no decoder can see them.
    The last ``MAX_CACHED_CUTS`` cuts are kept and given again for the same arguments.

    Raises SyndromeError when the rounds or the plan do not fit the model, or when an error joins
    two windows that the plan decodes independently of each other.
    """
    detector_round = np.asarray(detector_round, dtype=np.int32)
    owner = _owners(dem, detector_round, plan)
    if len(plan) == 1:
        every = np.arange(dem.num_detectors, dtype=np.int32)
        return (WindowModel(dem, every, dem.num_observables, np.empty(0, dtype=np.int32)),)
    text = str(dem.without_tags())
    key = _key(text, detector_round, plan)
    found = _cuts.pop(key, None)
    if found is None:
        cut = _Cut(dem, read_components(text), detector_round, owner, plan)
        found = tuple(cut.window(k) for k in range(len(plan)))
        _check_independence(found, detector_round, plan, cut.ancestors)
    _cuts[key] = found  # the latest last
    while len(_cuts) > MAX_CACHED_CUTS:
        del _cuts[next(iter(_cuts))]
    return found


def _key(text: str, detector_round: Ids, plan: Sequence[Window]) -> bytes:
    """Digest of all that a cut depends on; ``text`` is that of the error model."""
    digest = blake2b(repr(tuple(plan)).encode())
    digest.update(detector_round.tobytes())
    digest.update(text.encode())
    return digest.digest()


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


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """The components that one window keeps, in order, and their flips.

    ``error``, ``head`` and ``label`` are as in `Components`, but only those that this window
    commits, which ``mine`` marks, have a label. ``first`` bounds the flips of each component:
    ``local`` is the number of the detector in the window, -1 outside it, ``column`` the number of
    the virtual observable that hands the flip over, -1 where it has none.
    """

    error: Counts
    head: Ids
    label: Ids
    mine: Mask
    first: Counts
    local: Ids
    column: Ids

    def count(self, flips: Mask) -> Counts:
        """Count the marked flips of each component."""
        return np.add.reduceat(flips, self.first[:-1], dtype=np.int64)


class _Cut:
    """The windows of one plan, cut one by one; equal ones are written and parsed once."""

    def __init__(
        self,
        dem: stim.DetectorErrorModel,
        parts: Components,
        detector_round: Ids,
        owner: Ids,
        plan: Sequence[Window],
    ) -> None:
        self.parts = parts
        self.ancestors = _ancestors(plan)
        self._plan = plan
        self._detector_round = detector_round
        self._owner = owner
        self._observables = dem.num_observables
        self._labels = list(self.parts.labels)
        coordinates = dem.get_detector_coordinates()
        self._places = [_place(coordinates[d]) for d in range(dem.num_detectors)]
        flips, heads = self.parts.flips, self.parts.first[:-1]
        rounds = detector_round[flips]
        self._earliest = np.minimum.reduceat(rounds, heads)
        self._latest = np.maximum.reduceat(rounds, heads)
        self._committer = np.minimum.reduceat(owner[flips], heads)
        self._local = np.full(dem.num_detectors, -1, dtype=np.int32)
        self._written: dict[tuple[bytes, int, int], tuple[int, stim.DetectorErrorModel]] = {}

    def window(self, k: int) -> WindowModel:
        """Cut window k of the plan."""
        span = self._plan[k].rounds
        detectors = np.flatnonzero(_within(self._detector_round, span)).astype(np.int32)
        if not len(detectors):
            raise SyndromeError(
                f"window {k} reads rounds {_span(span)}, where the error model has no "
                "detector; plan for fewer rounds"
            )
        piece, carried = self._piece(k, detectors)
        if piece is None:
            number, errors = self._model(np.empty(0, dtype=np.int32), len(detectors), 0)
        else:
            self._keep_likeliest(piece)
            words = self._words(piece, len(detectors), len(carried))
            number, errors = self._model(words, len(detectors), len(carried))
        dem = errors + self._declarations(detectors, len(carried))
        return WindowModel(dem, detectors, self._observables, carried, number)

    def _piece(self, k: int, detectors: Ids) -> tuple[_Piece | None, Ids]:
        """Components that window k keeps, and the detectors that it carries over."""
        span, local = self._plan[k].rounds, self._local
        local[:] = -1
        local[detectors] = np.arange(len(detectors), dtype=np.int32)
        committed = np.zeros(len(self._plan), dtype=bool)
        committed[list(self.ancestors[k])] = True
        ids = np.flatnonzero((self._latest >= span.start) & (self._earliest < span.stop))
        ids = ids[~committed[self._committer[ids]]]
        # What spans the window may flip nothing in it.
        at, sizes = self._flips(ids)
        owners = np.repeat(np.arange(len(ids)), sizes)
        ids = ids[np.bincount(owners[local[self.parts.flips[at]] >= 0], minlength=len(ids)) > 0]
        if not len(ids):
            return None, np.empty(0, dtype=np.int32)
        at, sizes = self._flips(ids)
        flips = self.parts.flips[at]
        mine = self._committer[ids] == k
        handed = np.flatnonzero(np.repeat(mine, sizes) & (self._owner[flips] != k))
        carried, columns = np.unique(flips[handed], return_inverse=True)
        column = np.full(len(flips), -1, dtype=np.int32)
        column[handed] = columns
        piece = _Piece(
            error=self.parts.error[ids],
            head=self.parts.head[ids],
            label=np.where(mine, self.parts.label[ids], 0),
            mine=mine,
            first=np.concatenate([[0], np.cumsum(sizes)]),
            local=local[flips],
            column=column,
        )
        return piece, carried

    def _flips(self, ids: Counts) -> tuple[Counts, Counts]:
        """Indices of the flips of components, and how many each has."""
        first = self.parts.first
        sizes = first[ids + 1] - first[ids]
        return ragged(first[ids], sizes), sizes

    def _model(
        self, words: Ids, detectors: int, carried: int
    ) -> tuple[int, stim.DetectorErrorModel]:
        """Errors written as ``_words`` numbers them: how many distinct ones there were, model."""
        key = (words.tobytes(), detectors, carried)
        found = self._written.get(key)
        if found is None:
            table = [" ^", *(f"\n{head}" for head in self.parts.heads)]
            table += [f" D{i}" for i in range(detectors)]
            table += [f" L{self._observables + j}" for j in range(carried)]
            table += self._labels
            text = "".join(map(table.__getitem__, words.tolist()))
            found = self._written[key] = len(self._written), stim.DetectorErrorModel(text)
        return found

    def _declarations(self, detectors: Ids, carried: int) -> stim.DetectorErrorModel:
        """Declare all detectors, with their coordinates, and all observables of a window."""
        places = map(self._places.__getitem__, detectors.tolist())
        lines = [f"{place} D{i}" for i, place in enumerate(places)]
        lines += [f"logical_observable L{i}" for i in range(self._observables + carried)]
        return stim.DetectorErrorModel("\n".join(lines))

    def _words(self, piece: _Piece, detectors: int, carried: int) -> Ids:
        """Words of the errors in order, as places in the table of ``_model``.

        A component is a head, or ``^`` within an error, then detectors, label, virtual observables.
        """
        shown, handed, named = piece.local >= 0, piece.column >= 0, piece.label > 0
        flips, hands = piece.count(shown), piece.count(handed)
        counts = 1 + flips + named + hands
        start = np.cumsum(counts) - counts
        first_detector = 1 + len(self.parts.heads)
        first_virtual = first_detector + detectors
        words = np.empty(int(counts.sum()), dtype=np.int32)
        opens = np.diff(piece.error, prepend=-1) != 0
        words[start] = np.where(opens, 1 + piece.head, 0)
        words[ragged(start + 1, flips)] = first_detector + piece.local[shown]
        words[(start + 1 + flips)[named]] = first_virtual + carried + piece.label[named]
        words[ragged(start + 1 + flips + named, hands)] = first_virtual + piece.column[handed]
        return words

    def _keep_likeliest(self, piece: _Piece) -> None:
        """Give components that the cut made indistinguishable the labels of the likeliest of them.

        This happens when committed components reach beyond the window (no buffer, or errors longer
        than it). Decoders disagree on which of two parallel edges they keep; with equal labels
        they all combine the probabilities as of independent errors, and none of them can choose
        badly.
        """
        shown = piece.local >= 0
        beyond = (piece.count(~shown) > 0) & piece.mine
        if not beyond.any():
            return
        local = piece.local[shown]
        bounds = np.concatenate([[0], np.cumsum(piece.count(shown))])
        # Equal symptoms begin alike: only those that begin like one of ``beyond`` are looked at.
        begin = local[bounds[:-1]]
        alike = np.flatnonzero(piece.mine & np.isin(begin, begin[beyond]))
        symptoms = {c: local[bounds[c] : bounds[c + 1]].tobytes() for c in alike.tolist()}
        groups: dict[bytes, list[int]] = {symptoms[c]: [] for c in np.flatnonzero(beyond).tolist()}
        for c, symptom in symptoms.items():
            if symptom in groups:
                groups[symptom].append(c)
        for group in groups.values():
            odds: dict[str, float] = {}
            for c in group:
                head = self.parts.heads[piece.head[c]]
                p, text = float(head.removeprefix("error(").removesuffix(")")), self._text(piece, c)
                q = odds.get(text, 0.0)
                odds[text] = p * (1 - q) + q * (1 - p)
            # rounded and in order, so that the order of the errors does not decide a tie
            first = max(sorted(odds), key=lambda text: float(f"{odds[text]:.12g}"))
            likeliest = self._label(first)
            for c in group:
                piece.label[c] = likeliest
                piece.column[piece.first[c] : piece.first[c + 1]] = -1

    def _text(self, piece: _Piece, c: int) -> str:
        """All observables of a component as text, the virtual ones last."""
        columns = piece.column[piece.first[c] : piece.first[c + 1]].tolist()
        virtual = [f" L{self._observables + column}" for column in columns if column >= 0]
        return "".join([self._labels[piece.label[c]], *virtual])

    def _label(self, text: str) -> int:
        """Place of a label in the list, to whose end a new one is added."""
        if text not in self._labels:
            self._labels.append(text)
        return self._labels.index(text)


def _place(coordinates: list[float]) -> str:
    """Begin the declaration of a detector."""
    position = ", ".join(map(repr, coordinates))
    return f"detector({position})" if position else "detector"


def _ancestors(plan: Sequence[Window]) -> list[set[int]]:
    """All windows that each window builds on, directly or through others."""
    found: list[set[int]] = []
    for window in plan:
        found.append(set(window.after).union(*(found[j] for j in window.after)))
    return found


def _check_independence(
    models: Sequence[WindowModel],
    detector_round: Ids,
    plan: Sequence[Window],
    ancestors: Sequence[set[int]],
) -> None:
    """Refuse a plan in which a window would have to wait for one that it does not build on."""
    starts = np.array([window.rounds.start for window in plan])
    stops = np.array([window.rounds.stop for window in plan])
    for k, model in enumerate(models):
        rounds = np.unique(detector_round[model.carried])
        reached = np.searchsorted(rounds, stops) > np.searchsorted(rounds, starts)
        for j in (k + 1 + np.flatnonzero(reached[k + 1 :])).tolist():
            if k not in ancestors[j]:
                raise SyndromeError(
                    f"windows {k} and {j} are decoded independently, but an error of the model "
                    "reaches from one into the other; use a larger buffer"
                )


def _within(rounds: Ids, span: range) -> Mask:
    return (rounds >= span.start) & (rounds < span.stop)


def _span(rounds: range) -> str:
    return f"{rounds.start} to {rounds.stop - 1}"
