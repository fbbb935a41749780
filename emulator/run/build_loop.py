"""The configuration of the loop that a scenario describes, and what its stages' times rest on."""

from collections.abc import Mapping

from emulator.loop.config import Fpga, Host, LinkSpec, LoopConfig, PoolSpec, RoundFpga
from emulator.scenario import sections
from emulator.scenario.layers import Origin
from emulator.scenario.scenario import Scenario
from emulator.timing import UNSTATED, Durations, Losses, Service
from emulator.traffic import Traffic
from emulator.units import Clock

__all__ = ["build_loop", "stage_sources"]

_FOLLOWS = ("follows from the stages around it", "derived")


def build_loop(scenario: Scenario, traffic: Traffic, durations: Durations) -> LoopConfig:
    """Build the loop."""
    link, host = scenario.link, scenario.host
    predecode = None
    if durations.predecode is not None:
        pre = scenario.predecoder
        predecode = PoolSpec(pre.streams, durations.predecode, pre.batch, pre.batch_timeout)
    return LoopConfig(
        emission=traffic.emission,
        messages=traffic.messages,
        plan=traffic.plan,
        readout=durations.readout,
        fpga=_fpga(scenario.fpga),
        up=_link(link.up, durations.up, durations.loss_up),
        down=_link(link.down, durations.down, None),
        host=Host(
            slots=host.ring_slots,
            dispatch=durations.dispatch,
            waits=host.on_full == "wait",
            hold_until_response=host.release == "response",
        ),
        predecode=predecode,
        decode=PoolSpec(scenario.decoder.workers, durations.decode),
        response=traffic.response,
        feedback_every=scenario.feedback.every if scenario.feedback else None,
        drain=scenario.run.drain,
    )


def stage_sources(
    scenario: Scenario, durations: Durations, origins: Mapping[str, Origin]
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
        "readout": source(durations.readout, "qpu.readout"),
        "packetise": cycles("pipeline_cycles", law),
        "uplink": source(durations.up, "link.up.latency"),
        "ring": _FOLLOWS,
        "dispatch": source(durations.dispatch, "host.dispatch"),
        "decode_queue": _FOLLOWS,
        "decode": source(durations.decode, "decoder.timing"),
        "downlink": source(durations.down, "link.down.latency"),
        "apply": cycles("receive_cycles", f"{fpga.receive_cycles} cycles behind the response"),
    }
    if durations.predecode is not None:
        found["predecode_queue"] = _FOLLOWS
        found["predecode"] = source(durations.predecode, "predecoder.timing")
    return found


def _fpga(section: sections.FpgaSection) -> Fpga | RoundFpga:
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


def _link(section: sections.LinkSection, latency: Service, losses: Losses | None) -> LinkSpec:
    return LinkSpec(
        rate_bps=section.rate,
        latency=latency,
        propagation_ps=section.propagation,
        hops=section.hops,
        hop_latency_ps=section.hop_latency,
        per_patch=section.port == "per_patch",
        losses=losses,
    )
