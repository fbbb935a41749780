"""The error model that a decoder is given: decomposed or whole, and without what misleads it.

A *graph decoder* matches detection events in pairs, so each part of an error between two ``^``
separators may flip two detectors at most. Other decoders take *hyperedges*: errors with any number
of detectors, which they are given whole. Which of the two a decoder is, not where the model comes
from, decides what it gets.

Whatever the decoder, the model is then made unambiguous. An error of probability above one half
is replaced by a fixed flip and the complementary error: the same distribution, with finite and
positive weights. Errors of probability 0, or that flip no detector, are left out. Where errors
with the same detectors flip different observables, they take those that make the fewest errors go
wrong, so that the answer depends on probabilities and not on the order of the lines.

The text of a model is scanned with its loops folded, and it is written anew only where one of these
cases is found in it: any other model reaches the decoder as it came.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import stim

from emulator.syndromes.components import Components, read_components
from emulator.syndromes.parallel_errors import (
    DecomposedError,
    Part,
    agreed_observables,
    merged_errors,
)
from emulator.syndromes.source import SyndromeSource

__all__ = ["DecodableModel", "UnusedErrors", "decodable_model", "model_for_decoder"]

Ids = npt.NDArray[np.int32]
MIN_SPLIT = Fraction(99, 100)
"""Least share of the probability of errors with three or more detectors that must decompose.

