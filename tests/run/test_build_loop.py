from fractions import Fraction

import pytest

from emulator.loop.config import Fpga, LoopConfig, RoundFpga
from emulator.loop.records import STAGES
from emulator.run import prepare
from emulator.run.build_loop import build_loop, stage_sources
from emulator.units import Clock
from tests.run.examples import SLIDING, resolved

TIMING_ONLY = (
    "predecoder.kind=delay",
    "predecoder.timing={kind = 'constant', value = '9 us'}",
)


def built(*overrides: str) -> LoopConfig:
    prepared = prepare(resolved(*overrides))
    return build_loop(prepared.scenario, prepared.traffic, prepared.durations)


def sources(*overrides: str) -> dict[str, tuple[str, str]]:
    prepared = prepare(resolved(*overrides))
    return stage_sources(prepared.scenario, prepared.durations, prepared.resolved.origins)


def test_every_value_of_a_scenario_reaches_the_loop() -> None:
    config = built(
        *SLIDING,
        *TIMING_ONLY,
        "qpu.round_period=900 ns",
        "qpu.patches=2",
        "qpu.patch_offset=50 ns",
        "qpu.shot_period=6 us",
        "fpga.clock=250 MHz",
        "fpga.pipeline_cycles=5",
        "fpga.min_spacing_cycles=7",
        "fpga.receive_cycles=9",
        "fpga.store_and_forward=false",
        "link.up.propagation=11 ns",
        "link.up.hops=2",
        "link.up.hop_latency=13 ns",
        "link.up.port=per_patch",
        "host.ring_slots=17",
        "host.on_full=wait",
        "host.release=dispatch",
        "predecoder.streams=3",
        "predecoder.batch=4",
        "predecoder.batch_timeout=5 us",
        "decoder.workers=6",
        "run.drain=false",
    )
    emission = config.emission
    assert (emission.round_period_ps, emission.rounds, emission.shots) == (900_000, 6, 120)
    assert (emission.patches, emission.patch_offset_ps) == (2, 50_000)
    assert emission.shot_period_ps == 6_000_000
    fpga = config.fpga
    assert isinstance(fpga, Fpga)
    assert fpga.clock.hertz == Fraction(250_000_000)
    assert (fpga.pipeline_cycles, fpga.min_spacing_cycles, fpga.receive_cycles) == (5, 7, 9)
    assert not fpga.store_and_forward
    rounds = built("fpga.intake=rounds", "fpga.input_bits=8", "fpga.pipeline_cycles=5").fpga
    assert rounds == RoundFpga(Clock(Fraction(322_265_625)), 5, 18)
    up, down = config.up, config.down
    assert (up.rate_bps, up.propagation_ps, up.hops) == (100_000_000_000, 11_000, 2)
    assert (up.hop_latency_ps, up.per_patch, up.losses) == (13_000, True, None)
    assert (down.propagation_ps, down.hops, down.per_patch) == (0, 0, False)
    assert (config.host.slots, config.host.waits) == (17, True)
    assert not config.host.hold_until_response
    assert config.predecode is not None
    assert (config.predecode.servers, config.predecode.batch) == (3, 4)
    assert config.predecode.batch_timeout_ps == 5_000_000
    assert config.decode.servers == 6
    assert built("feedback.every=8").feedback_every == 8
    assert not config.drain
    assert [len(window.commits) for window in config.plan] == [2, 2, 2]


def test_the_other_way_round() -> None:
    config = built()
    assert config.predecode is None
    assert config.feedback_every is None
    assert config.drain
    assert not config.host.waits
    assert config.host.hold_until_response
    assert config.emission.shot_period_ps == 6 * config.emission.round_period_ps


def test_messages_are_lost_as_often_as_asked_and_the_same_every_time() -> None:
    first, again = (built("link.up.loss=0.3").up.losses for _ in range(2))
    assert first is not None
    assert again is not None
    drawn = list(map(first.reader(), range(10_000)))
    assert drawn == list(map(again.reader(), range(10_000)))
    assert sum(drawn) == pytest.approx(3000, abs=250)


def test_each_stage_says_what_its_times_rest_on() -> None:
    found = sources(
        *TIMING_ONLY,
        "link.up.preset=nvqlink",
        "fpga.preset=hsb_512",
        "decoder.timing={kind = 'constant', value = '1 us', source = 'a paper'}",
    )
    assert set(found) == set(STAGES)
    assert found["decode"] == ("a paper", "assumed")
    assert found["predecode"][0].startswith("--set predecoder.timing=")
    # the preset stays under a file that sets the latency itself: that is then the file's
    assert found["uplink"] == ("scenario", "assumed")
    assert found["readout"] == ("takes no time by default", "assumed")
    assert found["packetise"][0] == "cycle law at 322.266 MHz: 22 cycles behind the 512 bit bus"
    assert found["packetise"][1] == "measured"
    assert found["apply"] == ("cycle law at 322.266 MHz: 18 cycles behind the response", "measured")
    follows = ("follows from the stages around it", "derived")
    assert [found[name] for name in ("ring", "predecode_queue", "decode_queue")] == [follows] * 3
    own = sources("fpga.preset=roundtrip_64", "fpga.input_bits=8", "fpga.receive_cycles=7")
    assert own["packetise"] == (
        "cycle law at 156.25 MHz: 18 cycles behind the last beat of the last round, 8 bits wide",
        "measured",
    )
    assert own["apply"] == ("cycle law at 156.25 MHz: 7 cycles behind the response", "assumed")


def test_a_preset_speaks_for_its_values() -> None:
    run = resolved("qpu.preset=google_willow", "qpu.readout.kind=constant")
    assert run.origins["qpu.readout.kind"].kind == "command line"
    found = sources("host.preset=cpu_wakeup")
    source, confidence = found["dispatch"]
    assert source == resolved("host.preset=cpu_wakeup").origins["host.dispatch.kind"].source
    assert confidence in {"measured", "published", "derived", "assumed"}


def test_no_predecoder_is_no_stage() -> None:
    assert not {"predecode", "predecode_queue"} & set(sources())
