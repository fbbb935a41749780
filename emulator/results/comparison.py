"""Two runs on the same shots, side by side: decoding time, reaction time, logical errors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import Record
from emulator.results.rates import PairedCount
from emulator.results.stages import reaction_times

__all__ = ["Arm", "compare"]


@dataclass(frozen=True, eq=False)
class Arm:
    """One run: its ``result.json`` content, its record, and bool (shots,) of wrong answers."""

    result: dict[str, Any]
    record: Record
    wrong: NDArray[np.bool_] | None


def compare(first: Arm, second: Arm) -> dict[str, Any]:
    """Lay two arms out as plain data; ratios are those of the second over the first.

    ``decoding_ps_per_round`` is the mean time a window spends in pre-decoder and matcher, waiting
    left out, per committed round. ``speedup`` above 1 says that the first arm is faster.
    ``logical.ratio`` is errors of the second arm over those of the first on the same shots, so
    that above 1 the first is better, with its interval and McNemar's exact p value; None where
    errors are not known. Raises ValueError for arms with different numbers of shots.
    """
    paired = None
    if first.wrong is not None and second.wrong is not None:
        count = PairedCount.of(second.wrong, first.wrong)
        paired = {
            "errors": [count.both + count.second_only, count.both + count.first_only],
            "only_first": count.second_only,
            "only_second": count.first_only,
            "shots": count.shots,
            "ratio": count.ratio,
            "ratio_ci": count.ratio_interval(first.result["verdict"]["confidence"]),
            "p_value": count.p_value(),
        }
    arms = [_arm(arm) for arm in (first, second)]
    return {
        "arms": arms,
        "speedup": _ratio(arms, "decoding_ps_per_round"),
        "reaction_ratio": _ratio(arms, "reaction_p50_ps"),
        "logical": paired,
    }


def _arm(arm: Arm) -> dict[str, Any]:
    windows = arm.record.windows
    reaction_ps = reaction_times(windows)
    verdict = arm.result["verdict"]
    busy_ps = (
        windows["predecode_end_ps"]
        - windows["predecode_start_ps"]
        + windows["decode_end_ps"]
        - windows["decode_start_ps"]
    )
    rounds = int((windows["last_round"] - windows["first_round"] + 1).sum())
    return {
        "meets_budget": verdict["meets_budget"],
        "decoding_ps_per_round": float(busy_ps.sum() / rounds) if rounds else None,
        "reaction_p50_ps": int(np.median(reaction_ps)) if len(reaction_ps) else None,
        "reaction": verdict["reaction"],
        "stable": verdict["throughput"]["stable"],
        "logical": verdict["logical"],
    }


def _ratio(arms: list[dict[str, Any]], key: str) -> float | None:
    first, second = (arm[key] for arm in arms)
    return None if not first or second is None else float(second / first)
