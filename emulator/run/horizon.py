"""The longest run that a table of int64 picoseconds can hold."""

from collections.abc import Iterator, Mapping

from emulator.scenario.checks import ContradictionError, Mistake
from emulator.scenario.scenario import Scenario
from emulator.timing import Durations, Service
from emulator.traffic import Traffic
from emulator.units import MAX_TIME_PS, Clock, format_time, serialisation_ps

__all__ = ["check_horizon"]


def check_horizon(scenario: Scenario, traffic: Traffic, durations: Durations) -> None:
    """Raise ScenarioError for a run that can take longer than 2**63 - 1 ps, 106 days.

    Bounds the run by the work of all stages one after the other: the emission of all rounds, and
    what every stage takes for all of its jobs. A stage whose times are drawn at random counts with
    one of its longest; that it takes too long in all is found while the loop runs.
    """
    emission_ps = traffic.emission.horizon_ps
    if emission_ps > MAX_TIME_PS:
        text = (
            f"{scenario.run.shots} shots last {format_time(emission_ps)}, and no run may exceed "
            "106 days (2^63 - 1 ps); write fewer shots or shorter periods"
        )
        raise ContradictionError([Mistake(("run", "shots"), text)])
    works = dict(_works(scenario, traffic, durations))
    total_ps = emission_ps + sum(works.values())
    if total_ps > MAX_TIME_PS:
        key = max(works, key=works.__getitem__)
        text = (
            f"it takes up to {format_time(works[key])} for all of this run, and no run may exceed "
            "106 days (2^63 - 1 ps); write shorter times, higher rates or fewer shots"
        )
        raise ContradictionError([Mistake(tuple(key.split(".")), text)])


def _works(scenario: Scenario, traffic: Traffic, durations: Durations) -> Iterator[tuple[str, int]]:
    """Key of each stage, and a bound on the time it takes for all jobs of the run in ps."""
    shots = traffic.emission.shots * traffic.patches
    messages, windows = shots * len(traffic.messages), shots * len(traffic.plan)
    rounds = max(len(window.rounds) for window in traffic.plan)
    services: Mapping[str, tuple[Service | None, int]] = {
        "qpu.readout": (durations.readout, messages),
        "link.up.latency": (durations.up, messages),
        "host.dispatch": (durations.dispatch, messages),
        "predecoder.timing": (durations.predecode, windows),
        "decoder.timing": (durations.decode, windows),
        "link.down.latency": (durations.down, windows),
    }
    for key, (service, jobs) in services.items():
        if service is not None:
            yield key, _bound_ps(service, jobs, rounds)
    fpga, up, down = scenario.fpga, scenario.link.up, scenario.link.down
    cycles = fpga.pipeline_cycles + fpga.min_spacing_cycles + fpga.receive_cycles
    packets = [packet for message in traffic.messages for packet in message.packets]
    beats = sum(beats for beats, _ in (*packets, *traffic.response))
    yield "fpga.clock", Clock(fpga.clock).edge_ps(shots * (beats + cycles * len(traffic.messages)))
    for key, link, bits in (
        ("link.up.rate", up, sum(bits for _, bits in packets)),
        ("link.down.rate", down, len(traffic.plan) * sum(bits for _, bits in traffic.response)),
    ):
        if link.rate is not None:
            yield key, shots * serialisation_ps(bits, link.rate) * (1 + link.hops)
    for way, link, count in (("up", up, messages), ("down", down, windows)):
        yield f"link.{way}.propagation", link.propagation * count
        yield f"link.{way}.hop_latency", link.hop_latency * link.hops * count


def _bound_ps(service: Service, jobs: int, rounds: int) -> int:
    constant_ps = service.constant_ps
    return service.longest_ps(rounds) if constant_ps is None else jobs * constant_ps
