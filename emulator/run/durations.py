"""How long each stage takes in this run: built from the scenario, or from what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.errors import ScenarioError
from emulator.scenario.delays import Delay, Empirical
from emulator.scenario.scenario import Scenario
from emulator.scenario.sections import Decoder, Predecoder
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

__all__ = ["check_durations", "durations"]

Measured = Mapping[str, NDArray[np.int64] | None]

_TIMED_HERE = "timed on this machine, one call a window"


def durations(
    scenario: Scenario, answers: Answers | None, context: TimingContext, streams: Streams
) -> Durations:
    """Build the durations of all stages; ``answers`` is None for a timing-only run.

    ``context`` is that of the stages that serve windows. Raises ScenarioError for times that
    presets or files cannot give, and for "measured" where nothing was decoded; ValueError where
    the answers were not timed.
    """
    measured: Measured | None = None
    if answers is not None:
        measured = {"predecoder": answers.predecode_ps, "decoder": answers.decode_ps}
    return _durations(scenario, measured, context, streams)


def check_durations(scenario: Scenario, context: TimingContext) -> None:
    """Raise ScenarioError now for what `durations` would refuse once all is decoded."""
    nothing = np.empty(0, dtype=np.int64)
    timing_only = scenario.decoder.algorithm == "none"
    measured = None if timing_only else {"predecoder": nothing, "decoder": nothing}
    _durations(scenario, measured, context, Streams.of(0))


def _durations(
    scenario: Scenario, measured: Measured | None, context: TimingContext, streams: Streams
) -> Durations:
    link, batch = scenario.link, scenario.predecoder.batch
    per_message = replace(context, window_rounds=frozenset())  # a message is not a window

    def message(key: str, delay: Delay, stream: Stream) -> Service:
        return _named(key, lambda: build(delay, context=per_message, stream=stream))

    predecode = None
    if scenario.predecoder.kind != "none":
        batched = replace(context, batch=batch)
        predecode = _timed("predecoder", scenario.predecoder, measured, batched, streams.predecode)
    return Durations(
        readout=message("qpu.readout", scenario.qpu.readout, streams.readout),
        up=message("link.up.latency", link.up.latency, streams.up),
        dispatch=message("host.dispatch", scenario.host.dispatch, streams.dispatch),
        decode=_timed("decoder", scenario.decoder, measured, context, streams.decode),
        down=message("link.down.latency", link.down.latency, streams.down),
        predecode=predecode,
        loss_up=Losses(link.up.loss, streams.loss) if link.up.loss > 0 else None,
    )


def _timed(
    table: str,
    section: Predecoder | Decoder,
    measured: Measured | None,
    context: TimingContext,
    stream: Stream,
) -> Service:
    """Service of a stage that may have been timed here: as measured, from a profile, or a delay."""
    delay = section.timing
    if delay == "measured":
        return _recorded(table, measured)
    if delay == "profile":
        stage = {"predecoder": "predecode", "decoder": "decode"}[table]
        delay = _replay(table, section.profile, stage)
    return _named(f"{table}.timing", lambda: build(delay, context=context, stream=stream))


def _recorded(table: str, measured: Measured | None) -> Service:
    if measured is None:
        raise ScenarioError(
            f'{table}.timing: "measured" needs windows that are really decoded, and algorithm = '
            '"none" decodes none; write a delay, or "profile" with a file of roundtrip profile.'
        )
    times_ps = measured[table]
    if times_ps is None:
        raise ValueError(f"the {table} was not timed.")
    return Recorded(times_ps.ravel(), _TIMED_HERE)


def _replay(table: str, profile: Path | None, stage: str) -> Delay:
    if profile is None:
        raise ScenarioError(
            f"{table}.profile: is missing; add the file that roundtrip profile wrote, as timing = "
            '"profile" needs one.'
        )
    return Empirical(kind="empirical", file=str(profile), column=stage, order="replay")


def _named(key: str, make: Callable[[], Service]) -> Service:
    """Let a mistake begin with the key that it belongs to."""
    try:
        return make()
    except ScenarioError as error:
        raise ScenarioError(f"{key}: {error}") from error
