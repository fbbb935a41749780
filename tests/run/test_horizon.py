import pytest

from emulator.errors import ScenarioError
from emulator.run import prepare
from emulator.run.horizon import _works
from emulator.units import Clock
from tests.run.examples import SLIDING, SMALL, resolved

WAYS = ("up", "down")

PER_ROUND = "{kind = 'curve', per = 'round', points = [{distance = 3, value = '2e6 s'}]}"
WORKS = (
    ("qpu.readout.value=9e6 s", "qpu.readout"),
    ("link.up.latency.value=1e6 s", "link.up.latency"),
    ("host.dispatch.value=1e6 s", "host.dispatch"),
    ("decoder.timing={kind = 'constant', value = '1e5 s'}", "decoder.timing"),
    (f"decoder.timing={PER_ROUND}", "decoder.timing"),
    ("link.down.latency.value=1e6 s", "link.down.latency"),
    ("link.up.rate=1 bit/s", "link.up.rate"),
    ("link.down.rate=1 bit/s", "link.down.rate"),
    ("link.up.propagation=1e6 s", "link.up.propagation"),
    ("fpga.clock=0.001 Hz", "fpga.clock"),
)


@pytest.mark.parametrize(("override", "key"), WORKS, ids=[key for _, key in WORKS])
def test_a_run_that_no_table_can_hold_is_refused_by_what_is_too_long(
    override: str, key: str
) -> None:
    shots = "run.shots=20000" if "rate" in key else "run.shots=120"
    with pytest.raises(ScenarioError) as caught:
        prepare(resolved(override, shots))
    text = str(caught.value)
    assert text.startswith(f"{key}: ")
    assert "106 days" in text


def test_the_emission_counts_first() -> None:
    with pytest.raises(ScenarioError, match=r"^run\.shots: 120 shots last .* 106 days"):
        prepare(resolved("qpu.round_period=20000 s"))
    with pytest.raises(ScenarioError, match=r"^run\.shots: 3 shots last .* 106 days"):
        prepare(resolved("run.shots=3", "qpu.shot_period=9.223e6 s"))


def test_the_bound_is_met_to_the_round() -> None:
    rounds = SMALL["code"]["rounds"]
    constant = "decoder.timing={kind = 'constant', value = '1 us'}"
    period_ps = (2**63 - 1) // (120 * rounds)
    for change, refused in ((-(10**9), False), (1, True)):
        asked = resolved(f"qpu.round_period={period_ps + change} ps", constant)
        if refused:
            with pytest.raises(ScenarioError, match="no run may exceed"):
                prepare(asked)
        else:
            assert prepare(asked).traffic.emission.horizon_ps < 2**63


def test_the_bound_is_the_work_of_every_stage() -> None:
    curve = "{kind = 'curve', per = 'round', points = [{distance = 3, value = '7 ns'}]}"
    drawn = "{kind = 'lognormal', median = '2 us', sigma = 0.5}"
    prepared = prepare(
        resolved(
            *SLIDING,
            *("qpu.patches=2", "run.shots=10", "fpga.rounds_per_message=2"),
            *("qpu.readout.value=2 ns", "link.up.latency.value=3 ns", "host.dispatch.value=5 ns"),
            *(f"decoder.timing={curve}", "link.down.latency.value=11 ns"),
            *("predecoder.kind=delay", f"predecoder.timing={drawn}"),
            *("link.up.rate=1 Gbit/s", "link.down.rate=2 Gbit/s", "link.up.hops=2"),
            *("link.up.hop_latency=13 ns", "link.up.propagation=17 ns"),
            *("link.down.propagation=19 ns", "link.down.hops=1", "link.down.hop_latency=23 ns"),
        )
    )
    traffic, times = prepared.traffic, prepared.durations
    assert times.predecode is not None
    assert [len(window.rounds) for window in traffic.plan] == [4, 4, 2]
    fpga = prepared.scenario.fpga
    # 20 shots of 3 messages and 3 windows each
    packets = [packet for message in traffic.messages for packet in message.packets]
    beats = sum(beats for beats, _ in packets) + sum(beats for beats, _ in traffic.response)
    cycles = fpga.pipeline_cycles + fpga.min_spacing_cycles + fpga.receive_cycles
    up_bits, answer = sum(bits for _, bits in packets), sum(bits for _, bits in traffic.response)
    assert dict(_works(prepared.scenario, traffic, times)) == {
        "qpu.readout": 60 * 2_000,
        "link.up.latency": 60 * 3_000,
        "host.dispatch": 60 * 5_000,
        "decoder.timing": times.decode.longest_ps(4),
        "predecoder.timing": times.predecode.longest_ps(4),
        "link.down.latency": 60 * 11_000,
        "fpga.clock": Clock(fpga.clock).edge_ps(20 * (beats + 3 * cycles)),
        "link.up.rate": 20 * up_bits * 1000 * 3,  # a line and two hops
        "link.down.rate": 20 * 3 * answer * 500 * 2,
        "link.up.propagation": 60 * 17_000,
        "link.up.hop_latency": 60 * 2 * 13_000,
        "link.down.propagation": 60 * 19_000,
        "link.down.hop_latency": 60 * 23_000,
    }


def test_links_without_a_rate_take_no_time_to_send() -> None:
    prepared = prepare(resolved())
    scenario = prepared.scenario
    free = {way: getattr(scenario.link, way).model_copy(update={"rate": None}) for way in WAYS}
    link = scenario.link.model_copy(update=free)
    unlimited = scenario.model_copy(update={"link": link})
    works = dict(_works(unlimited, prepared.traffic, prepared.durations))
    assert not {"link.up.rate", "link.down.rate"} & set(works)
