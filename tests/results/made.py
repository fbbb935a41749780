"""Answers, facts and results made on the spot, for the tests of the results."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.loop.records import Record
from emulator.results import Budget, Result, RunFacts, judge
from emulator.scenario.layers import Origin

FACTS = RunFacts(
    budget=Budget(),
    scenario={"name": "queue"},
    origins={"decode": Origin("file", "queue.toml:3", "here", "measured")},
    versions={"stim": "1.15"},
    seed=7,
    engine="batch",
    stage_sources={"decode": ("profile", "measured"), "uplink": ("fixed", "assumed")},
)


def answers_of(
    shots: int, errors: int = 0, *, events: tuple[int, int] = (4, 1), **kwargs: Any
) -> Answers:
    """Answers of shots with one window each, ``errors`` of them wrong, spread over the run."""
    wrong = np.zeros(shots, dtype=np.bool_)
    wrong[np.random.default_rng(2).permutation(shots)[:errors]] = True
    counts = [np.full(shots, count, dtype=np.int64) for count in events]
    fields = {"predecode_ps": None, "decode_ps": None, **kwargs}
    corrections = np.zeros((shots, 1, 1), dtype=np.uint8)
    return Answers(
        wrong=wrong, corrections=corrections, events_in=counts[0], events_out=counts[1], **fields
    )


def judged(record: Record, budget: Budget, answers: Answers | None = None, **facts: Any) -> Result:
    """Judge a run by a budget, with what else it says about itself."""
    return judge(record, answers, replace(FACTS, budget=budget, **facts))


def disturbed(answers: Answers, calls: NDArray[np.bool_]) -> Answers:
    """Answers whose decoder was disturbed in ``calls``, bool (shots,)."""
    return replace(answers, disturbed_decode=calls.reshape(-1, 1))
