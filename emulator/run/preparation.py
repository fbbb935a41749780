"""The first steps of a run: from a scenario file to all that is known before a shot is sampled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.run.compatibility import check_compatibility
from emulator.run.horizon import check_horizon
from emulator.run.service_times import given_durations
from emulator.scenario.load import Resolved, load_scenario, resolve
from emulator.scenario.scenario import Scenario
from emulator.syndromes.build import build_source
from emulator.syndromes.source import SyndromeSource
from emulator.timing import Durations, Streams, TimingContext
from emulator.traffic import Traffic
from emulator.traffic.messages import window_plan

__all__ = ["Prepared", "load", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scenario with its syndrome source and its traffic: plan, messages, numbering, emission.

    ``durations`` are those of the stages as far as the scenario gives them; a stage that is timed
    on this machine has none before the shots are decoded.
    """

    resolved: Resolved
    source: SyndromeSource
    traffic: Traffic
    durations: Durations

    @property
    def scenario(self) -> Scenario:
        """Everything that was asked for."""
        return self.resolved.scenario

    @property
    def shots(self) -> int:
        """Shots of all patches together."""
        return self.scenario.run.shots * self.scenario.qpu.patches

    @property
    def seeds(self) -> Streams:
        """Independent randomness for every part of the run, the same at every call."""
        return Streams.of(self.scenario.run.seed)


def load(
    scenario: Path | str | Mapping[str, Any],
    /,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    **arguments: Any,
) -> Resolved:
    """Read a scenario, with presets filled in and values of the caller's on top.

    ``scenario`` is a file, the name of a scenario that comes along (`scenario_names`), or the
    tables of one as a dict. ``overrides`` are values by key, dotted or in nested dicts:
    ``{"link.up.rate": "100 Gbit/s", "run": {"shots": 10}}``, or texts such as ``"run.shots=10"``;
    ``arguments`` are values by key too: ``run={"shots": 10}``. ``link.x`` stands for both
    ``link.up.x`` and ``link.down.x``. Raises ScenarioError, with a line for each mistake.
    """
    texts: Sequence[str] = ()
    if isinstance(overrides, Mapping):
        arguments = {**overrides, **arguments}
    else:
        texts = [overrides] if isinstance(overrides, str) else overrides
    if isinstance(scenario, Mapping):
        return resolve(scenario, texts, arguments)
    return load_scenario(scenario, texts, arguments)


def prepare(resolved: Resolved, *, like: Prepared | None = None) -> Prepared:
    """Open the syndromes of a scenario, lay out its traffic, and check that all fits together.

    Takes the source of ``like`` over where both ask for the same one. Raises RoundtripError: a
    ScenarioError with a line for each mistake, or a SyndromeError where the syndromes cannot be
    had.
    """
    scenario = resolved.scenario
    if like is not None and _same_source(like.scenario, scenario):
        source = like.source
    else:
        source = build_source(scenario.code, scenario.noise)
    plan = window_plan(scenario.window, source.num_rounds)
    check_compatibility(scenario, source, plan)
    context = TimingContext(
        distance=source.metadata.distance,
        window_rounds=frozenset(len(window.rounds) for window in plan),
        p=source.metadata.p,
    )
    given = given_durations(scenario, context, Streams.of(scenario.run.seed))
    traffic = Traffic.of(scenario, source, plan)
    check_horizon(scenario, traffic, given)
    return Prepared(resolved, source, traffic, given)


def _same_source(first: Scenario, second: Scenario) -> bool:
    return (first.code, first.noise) == (second.code, second.noise)
