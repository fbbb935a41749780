import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.decoders import stopwatch
from emulator.results import read_run
from emulator.timing import read_profile
from tests.cli.conftest import Call
from tests.decoders.clocks import QUIET
from tests.run.examples import MODELS

REPLAY = ("--set", "decoder.timing=profile", "--set", "decoder.profile=times.json")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "CLOCKS", QUIET)


@pytest.fixture
def profiled(call: Call, sampled: Path) -> Call:
    assert call("profile", sampled, "--out", "times.json")[0] == 0
    return call


def test_a_profile_has_a_time_for_each_window(profiled: Call, sampled: Path) -> None:
    code, out, err = profiled("profile", sampled, "--out", "times.json", "--set", "run.shots=30")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("decode: 30 calls, p50 ")
    assert first.endswith("; 0.00% of 30 left out as disturbed")
    assert second.startswith("times.json: measured on ")
    profile = read_profile(Path("times.json"))
    assert list(profile.stages) == ["decode"]
    assert len(profile.stages["decode"]) == 30
    assert (profile.stages["decode"] > 0).all()
    assert {"processor", "cores", "date", "system"} <= profile.machine.keys()
    assert not profile.machine.keys() & profile.versions.keys()
    assert {"stim", "pymatching", "onnxruntime", "python"} <= profile.versions.keys()


def test_both_stages_are_measured(call: Call, sampled: Path) -> None:
    predecoder = (
        *("--set", "code.distance=5", "--set", "code.rounds=5", "--set", "run.shots=12"),
        *("--set", "predecoder.kind=onnx"),
        *("--set", f"predecoder.model={MODELS / 'pair_rule_d5_T6_Z.onnx'}"),
    )
    code, out, _ = call("profile", sampled, "--out", "times.json", *predecoder)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == [
        *("predecode", "decode", "times.json"),
    ]
    assert {k: len(v) for k, v in read_profile(Path("times.json")).stages.items()} == {
        "predecode": 12,
        "decode": 12,
    }


class Preempted:
    """Counts of context switches, in which every n-th timed call loses its core."""

    def __init__(self, every: int) -> None:
        self.every, self.read = every, 0

    def __call__(self) -> tuple[int, int]:
        self.read += 1
        return 0, self.read // (2 * self.every)


def test_disturbed_calls_are_left_out(
    call: Call, sampled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopwatch, "CLOCKS", replace(QUIET, switches=Preempted(every=25)))
    code, out, _ = call("profile", sampled, "--out", "times.json", "--set", "run.shots=100")
    assert code == 0
    assert out.startswith("decode: 96 calls, ")
    assert "; 4.00% of 100 left out as disturbed" in out
    assert len(read_profile(Path("times.json")).stages["decode"]) == 96


def test_too_many_disturbed_calls_make_no_profile(
    call: Call, sampled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopwatch, "CLOCKS", replace(QUIET, switches=Preempted(every=10)))
    code, out, err = call("profile", sampled, "--out", "times.json", "--set", "run.shots=100")
    assert (code, out) == (2, "")
    assert err.startswith("error: 10.0% of the calls of decode were disturbed by other work")
    assert not Path("times.json").exists()


def test_a_run_replays_the_times_of_a_profile(profiled: Call, sampled: Path) -> None:
    assert profiled("run", sampled, *REPLAY)[0] == 0
    run = read_run(Path("runs/sampled"))
    spent = run.tables["windows"]["decode_end_ps"] - run.tables["windows"]["decode_start_ps"]
    assert spent.tolist() == read_profile(Path("times.json")).stages["decode"].tolist()
    decode = next(stage for stage in run.result["stages"] if stage["name"] == "decode")
    assert decode["timing_source"] == f"recorded in {sampled.with_name('times.json')}"
    assert decode["timing_confidence"] == "measured"


def test_replayed_runs_are_equal_to_the_byte(profiled: Call, sampled: Path) -> None:
    for out in ("first", "second"):
        assert profiled("run", sampled, *REPLAY, "--out", out)[0] == 0
    files = sorted(Path("first").iterdir())
    assert len(files) == 5
    for file in files:
        assert file.read_bytes() == (Path("second") / file.name).read_bytes(), file.name


def test_chunks_change_memory_and_not_results(profiled: Call, sampled: Path) -> None:
    for chunk in ("7", "1000"):
        options = ("--set", f"run.chunk_shots={chunk}", "--out", chunk)
        assert profiled("run", sampled, *REPLAY, *options)[0] == 0
    for name in ("windows", "messages", "backlog"):
        first, second = (Path(out) / f"{name}.parquet" for out in ("7", "1000"))
        assert first.read_bytes() == second.read_bytes()
    assert _without_chunks("7") == _without_chunks("1000")


def _without_chunks(out: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((Path(out) / "result.json").read_text())
    assert result["scenario"]["run"].pop("chunk_shots") == int(out)
    del result["sources"]["run.chunk_shots"]
    return result


@pytest.mark.parametrize("out", ["times.csv", "no/such/times.json", "folder.json"])
def test_a_place_that_cannot_be_written_is_told_before_anything_is_measured(
    call: Call, sampled: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    Path("folder.json").mkdir()
    monkeypatch.setattr("emulator.run.measure", never)
    code, shown, err = call("profile", sampled, "--out", out)
    assert (code, shown) == (2, "")
    assert err == (
        f'error: a profile cannot be written to "{out}"; give a .json file in a folder that '
        "exists\n"
    )
