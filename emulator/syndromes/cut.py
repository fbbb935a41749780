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

Identical windows are recognised and cut once. Two windows are cut alike when the same runs of
errors lie in the same places around them, and all detectors there belong to the same rounds and
the same windows, both counted from the window. That is compared before any error is unrolled, so
that a window costs some microseconds, and only distinct ones take memory. Windows of which it is
not seen, as in a model without ``repeat`` blocks, still share text and parsed model where their
errors come out equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import stim

from emulator.errors import SyndromeError
from emulator.syndromes.components import Folded, ragged, read_folded
from emulator.syndromes.layout import ErrorLayout
from emulator.syndromes.owners import Ancestors, check_independence, detector_owners, span_text
from emulator.syndromes.window_model import Places, WindowModel, WindowShape
from emulator.windows import Window

__all__ = ["WindowModel", "cut_windows"]

Ids = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MAX_CACHED_CUTS = 4

_cuts: dict[bytes, "tuple[WindowModel, ...]"] = {}


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
    if detector_round.shape != (dem.num_detectors,):
        raise SyndromeError(
            f"rounds were given for {detector_round.size} detectors, but the error model has "
            f"{dem.num_detectors}; give one round for each detector"
        )
    owner = detector_owners(detector_round, plan)
    if len(plan) == 1:
        every = np.arange(dem.num_detectors, dtype=np.int32)
        none = np.empty(0, dtype=np.int32)
        return (WindowModel(WindowShape(dem, 0, every, none, dem.num_observables)),)
    text = str(dem.without_tags())
    key = _key(text, detector_round, plan)
    found = _cuts.pop(key, None)
    if found is None:
        cut = _Cut(dem, read_folded(text), detector_round, owner, plan)
        models = found = tuple(cut.window(k) for k in range(len(plan)))
        check_independence(lambda k: detector_round[models[k].carried], plan, cut.ancestors)
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
    """The windows of one plan, cut one by one; those that look alike are cut once."""

    def __init__(
        self,
        dem: stim.DetectorErrorModel,
        folded: Folded,
        detector_round: Ids,
        owner: Ids,
        plan: Sequence[Window],
    ) -> None:
        self.ancestors = Ancestors(plan)
        self._places = Places(dem)
        self._plan = plan
        self._detector_round = detector_round
        self._owner = owner
        self._observables = dem.num_observables
        self._heads, self._labels = folded.runs.heads, list(folded.runs.labels)
        self._layout = ErrorLayout(folded, detector_round, max(len(w.rounds) for w in plan))
        self._local = np.full(dem.num_detectors, -1, dtype=np.int32)
        self._written: dict[tuple[bytes, int, int], tuple[int, stim.DetectorErrorModel]] = {}
        self._shapes: dict[tuple[object, ...], WindowShape] = {}

    def window(self, k: int) -> WindowModel:
        """Cut window k of the plan."""
        span = self._plan[k].rounds
        detectors = self._layout.detectors(span)
        if not len(detectors):
            raise SyndromeError(
                f"window {k} reads rounds {span_text(span)}, where the error model has no "
                "detector; plan for fewer rounds"
            )
        key = self._surroundings(k, detectors)
        shape = None if key is None else self._shapes.get(key)
        if shape is None:
            shape = self._shape(k, detectors)
            if key is not None:
                self._shapes[key] = shape
        return WindowModel(shape, int(detectors[0]), self._places)

    def _surroundings(self, k: int, detectors: Ids) -> tuple[object, ...] | None:
        """All that the cut of window k depends on, counted from its first detector and round.

        None where the copies around it reach too far to be worth looking at.
        """
        span, base = self._plan[k].rounds, int(detectors[0])
        hull = self._layout.hull(span, detectors)
        if hull is None:
            return None
        copies, around = hull
        owners = self._owner[around]
        above: tuple[int, ...] = ()
        if not self.ancestors.chain:  # in a chain, the owners before k are its ancestors
            above = tuple(sorted(self.ancestors.among(k, set(np.unique(owners).tolist()))))
        folded = self._layout.folded
        return (
            len(span),
            folded.run[copies].tobytes(),
            (folded.offset[copies] - base).tobytes(),
            (self._detector_round[around] - np.int32(span.start)).tobytes(),
            (owners - np.int32(k)).tobytes(),
            tuple(j - k for j in above),
        )

    def _shape(self, k: int, detectors: Ids) -> WindowShape:
        """Cut window k anew; ``detectors`` are those that it reads."""
        piece, carried = self._piece(k, detectors)
        if piece is None:
            number, errors = self._model(np.empty(0, dtype=np.int32), len(detectors), 0)
        else:
            self._keep_likeliest(piece)
            words = self._words(piece, len(detectors), len(carried))
            number, errors = self._model(words, len(detectors), len(carried))
        base = detectors[0]
        return WindowShape(errors, number, detectors - base, carried - base, self._observables)

    def _piece(self, k: int, detectors: Ids) -> tuple[_Piece | None, Ids]:
        """Components that window k keeps, and the detectors that it carries over."""
        parts = self._layout.around(self._plan[k].rounds)
        local = self._local
        local[detectors] = np.arange(len(detectors), dtype=np.int32)
        heads = parts.first[:-1]
        committer = np.minimum.reduceat(self._owner[parts.flips], heads)
        above = self.ancestors.among(k, set(np.unique(committer).tolist()))
        # what spans the window may flip nothing in it
        keep = np.logical_or.reduceat(local[parts.flips] >= 0, heads)
        keep &= ~np.isin(committer, list(above))
        parts, committer = parts.kept(keep), committer[keep]
        flips_local = local[parts.flips]
        local[detectors] = -1
        if not len(parts.error):
            return None, np.empty(0, dtype=np.int32)
        sizes, flips = np.diff(parts.first), parts.flips
        mine = committer == k
        handed = np.flatnonzero(np.repeat(mine, sizes) & (self._owner[flips] != k))
        carried, columns = np.unique(flips[handed], return_inverse=True)
        column = np.full(len(flips), -1, dtype=np.int32)
        column[handed] = columns
        piece = _Piece(
            error=parts.error,
            head=parts.head,
            label=np.where(mine, parts.label, 0),
            mine=mine,
            first=parts.first,
            local=flips_local,
            column=column,
        )
        return piece, carried

    def _model(
        self, words: Ids, detectors: int, carried: int
    ) -> tuple[int, stim.DetectorErrorModel]:
        """Errors written as ``_words`` numbers them: how many distinct ones there were, model."""
        key = (words.tobytes(), detectors, carried)
        found = self._written.get(key)
        if found is None:
            used, places = np.unique(words, return_inverse=True)
            table = [self._word(word, detectors, carried) for word in used.tolist()]
            text = "".join(map(table.__getitem__, places.tolist()))
            found = self._written[key] = len(self._written), stim.DetectorErrorModel(text)
        return found

    def _word(self, word: int, detectors: int, carried: int) -> str:
        """Text of a word as ``_words`` numbers them."""
        if not word:
            return " ^"
        word -= 1
        if word < len(self._heads):
            return f"\n{self._heads[word]}"
        word -= len(self._heads)
        if word < detectors:
            return f" D{word}"
        word -= detectors
        return f" L{self._observables + word}" if word < carried else self._labels[word - carried]

    def _words(self, piece: _Piece, detectors: int, carried: int) -> Ids:
        """Words of the errors in order, numbered: ``^``, heads, detectors, carried ones, labels.

        A component is a head, or ``^`` within an error, then detectors, label, virtual observables.
        """
        shown, handed, named = piece.local >= 0, piece.column >= 0, piece.label > 0
        flips, hands = piece.count(shown), piece.count(handed)
        counts = 1 + flips + named + hands
        start = np.cumsum(counts) - counts
        first_detector = 1 + len(self._heads)
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
                head = self._heads[piece.head[c]]
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