A code that matching suits decomposes but for strays. In others some errors split by accident, into
ones that have nothing to do with them, in small ones most of them: 98 % in Stim's colour code of
distance 3 over 6 rounds. At distance 5 matching then errs half as often again as without them."""

_PROBABILITY = re.compile(r"error\(([^)]*)\)")
_BLIND = re.compile(r"(?:\)|\^)(?: L\d+)+(?: \^|$)", re.MULTILINE)
"""A part of an error that flips observables and no detector."""


@dataclass(frozen=True, slots=True)
class UnusedErrors:
    """Errors that a graph decoder cannot use: a part of them flips three or more detectors.

    ``errors`` of all ``of`` errors that flip a detector; ``share`` is the sum of their
    probabilities over that of all, exact in the decimals of the model.
    """

    errors: int
    of: int
    share: Fraction

    def __str__(self) -> str:
        """Count and share in words: "3 of 9 errors of the model, 20 % of …"."""
        return (
            f"{self.errors:,} of {self.of:,} errors of the model, {float(100 * self.share):.3g} % "
            "of the error probability, which flip three or more detectors (hyperedges) and are not "
            "decomposed into errors that flip one or two"
        )


@dataclass(frozen=True, slots=True, eq=False)
class DecodableModel:
    """What a decoder is given, and what has to be done around it.

    ``dem`` has the detectors and observables of the original. Before it is decoded, a shot's
    ``flipped_detectors`` (int32, ascending) are toggled, and ``flipped_observables`` are toggled in
    the prediction: the fixed flips. ``unused`` are errors that are not in ``dem``.
    """

    dem: stim.DetectorErrorModel
    flipped_detectors: Ids
    flipped_observables: Ids
    unused: UnusedErrors | None = None


def model_for_decoder(source: SyndromeSource, *, hyperedges: bool) -> stim.DetectorErrorModel:
    """Error model of a source as a decoder of that kind expects it: whole, or decomposed.

    Decomposition is Stim's, which takes a circuit. Where it fails, or leaves a part that flips an
    observable and no detector, errors are split into those that exist, if that leaves strays only
    (``MIN_SPLIT``), else none is. Nor is any in a generated colour code, which matching does not
    suit however small it is.
    """
    circuit, task = source.circuit, source.metadata.task or ""
    if circuit is None or (not hyperedges and _is_graph(source.dem)):
        return source.dem
    whole = circuit.detector_error_model(approximate_disjoint_errors=True)
    if hyperedges or task.startswith("color_code"):
        return whole
    split = circuit.detector_error_model(
        decompose_errors=True,
        approximate_disjoint_errors=True,
        block_decomposition_from_introducing_remnant_edges=True,
        ignore_decomposition_failures=True,
    )
    strays = _of_hyperedges(split)
    return split if strays <= (1 - MIN_SPLIT) * _of_hyperedges(whole) else whole


def _of_hyperedges(dem: stim.DetectorErrorModel) -> Fraction:
    """Sum of the probabilities of errors that a graph decoder cannot use as they are."""
    errors = _Rewriting(dem).errors
    return _total([error for error in errors if not _fits_graph(error)])


def decodable_model(dem: stim.DetectorErrorModel, *, hyperedges: bool) -> DecodableModel:
    """Make ``dem`` decodable (see the module); with ``hyperedges`` its errors are joined whole.

    Otherwise errors with three or more detectors are left out, and counted as ``unused``.
    """
    if hyperedges:
        dem = _joined(dem)
    if _is_plain(dem, hyperedges=hyperedges):
        none = np.empty(0, dtype=np.int32)
        return DecodableModel(dem, none, none)
    rewriting = _Rewriting(dem)
    if not hyperedges:
        rewriting.leave_hyperedges_out()
    rewriting.disambiguate()
    return rewriting.model()


def _joined(dem: stim.DetectorErrorModel) -> stim.DetectorErrorModel:
    """Join the parts of each error, loops kept folded; what is flipped twice is not flipped."""
    if " ^" not in str(dem):
        return dem
    joined = stim.DetectorErrorModel()
    for item in dem:
        if isinstance(item, stim.DemRepeatBlock):
            joined.append(stim.DemRepeatBlock(item.repeat_count, _joined(item.body_copy())))
        elif item.type == "error":
            targets = [t for t in item.targets_copy() if not t.is_separator()]
            flips = _odd(targets)
            if flips:
                joined.append("error", item.args_copy(), flips)
            for target in set(targets).difference(flips):  # the model still has them
                joined.append(_declaration(target))
        else:
            joined.append(item)
    return joined


def _declaration(target: stim.DemTarget) -> stim.DemInstruction:
    kind = "detector" if target.is_relative_detector_id() else "logical_observable"
    return stim.DemInstruction(kind, [], [target])


def _odd(targets: Iterable[stim.DemTarget]) -> list[stim.DemTarget]:
    """Targets that occur an odd number of times, in order."""
    return [target for target, times in Counter(targets).items() if times % 2]


def _is_graph(dem: stim.DetectorErrorModel) -> bool:
    text = _text(dem)
    hyper = bool((np.diff(read_components(text).first) > 2).any())
    return not hyper and not any("^" in found for found in _BLIND.findall(text))


def _is_plain(dem: stim.DetectorErrorModel, *, hyperedges: bool) -> bool:
    """Whether a decoder of that kind can take ``dem`` as it is."""
    text = _text(dem)
    if any(not 0 < float(p) <= 0.5 for p in set(_PROBABILITY.findall(text))):
        return False
    parts = read_components(text)
    if _BLIND.search(text) or (not hyperedges and (np.diff(parts.first) > 2).any()):
        return False
    return not _ambiguous(parts)


def _text(dem: stim.DetectorErrorModel) -> str:
    """Text of a model whose loops are cut to what is needed to see errors meet.

    An error reaches less than ``reach`` detectors beyond the shift at its place, so two errors meet
    only if less than that lies between them: a loop needs no more turns than that. What is left
    out lies between errors that do not meet, and repeats what is there.
    """
    dem = dem.without_tags()
    text = str(dem)
    if "repeat" not in text:
        return text
    reach = 1 + max((int(number) for number in re.findall(r"D(\d+)", text)), default=0)
    return str(_shortened(dem, reach)[0])


def _shortened(dem: stim.DetectorErrorModel, reach: int) -> tuple[stim.DetectorErrorModel, int]:
    """A model with its loops cut, and by how much it shifts the detectors that follow it."""
    short, shift = stim.DetectorErrorModel(), 0
    for item in dem:
        if isinstance(item, stim.DemRepeatBlock):
            body, step = _shortened(item.body_copy(), reach)
            turns = min(item.repeat_count, reach // step + 2 if step else 1)
            short.append(stim.DemRepeatBlock(turns, body))
            shift += turns * step
        else:
            short.append(item)
            if item.type == "shift_detectors":
                shift += item.targets_copy()[0]
    return short, shift


def _ambiguous(parts: Components) -> bool:
    """Whether some part names a target twice, or has the detectors of one with other observables.

    Parts of equal size are compared column by column: ``key`` numbers what was alike so far.
    """
    names = [tuple(sorted(text.split())) for text in parts.labels]
    if any(len(set(name)) < len(name) for name in names):
        return True
    number = {name: k for k, name in enumerate(dict.fromkeys(names))}
    label = np.array([number[name] for name in names], dtype=np.int64)[parts.label]
    sizes = np.diff(parts.first)
    for size in np.unique(sizes).tolist():
        which = np.flatnonzero(sizes == size)
        flips = np.sort(parts.flips[parts.first[which][:, None] + np.arange(size)], axis=1)
        if (flips[:, 1:] == flips[:, :-1]).any():
            return True
        key = np.zeros(len(which), dtype=np.int64)
        for column in flips.T.astype(np.int64):
            key = np.unique(key * (int(column.max()) + 1) + column, return_inverse=True)[1]
        order = np.lexsort((label[which], key))
        key, found = key[order], label[which][order]
        if ((key[1:] == key[:-1]) & (found[1:] != found[:-1])).any():
            return True
    return False


class _Rewriting:
    """A model on its way to a decodable one, all loops unrolled."""

    def __init__(self, dem: stim.DetectorErrorModel) -> None:
        self._dem = dem.flattened()
        self._flipped: set[int] = set()
        self._flipped_observables: set[int] = set()
        self._unused: UnusedErrors | None = None
        lines = (item for item in self._dem if item.type == "error")
        self.errors = [error for error in map(self._read, lines) if error is not None]

    def model(self) -> DecodableModel:
        """Write the model down, with the declarations of the original."""
        lines = [
            f"error({error.p!r}) {' ^ '.join(map(_words, error.parts))}" for error in self.errors
        ]
        lines += [str(item) for item in self._dem if item.type != "error"]
        if self._dem.num_detectors:
            lines.append(f"detector D{self._dem.num_detectors - 1}")
        if self._dem.num_observables:
            lines.append(f"logical_observable L{self._dem.num_observables - 1}")
        return DecodableModel(
            stim.DetectorErrorModel("\n".join(lines)),
            np.array(sorted(self._flipped), dtype=np.int32),
            np.array(sorted(self._flipped_observables), dtype=np.int32),
            self._unused,
        )

    def _read(self, line: stim.DemInstruction) -> DecomposedError | None:
        """Read an error, its certain part split off; None where nothing is left to be decoded.

        An error whose parts are not all seen by a detector counts as one part: what a decomposition
        leaves without a detector is lost to a decoder that works on parts.
        """
        (p,) = line.args_copy()
        parts = [_part(group) for group in line.target_groups()]
        if any(observables and not detectors for detectors, observables in parts):
            parts = [_part(target for group in line.target_groups() for target in group)]
        if p > 0.5:
            for detectors, observables in parts:
                self._flipped ^= set(detectors)
                self._flipped_observables ^= set(observables)
            p = 1 - p
        parts = [part for part in parts if part[0]]
        return DecomposedError(p, parts) if p > 0 and parts else None

    def leave_hyperedges_out(self) -> None:
        """Leave out what has too many detectors, and count it."""
        left_out = [error for error in self.errors if not _fits_graph(error)]
        if left_out:
            share = _total(left_out) / _total(self.errors)
            self._unused = UnusedErrors(len(left_out), len(self.errors), share)
            self.errors = [error for error in self.errors if _fits_graph(error)]

    def disambiguate(self) -> None:
        """Give parts with equal detectors the same observables, those that err least.

        Errors that have become equal are then one, of the probability that an odd number of them
        happened, and all are put in order: two orders of the same lines give one model.
        """
        labels = agreed_observables(self.errors)
        if labels is None:
            return
        agreed = [
            DecomposedError(
                error.p, [(detectors, labels[detectors]) for detectors, _ in error.parts]
            )
            for error in self.errors
        ]
        self.errors = merged_errors(agreed)


def _part(targets: Iterable[stim.DemTarget]) -> Part:
    """Detectors and observables of targets; what is flipped twice is not flipped."""
    odd = _odd(targets)
    detectors = sorted(target.val for target in odd if target.is_relative_detector_id())
    observables = sorted(target.val for target in odd if target.is_logical_observable_id())
    return tuple(detectors), tuple(observables)


def _words(part: Part) -> str:
    detectors, observables = part
    return " ".join([*(f"D{k}" for k in detectors), *(f"L{k}" for k in observables)])


def _total(errors: list[DecomposedError]) -> Fraction:
    counts = Counter(error.p for error in errors)
    return sum((Fraction(repr(p)) * count for p, count in counts.items()), Fraction())


def _fits_graph(error: DecomposedError) -> bool:
    return all(len(detectors) <= 2 for detectors, _ in error.parts)
