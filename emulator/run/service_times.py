"""How long each stage takes in this run: built from the scenario, or from what was measured."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers, undisturbed
from emulator.errors import ScenarioError, named
from emulator.scenario.delays import Delay, Empirical
from emulator.scenario.scenario import Scenario
from emulator.scenario.sections import DecoderSection, PredecoderSection
from emulator.timing import (
    Durations,
    Losses,
    Recorded,
    Service,
    Stream,
    Streams,
    TimingContext,
    build,
)

if TYPE_CHECKING:
    from emulator.run.preparation import Prepared

__all__ = ["durations", "given_durations"]

_TIMED_HERE = "timed on this machine, one call a window"


def durations(prepared: "Prepared", answers: Answers | None) -> Durations:
    """Durations of all stages of a run, those that were measured with the times of its answers.

    ``answers`` is None for a timing-only run, which measures nothing. Raises ValueError where a
    stage should have been timed and was not.
    """
    scenario, found = prepared.scenario, prepared.durations
    if answers is None:
        return found
    if len(answers.corrections) != prepared.shots:
        raise ValueError(
            f"answers of {len(answers.corrections)} shots are not those of this run, which has "
            f"{prepared.shots}; decode its own, or reuse those that same_answers allows."
        )
    if scenario.decoder.timing == "measured":
        times = undisturbed(answers.decode_ps, answers.disturbed_decode)
        found = replace(found, decode=_recorded("decoder", times))
    if found.predecode is not None and scenario.predecoder.timing == "measured":
        times = undisturbed(answers.predecode_ps, answers.disturbed_predecode)
        predecode = _recorded("predecoder", times, answers.predecode_fill_ppm)
        found = replace(found, predecode=predecode)
    return found


def given_durations(scenario: Scenario, context: TimingContext, streams: Streams) -> Durations:
    """Durations of all stages as far as the scenario gives them: a measured one has no job yet.

    ``context`` is that of the stages that serve windows. Raises ScenarioError for times that
    presets or files cannot give.
    """
    link, batch = scenario.link, scenario.predecoder.batch
    per_message = replace(context, window_rounds=frozenset())  # a message is not a window

    def message(key: str, delay: Delay, stream: Stream) -> Service:
        with named(key):
            return build(delay, context=per_message, stream=stream)

    predecode = None
    if scenario.predecoder.kind != "none":
        batched = replace(context, batch=batch)
        predecode = _timed("predecoder", scenario.predecoder, batched, streams.predecode)
    return Durations(
        readout=message("qpu.readout", scenario.qpu.readout, streams.readout),
        up=message("link.up.latency", link.up.latency, streams.up),
        dispatch=message("host.dispatch", scenario.host.dispatch, streams.dispatch),
        decode=_timed("decoder", scenario.decoder, context, streams.decode),
        down=message("link.down.latency", link.down.latency, streams.down),
        predecode=predecode,
        loss_up=Losses(link.up.loss, streams.loss) if link.up.loss > 0 else None,
    )


def _timed(
    table: str, section: PredecoderSection | DecoderSection, context: TimingContext, stream: Stream
) -> Service:
    """Service of a stage that may be timed here: to be measured, from a profile, or a delay."""
    delay = section.timing
    if delay == "measured":
        return _recorded(table, np.empty(0, dtype=np.int64))
    if delay == "profile":
        stage = {"predecoder": "predecode", "decoder": "decode"}[table]
        delay = _replay(table, section.profile, stage)
    with named(f"{table}.timing"):
        return build(delay, context=context, stream=stream)


def _recorded(
    table: str, times_ps: NDArray[np.int64] | None, cost_ppm: tuple[int, ...] | None = None
) -> Service:
    if times_ps is None:
        raise ValueError(f"the {table} was not timed.")
    return Recorded(times_ps.ravel(), _TIMED_HERE, cost_ppm=cost_ppm)


def _replay(table: str, profile: Path | None, stage: str) -> Delay:
    if profile is None:
        raise ScenarioError(
            f"{table}.profile: is missing; add the file that roundtrip profile wrote, as timing = "
            '"profile" needs one.'
        )
    return Empirical(kind="empirical", file=str(profile), column=stage, order="replay")
