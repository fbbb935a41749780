"""From a resolved scenario to the loop that it describes."""

from collections.abc import Mapping
from itertools import count

from emulator.loop.config import (
    Emission,
    Fpga,
    Host,
    LinkSpec,
    LoopConfig,
    Message,
    PoolSpec,
    RoundFpga,
)
from emulator.run.traffic import messages, response_packets
from emulator.scenario import sections
from emulator.scenario.layers import Origin
from emulator.scenario.scenario import Scenario
from emulator.syndromes.source import SyndromeSource, bits_per_round
from emulator.timing import UNSTATED, Durations, Losses, Service
from emulator.units import Clock
from emulator.windows import Window

__all__ = ["emission_of", "loop_config", "messages_of", "stage_sources"]

_FOLLOWS = ("follows from the stages around it", "derived")


def loop_config(
    scenario: Scenario,
    source: SyndromeSource,
    plan: tuple[Window, ...],
    services: Durations,
) -> LoopConfig:
    """Build the loop."""
    link, host = scenario.link, scenario.host
    predecode = None
    if services.predecode is not None:
        pre = scenario.predecoder
        predecode = PoolSpec(pre.streams, services.predecode, pre.batch, pre.batch_timeout)
    return LoopConfig(
        emission=emission_of(scenario, source),
        messages=messages_of(scenario, source),
        plan=plan,
        readout=services.readout,
        fpga=_fpga(scenario.fpga),
        up=_link(link.up, services.up, services.loss_up),
        down=_link(link.down, services.down, None),
        host=Host(
            slots=host.ring_slots,
            dispatch=services.dispatch,
            waits=host.on_full == "wait",
            hold_until_response=host.release == "response",
        ),
        predecode=predecode,
        decode=PoolSpec(scenario.decoder.workers, services.decode),
        response=response_packets(scenario.fpga, link.down, source.dem.num_observables),
        feedback_every=scenario.feedback.every if scenario.feedback else None,
        drain=scenario.run.drain,
    )


def emission_of(scenario: Scenario, source: SyndromeSource) -> Emission:
    """Clock of the processor, with the rounds of a shot of ``source``."""
    qpu = scenario.qpu
    return Emission(
        round_period_ps=qpu.round_period,
        rounds=source.num_rounds,
        shots=scenario.run.shots,
        patches=qpu.patches,
        patch_offset_ps=qpu.patch_offset,
        shot_period_ps=qpu.shot_period or 0,
    )


def messages_of(scenario: Scenario, source: SyndromeSource) -> tuple[Message, ...]:
    """Messages of a shot of ``source``."""
    bits = bits_per_round(source).tolist()
    return messages(scenario.fpga, scenario.link.up, scenario.window, bits)


def stage_sources(
    scenario: Scenario, services: Durations, origins: Mapping[str, Origin]
) -> dict[str, tuple[str, str]]:
    """For each stage of the loop, what its times rest on and how far that is to be trusted."""
    fpga = scenario.fpga
    clock = f"cycle law at {float(fpga.clock) / 1e6:g} MHz"

    def source(service: Service, key: str) -> tuple[str, str]:
        """What the service itself states, else the preset or the file it is written in."""
        if service.source != UNSTATED:
            return service.source, service.confidence
        origin = origins.get(f"{key}.kind")
        if origin is None or origin.kind == "default":
            return "takes no time by default", "assumed"
        return origin.source or origin.where, origin.confidence or "assumed"

    def cycles(key: str, law: str) -> tuple[str, str]:
        origin = origins.get(f"fpga.{key}")
        confidence = origin.confidence if origin else None
        return f"{clock}: {law}", confidence or "assumed"

    place = (
        f"{fpga.bus_bits} bit bus"
        if fpga.intake == "message"
        else f"last beat of the last round, {fpga.input_bits} bits wide"
    )
    law = f"{fpga.pipeline_cycles} cycles behind the {place}"
    found = {
        "readout": source(services.readout, "qpu.readout"),
        "packetise": cycles("pipeline_cycles", law),
        "uplink": source(services.up, "link.up.latency"),
        "ring": _FOLLOWS,
        "dispatch": source(services.dispatch, "host.dispatch"),
        "decode_queue": _FOLLOWS,
        "decode": source(services.decode, "decoder.timing"),
        "downlink": source(services.down, "link.down.latency"),
        "apply": cycles("receive_cycles", f"{fpga.receive_cycles} cycles behind the response"),
    }
    if services.predecode is not None:
        found["predecode_queue"] = _FOLLOWS
        found["predecode"] = source(services.predecode, "predecoder.timing")
    return found


def _fpga(section: sections.Fpga) -> Fpga | RoundFpga:
    clock = Clock(section.clock)
    if section.intake == "rounds":
        return RoundFpga(clock, section.pipeline_cycles, section.receive_cycles)
    return Fpga(
        clock=clock,
        pipeline_cycles=section.pipeline_cycles,
        store_and_forward=section.store_and_forward,
        min_spacing_cycles=section.min_spacing_cycles,
        receive_cycles=section.receive_cycles,
    )


def _link(section: sections.Link, latency: Service, losses: Losses | None) -> LinkSpec:
    return LinkSpec(
        rate_bps=section.rate,
        latency=latency,
        propagation_ps=section.propagation,
        hops=section.hops,
        hop_latency_ps=section.hop_latency,
        per_patch=section.port == "per_patch",
        loses=None if losses is None else map(losses.reader(), count()).__next__,
    )
