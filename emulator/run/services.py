"""How long each stage takes in this run: built from the scenario, or from what was measured."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from emulator.decoders.answers import Answers
from emulator.errors import ScenarioError
from emulator.scenario.delays import Empirical
from emulator.scenario.scenario import Scenario
from emulator.scenario.sections import Decoder, Predecoder
from emulator.timing import Recorded, Service, TimingContext, build

__all__ = ["Seeds", "Services", "check_services", "stage_services"]

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Seeds:
    """Independent randomness for every part of a run, all spawned from the scenario's one seed."""

    syndromes: int
    readout: Generator
    up: Generator
    down: Generator
    loss: Generator
    dispatch: Generator
    predecode: Generator
    decode: Generator

    @classmethod
    def of(cls, seed: int) -> "Seeds":
        """Spawn all of them; a new part goes last, so that those before it stay as they are."""
        first, *others = SeedSequence(seed).spawn(8)
        syndromes = int(first.generate_state(1, np.uint64)[0]) >> 1  # Stim takes 63 bits
        return cls(syndromes, *(np.random.default_rng(child) for child in others))


@dataclass(frozen=True)
class Services:
    """The service of each stage; ``predecode`` is None without a pre-decoder."""

    readout: Service
    up: Service
    down: Service
    dispatch: Service
    predecode: Service | None
    decode: Service


def stage_services(
    scenario: Scenario, answers: Answers | None, context: TimingContext, seeds: Seeds
) -> Services:
    """Build the services; raises ScenarioError for times that presets or profiles cannot give."""

    def timed(
        section: Predecoder | Decoder, stage: str, measured: Times | None, rng: Generator
    ) -> Service:
        if section.timing == "measured":
            if measured is None:
                raise ValueError(f"stage {stage} was not timed.")
            return Recorded(measured.ravel(), "timed on this machine, one call a window")
        delay = section.timing
        if delay == "profile":
            delay = _recorded(section.profile, stage)
        return build(delay, context=context, rng=rng)

    predecode = None
    if scenario.predecoder.kind != "none":
        predecode = timed(
            scenario.predecoder,
            "predecode",
            None if answers is None else answers.predecode_ps,
            seeds.predecode,
        )
    return Services(
        readout=build(scenario.qpu.readout, context=context, rng=seeds.readout),
        up=build(scenario.link.up.latency, context=context, rng=seeds.up),
        down=build(scenario.link.down.latency, context=context, rng=seeds.down),
        dispatch=build(scenario.host.dispatch, context=context, rng=seeds.dispatch),
        predecode=predecode,
        decode=timed(
            scenario.decoder, "decode", None if answers is None else answers.decode_ps, seeds.decode
        ),
    )


def check_services(scenario: Scenario, context: TimingContext) -> None:
    """Raise ScenarioError now for what `stage_services` would refuse once all is decoded."""
    nothing = np.empty(0, dtype=np.int64)
    answers = Answers(None, nothing.astype(np.uint8), nothing, nothing, nothing, nothing)
    stage_services(scenario, answers, context, Seeds.of(0))


def _recorded(profile: Path | None, stage: str) -> Empirical:
    if profile is None:
        raise ScenarioError(f'{stage}.profile: is missing; timing = "profile" needs one')
    return Empirical(kind="empirical", file=str(profile), column=stage, order="replay")
