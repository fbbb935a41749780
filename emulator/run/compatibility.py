"""What a scenario and the shots of its source must satisfy together, checked before decoding."""

from collections.abc import Callable, Iterator

from emulator.errors import RoundtripError, named
from emulator.loop.slots import slots_missed
from emulator.numbering import answered_messages
from emulator.rtl import limits
from emulator.run.build_loop import build_loop
from emulator.scenario.checks import ContradictionError, Mistake
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import SyndromeSource, bits_per_round
from emulator.timing import Durations, Streams, TimingContext, build
from emulator.traffic import Traffic
from emulator.traffic.messages import carried_rounds
from emulator.units import format_time
from emulator.windows import Window

__all__ = ["check_compatibility", "check_hardware"]

Plan = tuple[Window, ...]


def check_compatibility(scenario: Scenario, source: SyndromeSource, plan: Plan) -> None:
    """Raise ScenarioError, with a line for each mistake, where scenario and source disagree."""
    found = [mistake for rule in _RULES for mistake in rule(scenario, source, plan)]
    if found:
        raise ContradictionError(found)


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
    if host.on_full != "wait" or host.release != "response":
        return
    # what is behind the ring does not matter
    context = TimingContext(distance=source.metadata.distance, p=source.metadata.p)
    streams = Streams.of(scenario.run.seed)
    with named("qpu.readout"):
        readout = build(scenario.qpu.readout, context=context, stream=streams.readout)
    with named("link.up.latency"):
        up = build(scenario.link.up.latency, context=context, stream=streams.up)
    durations = Durations(readout=readout, up=up, dispatch=up, decode=up, down=up)
    held = slots_missed(build_loop(scenario, Traffic.of(scenario, source, plan), durations))
    if held is not None:
        text = (
            f"{host.ring_slots} are fewer than the {held} messages that windows hold before they "
            f"can be decoded, so that the sender would wait for ever; write {held} or more, or "
            'release = "dispatch"'
        )
        yield Mistake(("host", "ring_slots"), text)


def check_hardware(scenario: Scenario, source: SyndromeSource, plan: Plan) -> None:
    """Raise ScenarioError for what the packetiser in hdl/rtl cannot do."""
    found = list(_hardware(scenario, source, plan))
    if found:
        raise ContradictionError(found)


def _timing(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:
    if scenario.fpga.timing == "rtl":
        yield from _hardware(scenario, source, plan)


def _hardware(scenario: Scenario, source: SyndromeSource, plan: Plan) -> Iterator[Mistake]:
    fpga, link = scenario.fpga, scenario.link
    model = 'or fpga.timing = "model"'
    if fpga.intake != "rounds" or fpga.bus_bits not in limits.WIDTHS:
        text = f'the packetiser in hdl/rtl has another law; write preset = "roundtrip_512" {model}'
        yield Mistake(("fpga", "timing"), text)
        return
    for key, cycles in (
        ("pipeline_cycles", limits.PIPELINE_CYCLES),
        ("receive_cycles", limits.RECEIVE_CYCLES),
    ):
        if getattr(fpga, key) != cycles:
            text = f"{getattr(fpga, key)} is not the {cycles} of the packetiser in hdl/rtl"
            yield Mistake(("fpga", key), f"{text}; write {cycles} {model}")
    if fpga.bus_bits == 64 and fpga.input_bits > 64:
        text = f"{fpga.input_bits} is wider than the bus of the packetiser; write 64 or less"
        yield Mistake(("fpga", "input_bits"), text)
    for way in ("up", "down"):
        section = getattr(link, way)
        if section.framing != "roce":
            text = f'"{section.framing}" is not what the packetiser speaks; write "roce" {model}'
            yield Mistake(("link", way, "framing"), text)
        if section.port == "per_patch" and scenario.qpu.patches > 1:
            text = f'per_patch needs a packetiser a patch, rtl has one; write "shared" {model}'
            yield Mistake(("link", way, "port"), text)
    if scenario.qpu.patches > limits.MAX_PATCHES:
        text = f"{scenario.qpu.patches} are more than the {limits.MAX_PATCHES} inputs of the RTL"
        yield Mistake(("qpu", "patches"), f"{text}; write {limits.MAX_PATCHES} or fewer {model}")
    yield from _hardware_sizes(scenario, source, plan, model)


def _hardware_sizes(
    scenario: Scenario, source: SyndromeSource, plan: Plan, model: str
) -> Iterator[Mistake]:
    bits = bits_per_round(source).tolist()
    if max(bits) > limits.MAX_ROUND_BITS:
        text = f"a round of {max(bits)} bits is longer than the {limits.MAX_ROUND_BITS} of the RTL"
        yield Mistake(("fpga", "timing"), f'{text}; write "model"')
    carried = carried_rounds(scenario.fpga, scenario.window, len(bits))
    try:
        longest = max(sum(bits[r] for r in rounds) for rounds in carried)
        limits.depth_of(scenario.fpga.bus_bits, longest)
    except RoundtripError as error:
        yield Mistake(("fpga", "rounds_per_message"), str(error))
    answered = answered_messages([window.commits for window in plan], carried)
    if len(set(answered)) < len(answered):
        text = (
            f"a message carries what {max(map(answered.count, answered))} windows commit, and the "
            f"RTL takes one response a request; write fewer rounds per message {model}"
        )
        yield Mistake(("fpga", "rounds_per_message"), text)
    if source.dem.num_observables > 8 * limits.MAX_CORRECTION_BYTES:
        text = f"corrections of {source.dem.num_observables} bits are longer than those of the RTL"
        yield Mistake(("fpga", "timing"), f'{text}; write "model"')


_RULES: tuple[Callable[[Scenario, SyndromeSource, Plan], Iterator[Mistake]], ...] = (
    _shots,
    _shot_period,
    _losses,
    _ring,
    _timing,
)
