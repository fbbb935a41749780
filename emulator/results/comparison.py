"""Two runs on the same shots, side by side: decoding time, reaction time, logical errors."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.results.rates import PairedCount
from emulator.results.result import Result, Verdict
from emulator.results.stages import reaction_times
from emulator.results.sums import total_ps

__all__ = ["Arm", "ArmSummary", "Comparison", "PairedErrors", "compare"]


@dataclass(frozen=True, eq=False)
class Arm:
    """One run: its result, its record, and bool (shots,) of wrong answers."""

    result: Result
    record: Record
    wrong: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """What is compared of one run, besides its verdict.

    ``decoding_ps_per_round`` is the mean time a window spends in pre-decoder and matcher, waiting
    left out, per committed round; None without windows, like ``reaction_p50_ps``.
    """

    verdict: Verdict = field(repr=False)
    decoding_ps_per_round: float | None
    reaction_p50_ps: int | None


@dataclass(frozen=True, slots=True)
class PairedErrors:
    """Logical errors of both arms on the same shots.

    ``ratio`` is errors of the second arm over those of the first, above 1 where the first is
    better, with its interval (an end is None where it is unbounded) and McNemar's exact p value.
    """

    errors: tuple[int, int]
    only_first: int
    only_second: int
    shots: int
    ratio: float | None
    ratio_ci: tuple[float, float | None] | None
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms; ratios are those of the second over the first, None where one is not known.

    ``speedup`` above 1 says that the first arm decodes faster. ``logical`` is None where errors
    are not known.
    """

    arms: tuple[ArmSummary, ArmSummary]
    speedup: float | None
    reaction_ratio: float | None
    logical: PairedErrors | None


def compare(first: Arm, second: Arm) -> Comparison:
    """Lay two arms side by side; raises ValueError for arms with different numbers of shots."""
    paired = None
    if first.wrong is not None and second.wrong is not None:
        count = PairedCount.of(second.wrong, first.wrong)
        paired = PairedErrors(
            errors=(count.both + count.second_only, count.both + count.first_only),
            only_first=count.second_only,
            only_second=count.first_only,
            shots=count.shots,
            ratio=count.ratio,
            ratio_ci=count.ratio_interval(first.result.verdict.confidence),
            p_value=count.p_value(),
        )
    mine, other = _summary(first), _summary(second)
    return Comparison(
        arms=(mine, other),
        speedup=_ratio(mine.decoding_ps_per_round, other.decoding_ps_per_round),
        reaction_ratio=_ratio(mine.reaction_p50_ps, other.reaction_p50_ps),
        logical=paired,
    )


def _summary(arm: Arm) -> ArmSummary:
    windows = arm.record.windows
    reaction_ps = reaction_times(windows)
    spent_ps = sum(
        total_ps(windows[f"{stage}_end_ps"] - windows[f"{stage}_start_ps"])
        for stage in ("predecode", "decode")
    )
    rounds = int((windows["last_round"] - windows["first_round"] + 1).sum())
    return ArmSummary(
        verdict=arm.result.verdict,
        decoding_ps_per_round=spent_ps / rounds if rounds else None,
        reaction_p50_ps=int(np.median(reaction_ps)) if len(reaction_ps) else None,
    )


def _ratio(first: float | None, second: float | None) -> float | None:
    return None if not first or second is None else second / first
