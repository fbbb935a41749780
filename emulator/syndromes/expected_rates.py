"""Whether recorded shots can come from an error model, by how often its detectors fire.

Under the model a detector fires in each shot with a known probability, independently of the other
shots. Three things can contradict that, each by a bound on its chance:

- the rate of one detector: Chernoff's bound (Hoeffding 1963, theorem 1);
- detectors that one error flips fire together too rarely, as if they were others: Bernstein's
  bound, for shots that can fall short of their mean by no more than the mean itself;
- the rates are those of the model with its bits in another order: of detectors that have no error
  in common, which are independent, the likelihood of the one order over the other exceeds x with a
  chance of at most 1 / x.

Shots of the model are refused with a probability of at most `MAX_FALSE_ALARM` in all. In the first
two, rates within `MODEL_TOLERANCE` count as equal, as models are approximations themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

import numpy as np
import stim
from numpy.typing import NDArray

from emulator.syndromes.components import read_components
from emulator.syndromes.shot_files import ShotFile

__all__ = ["MAX_FALSE_ALARM", "MODEL_TOLERANCE", "ExpectedRates"]

MAX_FALSE_ALARM = 1e-9
"""Largest probability that shots of the model itself are held to contradict it."""

MODEL_TOLERANCE = 0.1
"""Part of a rate by which a model may be wrong."""

_MAX_SHOTS = 1 << 14
_BLOCK_SHOTS = 1 << 10
_MAX_PAIRS = 1 << 11
_MAX_APART = 1 << 9
_MAX_SAMPLED_ERRORS = 1 << 27  # a second or two
_REFERENCE_SEED = 0

Rates = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedRates:
    """What a model says of its detectors.

    ``detectors`` is the probability of each to fire (float64, shape (D,)). ``pairs`` (int64, shape
    (P, 2)) are the pairs that one error flips, the likeliest 2,048 of them; in a shot, the number
    of pairs of which both fire has the mean ``coincidences`` and the given ``variance``. The bits
    might also stand in any of the ``orders``.
    """

    detectors: Rates
    pairs: Ids
    coincidences: float
    variance: float
    orders: tuple["_Order", ...]

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> "ExpectedRates":
        """Rates of the independent errors of ``dem``.

        ``detectors`` are exact, as products of 1 - 2p; the others are means of sampled shots.
        """
        errors, detectors, probability = _touches(dem)
        evenness = np.ones(dem.num_detectors)  # mean of (-1)^fired
        np.multiply.at(evenness, detectors, 1 - 2 * probability)
        pairs = _pairs(errors, detectors, probability)
        shots = int(np.clip(_MAX_SAMPLED_ERRORS // max(dem.num_errors, 1), 256, 4096))
        sampler = dem.compile_sampler(seed=_REFERENCE_SEED)
        rows, _, _ = sampler.sample(shots, bit_packed=True)
        sums = _coincidences(np.unpackbits(rows, axis=1, bitorder="little"), pairs)
        rates = (1 - evenness) / 2
        orders = tuple(_orders(rates, dem.num_observables, errors, detectors))
        return cls(rates, pairs, float(sums.mean()), float(sums.var()), orders)

    def contradiction(self, shots: ShotFile) -> str | None:
        """Say how the first shots of a file contradict the model, if they do."""
        count = min(shots.num_shots, _MAX_SHOTS)
        fired = np.zeros(len(self.detectors), dtype=np.int64)
        coincided = 0.0
        for first in range(0, count, _BLOCK_SHOTS):
            rows, _ = shots.read(first, min(_BLOCK_SHOTS, count - first))
            bits = np.unpackbits(rows, axis=1, count=len(self.detectors), bitorder="little")
            fired += bits.sum(axis=0, dtype=np.int64)
            coincided += _coincidences(bits, self.pairs).sum()
        limit = log((2 * len(fired) + 1 + len(self.orders)) / MAX_FALSE_ALARM)
        rates = fired / count
        return (
            self._by_rate(rates, count, limit)
            or self._by_pairs(coincided / count, count, limit)
            or self._by_order(rates, count, limit)
        )

    def _by_rate(self, found: Rates, shots: int, limit: float) -> str | None:
        evidence = shots * _divergence(found, self.detectors)
        if not (evidence > limit).any():
            return None
        worst = int(evidence.argmax())
        return (
            f"D{worst} fires in {100 * found[worst]:.3g} % of {shots} shots, and the model expects "
            f"{100 * self.detectors[worst]:.3g} % (all detectors: {100 * found.mean():.3g} %, "
            f"expected {100 * self.detectors.mean():.3g} %)"
        )

    def _by_pairs(self, found: float, shots: int, limit: float) -> str | None:
        """Too few coincidences: each detector may have its rate, but it is not in its place."""
        mean = self.coincidences / (1 + MODEL_TOLERANCE)
        missing = mean - found
        spread = self.variance * (1 + MODEL_TOLERANCE) + mean * missing / 3
        if missing <= 0 or shots * missing**2 <= 2 * spread * limit:
            return None
        return (
            f"of the pairs of detectors that one error flips, {found:.3g} fire together in a shot "
            f"(mean of {shots}), and the model expects {self.coincidences:.3g}"
        )

    def _by_order(self, found: Rates, shots: int, limit: float) -> str | None:
        for order in self.orders:
            if shots * order.evidence(found, self.detectors) > limit:
                return f"the rates of {shots} shots are those of its detectors {order.name}"
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Rates in another order, of detectors (int64) that have no error in common."""

    name: str
    detectors: Ids
    rates: Rates

    def evidence(self, found: Rates, expected: Rates) -> float:
        """Logarithm of the likelihood of this order over that of the model, by shot."""
        fired, mine, theirs = found[self.detectors], self.rates, expected[self.detectors]
        gain = fired * np.log(mine / theirs) + (1 - fired) * np.log((1 - mine) / (1 - theirs))
        return float(gain.sum())


