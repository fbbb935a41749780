"""Scenarios that cannot keep up, or whose answers do not arrive, are never called met."""

from pathlib import Path

import pytest

from emulator.results import Result
from emulator.run import run_experiment
from emulator.scenario import load_scenario, resolve

FOLDER = Path(__file__).parents[2] / "scenarios"


def _rounds_of_1_us(tmp_path: Path) -> Path:
    text = (FOLDER / "overload.toml").read_text(encoding="utf-8")
    assert 'preset = "gidney_rsa"' in text
    file = tmp_path / "overload.toml"
    file.write_text(text.replace('preset = "gidney_rsa"', 'round_period = "1 us"'))
    return file


@pytest.mark.parametrize("shots", [2, 10, 35])
def test_a_short_run_of_the_overload_is_missed(tmp_path: Path, shots: int) -> None:
    resolved = load_scenario(_rounds_of_1_us(tmp_path), [f"run.shots={shots}"])
    verdict = run_experiment(resolved).result.verdict
    assert verdict.outcome == "missed"
    assert "stage decode is overloaded, load 2.57" in verdict.text


def _slow_decoder(decoder: str = "100 us", shots: int = 1000, **host: object) -> Result:
    delay = {"kind": "constant", "value": decoder}
    tables = {
        "qpu": {"round_period": "1 us"},
        "code": {"task": "repetition_code:memory", "distance": 3, "rounds": 3},
        "noise": {"model": "depolarizing", "p": 0.003},
        "fpga": {"preset": "hsb_512"},
        "link": {"up": {"preset": "nvqlink"}, "down": {"preset": "nvqlink"}},
        "host": {"preset": "nvqlink_persistent_kernel", "release": "dispatch", **host},
        "decoder": {"timing": delay},
        "budget": {"logical_error_rate": 0.5},
        "run": {"shots": shots},
    }
    return run_experiment(resolve(tables)).result


@pytest.mark.parametrize("shots", [10, 100, 1000])
@pytest.mark.parametrize("on_full", ["drop", "wait"])
def test_a_decoder_33_times_too_slow_is_missed(on_full: str, shots: int) -> None:
    verdict = _slow_decoder(shots=shots, on_full=on_full).verdict
    assert verdict.outcome == "missed"
    assert "stage decode is overloaded, load 33.3" in verdict.text


def test_a_decoder_with_time_to_spare_is_met_after_twenty_shots() -> None:
    assert _slow_decoder("1 us", shots=20).verdict.throughput.stable is True
    few = _slow_decoder("1 us", shots=6).verdict
    assert few.outcome == "undecided"
    assert "more shots" in (few.decide or "")


def test_rounds_that_are_lost_do_not_leave_the_error_rate_at_0() -> None:
    result = _slow_decoder(release="response", ring_slots=4)
    logical = result.verdict.logical
    assert result.rounds.lost > 0.8 * result.rounds.emitted
    assert logical.decoder_rate is not None
    assert logical.decoder_rate < 0.01
    assert logical.rate is not None
    assert logical.rate > 0.8
    assert result.verdict.outcome == "missed"


def test_losses_on_the_line_count_as_errors() -> None:
    plain, lossy = (
        run_experiment(load_scenario(FOLDER / "helios_ion.toml", ["run.shots=300", *loss])).result
        for loss in ((), ("link.up.loss=0.2",))
    )
    logical = lossy.verdict.logical
    assert logical.decoder_errors == plain.verdict.logical.decoder_errors
    assert logical.errors is not None
    assert logical.errors > 30 > (plain.verdict.logical.errors or 0)
    assert lossy.verdict.outcome == "missed"


def test_a_decoder_of_half_a_second_has_a_mean_above_zero() -> None:
    slow = ['decoder.timing={kind = "constant", value = "500 ms"}', "run.shots=5000"]
    result = run_experiment(load_scenario(FOLDER / "helios_ion.toml", slow)).result
    assert result.verdict.outcome == "missed"
    shares = [stage.share for stage in result.stages]
    assert all(stage.mean_ps is not None and stage.mean_ps >= 0 for stage in result.stages)
    assert sum(share or 0 for share in shares) == pytest.approx(1)
