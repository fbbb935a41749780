"""What decoders did to the same shots: densities, errors and times, with intervals."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.ising_layout import IsingLayout
from emulator.results.rates import PairedCount
from models.published import Published

__all__ = ["CONFIDENCE", "Arm", "Evaluation", "Thinned"]

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to decode: ``wrong``, bool (shots,), and the mean time of a shot in ns.

    ``single_ns`` is the matcher called shot by shot, ``batch_ns`` called once for all;
    ``predecoder_ns`` the pre-decoder called shot by shot, 0 without one. ``disturbed`` is the share
    of its timed calls that other work on the machine made longer; the times are of the others.
    """

    name: str
    wrong: NDArray[np.bool_]
    single_ns: float
    batch_ns: float
    predecoder_ns: float = 0.0
    disturbed: float = 0.0

    @property
    def total_ns(self) -> float:
        """Pre-decoder and matcher, shot by shot."""
        return self.predecoder_ns + self.single_ns


@dataclass(frozen=True, eq=False)
class Thinned:
    """Detection events that the pre-decoder ``name`` leaves, int64 (shots,), and its two arms."""

    name: str
    after: NDArray[np.int64]
    arms: tuple[Arm, Arm]
    """Before PyMatching and before correlated PyMatching."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Arms on the same shots: ``alone`` is PyMatching and correlated PyMatching.

    Events are counted without the opposite basis of the last round, which the contract drops:
    ``before``, int64 (shots,). ``profile`` is the time of another network, to compare with.
    """

    layout: IsingLayout
    p: float
    before: NDArray[np.int64]
    alone: tuple[Arm, Arm]
    thinned: tuple[Thinned, ...]
    profile: Published | None = None

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, PyMatching alone first."""
        return (*self.alone, *(arm for each in self.thinned for arm in each.arms))

    def errors(self, arm: Arm) -> PairedCount:
        """Errors of PyMatching alone and of ``arm``."""
        return PairedCount.of(self.alone[0].wrong, arm.wrong)

    def sparser(
        self, each: Thinned, confidence: float = CONFIDENCE
    ) -> tuple[float, float, float] | None:
        """Events before over events after, and its interval; None when no event is left.

        The interval is the normal one of a ratio of sums over independent shots (delta method).
        """
        total, shots = int(each.after.sum()), len(each.after)
        if not total:
            return None
        ratio = float(self.before.sum() / total)
        spread = float(np.std(self.before - ratio * each.after))
        half = NormalDist().inv_cdf((1 + confidence) / 2) * spread * sqrt(shots) / total
        return ratio, ratio - half, ratio + half

    def text(self) -> str:
        """Head line, a line for each pre-decoder, Markdown table, and what needs a sentence."""
        layout, shots = self.layout, len(self.before)
        head = (
            f"d={layout.distance} T={layout.rounds} {layout.basis} {layout.orientation}, "
            f"p = {self.p}, {shots} shots: density {self._density(self.before)}"
        )
        lines = [head, *(self._thinning(each) for each in self.thinned), "", *self._table()]
        first, *others = self.thinned
        lines += ["", *(self._beside(first, other) for other in others)] if others else []
        lines += ["", self.profile.text()] if self.profile else []
        disturbed = max(arm.disturbed for arm in self.arms)
        if disturbed > 0:
            share = f"up to {disturbed:.2%} of the timed calls of a decoder"
            lines += ["", f"{share} were disturbed by other work on the machine and are left out"]
        return "\n".join(lines)

    def _density(self, events: NDArray[np.int64]) -> str:
        places = len(events) * (self.layout.slots.size - 2 * self.layout.half)
        return f"{events.sum() / places:.5f}"

    def _thinning(self, each: Thinned) -> str:
        found = self.sparser(each)
        ratio = "{:.3f}x sparser ({:.3f} to {:.3f})".format(*found) if found else "nothing left"
        return f"{each.name}: density {self._density(each.after)}, {ratio}"

    def _beside(self, first: Thinned, other: Thinned) -> str:
        """Compare two pre-decoders before PyMatching."""
        a, b = first.arms[0], other.arms[0]
        ratio, interval = _ratio(PairedCount.of(a.wrong, b.wrong))
        return (
            f"errors {first.name} / {other.name}: {ratio}, 95 % interval {interval}; "
            f"time {a.predecoder_ns / b.predecoder_ns:.2f}"
        )

    def _table(self) -> list[str]:
        columns = (
            *("decoder", "errors", "alone / this", "95 % interval", "McNemar p"),
            *("matching, µs/round", "in a batch", "speedup", "pre-decoder", "in all"),
            *([f"with {self.profile.preset.name}"] if self.profile else []),
        )
        rows = [columns, ("---",) * len(columns), *(self._row(arm) for arm in self.arms)]
        return ["| " + " | ".join(row) + " |" for row in rows]

    def _row(self, arm: Arm) -> tuple[str, ...]:
        alone, errors = self.alone[0], self.errors(arm)
        compared = (*_ratio(errors), f"{errors.p_value():.2g}")
        return (
            arm.name,
            str(int(arm.wrong.sum())),
            *(("1", "-", "-") if arm is alone else compared),
            self._per_round(arm.single_ns),
            self._per_round(arm.batch_ns),
            f"{alone.single_ns / arm.single_ns:.2f}",
            self._per_round(arm.predecoder_ns) if arm.predecoder_ns else "-",
            self._per_round(arm.total_ns),
            *([self._elsewhere(arm, self.profile)] if self.profile else []),
        )

    def _elsewhere(self, arm: Arm, profile: Published) -> str:
        """In all, were the pre-decoder as fast as the profile's; its matching is uncorrelated."""
        if arm in self.alone:
            return "-"
        if not profile.with_matching:
            return self._per_round(profile.window_ns + arm.single_ns)
        plain = any(arm is each.arms[0] for each in self.thinned)
        return self._per_round(profile.window_ns) if plain else "-"

    def _per_round(self, time_ns: float) -> str:
        return f"{time_ns / 1000 / self.layout.rounds:.3f}"


def _ratio(pair: PairedCount) -> tuple[str, str]:
    """Errors of the first arm over those of the second, and the interval, as text."""
    low, high = pair.ratio_interval(CONFIDENCE) or (None, None)
    return (
        "-" if pair.ratio is None else f"{pair.ratio:.3f}",
        "-" if low is None else f"{low:.3f} to " + ("∞" if high is None else f"{high:.3f}"),
    )