def _divergence(found: Rates, expected: Rates) -> Rates:
    """Relative entropy of found and expected rates, at the end of the tolerance that is nearer."""
    low, high = expected / (1 + MODEL_TOLERANCE), expected * (1 + MODEL_TOLERANCE)
    nearest = np.clip(found, low, np.minimum(high, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        on = np.where(found > 0, found * np.log(found / nearest), 0)
        off = np.where(found < 1, (1 - found) * np.log((1 - found) / (1 - nearest)), 0)
    divergence: Rates = on + off
    return divergence


def _orders(rates: Rates, observables: int, errors: Ids, detectors: Ids) -> Iterator[_Order]:
    """Orders in which bits are often written by mistake."""
    count = len(rates)
    number = np.arange(count)
    turned = number ^ 7
    sources = {"with the bits of each byte turned round": np.where(turned < count, turned, number)}
    places = {1, 8, observables} - {0}
    for shift in sorted({sign * place for place in places for sign in (1, -1)}):
        name = f"behind {shift} other bits" if shift > 0 else f"without the first {-shift}"
        sources[name] = (number - shift) % count
    for name, source in sources.items():
        other = rates[source]
        known = (rates > 0) & (rates < 1) & (other > 0) & (other < 1)
        gain = np.zeros(count)
        gain[known] = _divergence(other[known], rates[known])
        apart = _apart(gain, errors, detectors)
        if len(apart):
            yield _Order(name, apart, other[apart])


def _apart(gain: Rates, errors: Ids, detectors: Ids) -> Ids:
    """Detectors of the largest gain such that no error flips two of them, 512 at most."""
    by_detector = np.argsort(detectors, kind="stable")
    bounds = np.searchsorted(detectors[by_detector], np.arange(len(gain) + 1))
    used = np.zeros(errors.max(initial=-1) + 1, dtype=bool)
    kept: list[int] = []
    for k in np.argsort(-gain, kind="stable")[: np.count_nonzero(gain)].tolist():
        touching = errors[by_detector[bounds[k] : bounds[k + 1]]]
        if not used[touching].any():
            used[touching] = True
            kept.append(k)
            if len(kept) == _MAX_APART:
                break
    return np.array(kept, dtype=np.int64)


def _touches(dem: stim.DetectorErrorModel) -> tuple[Ids, Ids, Rates]:
    """Each error and detector that it flips, once, with the probability of the error.

    A detector in two parts of one error is not flipped by it.
    """
    parts = read_components(str(dem.without_tags()))
    sizes = np.diff(parts.first)
    errors = np.repeat(parts.error, sizes)
    both = errors * dem.num_detectors + parts.flips
    kept, where, times = np.unique(both, return_index=True, return_counts=True)
    kept, where = kept[times % 2 == 1], where[times % 2 == 1]
    of_head = np.array([float(head.partition("(")[2].rstrip(")")) for head in parts.heads])
    probability = of_head[np.repeat(parts.head, sizes)[where]]
    return kept // dem.num_detectors, kept % dem.num_detectors, probability


def _pairs(errors: Ids, detectors: Ids, probability: Rates) -> Ids:
    """Pairs of detectors that one error flips, likeliest first, each once."""
    starts = np.flatnonzero(np.diff(errors, prepend=-1))
    two = starts[np.diff(starts, append=len(errors)) == 2]
    order = two[np.argsort(-probability[two], kind="stable")]
    found = np.stack([detectors[order], detectors[order + 1]], axis=1)
    _, where = np.unique(found, axis=0, return_index=True)
    kept: Ids = found[np.sort(where)][:_MAX_PAIRS]
    return kept


def _coincidences(bits: NDArray[np.uint8], pairs: Ids) -> Rates:
    """Number of pairs of which both fire, by shot: float64 of shape (shots,)."""
    both = bits[:, pairs[:, 0]] & bits[:, pairs[:, 1]]
    sums: Rates = both.sum(axis=1, dtype=np.float64)
    return sums
