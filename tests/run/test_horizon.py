import pytest

from emulator.errors import ScenarioError
from emulator.run import prepare
from tests.run.examples import SMALL, resolved

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
