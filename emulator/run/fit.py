"""What must be right between a scenario and the shots of its source, told before any is decoded."""

from collections.abc import Callable, Iterator

from emulator.loop.route import Route
from emulator.run.traffic import messages, response_packets
from emulator.scenario.checks import ContradictionError, Mistake
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import SyndromeSource, bits_per_round
from emulator.units import format_time
from emulator.windows import Window

__all__ = ["check_fit"]

Plan = tuple[Window, ...]


def check_fit(scenario: Scenario, source: SyndromeSource, plan: Plan) -> None:
    """Raise ScenarioError, with a line for each mistake, where scenario and source do not fit."""
    found = [mistake for rule in _RULES for mistake in rule(scenario, source, plan)]
    if found:
        raise ContradictionError(found)
    response_packets(scenario.fpga, scenario.link.down, source.dem.num_observables)


def _shots(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:  # noqa: ARG001
    shots, patches, there = scenario.run.shots, scenario.qpu.patches, source.num_shots
    if there is None or shots * patches <= there:
        return
    asked = f"{shots} shots" if patches == 1 else f"{shots} shots on {patches} patches"
    text = f"{asked} are more than the {there} in {source.name}; write {there // patches} or fewer"
    yield Mistake(("run", "shots"), text)


def _shot_period(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:  # noqa: ARG001
    qpu = scenario.qpu
    shot_ps = source.num_rounds * qpu.round_period
    if qpu.shot_period is None or qpu.shot_period == shot_ps:
        return
    path, period = ("qpu", "shot_period"), format_time(qpu.shot_period)
    if qpu.shot_period < shot_ps:
        text = f'"{period}" is shorter than a shot; write "{format_time(shot_ps)}" or more'
        yield Mistake(path, text)
    elif scenario.feedback is not None:
        text = f'"{period}" leaves gaps between shots, in which a program cannot go on; delete it'
        yield Mistake(path, text)


def _losses(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:  # noqa: ARG001
    if scenario.link.down.loss > 0:
        text = f"{scenario.link.down.loss:g} has no effect, responses are never lost; write 0"
        yield Mistake(("link", "down", "loss"), text)


def _ring(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:
    host = scenario.host
    sent = messages(
        scenario.fpga, scenario.link.up, scenario.window, bits_per_round(source).tolist()
    )
    held = Route(sent, plan).span * scenario.qpu.patches
    if host.on_full == "wait" and host.release == "response" and host.ring_slots < held:
        text = (
            f"{host.ring_slots} are fewer than the {held} messages that windows hold before they "
            f"can be decoded, so that the sender would wait for ever; write {held} or more, or "
            'release = "dispatch"'
        )
        yield Mistake(("host", "ring_slots"), text)


_RULES: tuple[Callable[[Scenario, SyndromeSource, Plan], Iterator[Mistake]], ...] = (
    _shots,
    _shot_period,
    _losses,
    _ring,
)
