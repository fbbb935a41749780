"""The fuzzer draws every option there is, and its checks notice what they are there for."""

import random
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
from pydantic import BaseModel

from emulator.scenario import Scenario
from tests.fuzz import command
from tests.fuzz.choices import Choices
from tests.fuzz.command import Ended, prepare_folder, run_case
from tests.fuzz.consistency import STAMPS, overloads, problems, result_problems
from tests.fuzz.scenarios import Case, leaves, toml_text
from tests.fuzz.sections import draw_tables
from tests.fuzz.smaller import kind_of, smaller

NOT_DRAWN = {"folder"}  # of a CUDA-Q data folder: tests/syndromes writes and spoils such folders


def keys_of(annotation: Any) -> Iterator[str]:
    """Names of all keys of a model and of the models in it, however they are wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield name
            if name not in {"components", "first", "then", "idle", "loaded"}:  # delays again
                yield from keys_of(field.annotation)
    elif hasattr(annotation, "__value__"):
        yield from keys_of(annotation.__value__)
    else:
        for part in get_args(annotation):
            yield from keys_of(part)


def drawn_keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from drawn_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from drawn_keys(inner)


def test_every_key_of_a_scenario_is_drawn() -> None:
    source = random.Random(0)
    drawn = {
        key for _ in range(500) for key in drawn_keys(draw_tables(Choices(source.randbytes(800))))
    }
    assert set(keys_of(Scenario)) - drawn == NOT_DRAWN


def test_zeros_are_the_plainest_choice() -> None:
    choose = Choices(b"\x00\x05")
    assert (choose.below(3), choose.below(3), choose.pick("a", "b")) == (2, 0, "a")
    assert Choices(bytes([255, 255])).rarely(65536)
    assert not Choices(b"").rarely(2)
    assert draw_tables(Choices(b"")).keys() == {"qpu", "code", "noise", "decoder", "run"}


def test_tables_are_written_as_toml_that_reads_back() -> None:
    source = random.Random(1)
    for _ in range(50):
        tables = draw_tables(Choices(source.randbytes(800)))
        assert tomllib.loads(toml_text(tables)) == tables


def test_leaves_have_their_path() -> None:
    tables = {"a": {"b": {"c": 1}, "d": [2]}, "e": {}}
    assert list(leaves(tables)) == [(("a", "b", "c"), 1), (("a", "d"), [2]), (("e",), {})]


def test_a_failing_scenario_is_made_smaller() -> None:
    tables = draw_tables(Choices(b"")) | {"host": {"dispatch": {"kind": "constant"}}}
    runs = []

    def fails(case: Case) -> bool:
        runs.append(case)
        return "p" in case.tables.get("noise", {}) and "host" in case.tables

    case = Case(tables, ("run.shots=3",), report=True)
    assert smaller(case, fails) == Case({"noise": {"p": 0.003}, "host": {}})
    assert len(runs) < 40
    assert smaller(case, lambda _: False) == case
    assert kind_of(["a\nx is 3.5e-7, not -2"]) == kind_of(["x is 1, not 2"]) == "x is N, not N"


# -- the checks ------------------------------------------------------------------------------

SOUND = {
    "qpu": {"round_period": "1 us"},
    "code": {"task": "repetition_code:memory", "distance": 3, "rounds": 4},
    "noise": {"model": "depolarizing", "p": 0.01},
    "decoder": {
        "algorithm": "none",
        "timing": {"kind": "lognormal", "median": "1 us", "sigma": 0.3},
    },
    "budget": {"reaction": "100 us", "quantile": 0.5},
    "run": {"shots": 400},
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("sound")
    prepare_folder(folder)
    return run_case(Case(SOUND), folder)


def tables_of(ended: Ended) -> list[dict[str, Any]]:
    return [
        {column.name: column.to_numpy().copy() for column in pl.read_parquet(ended.folder / name)}
        for name in ("windows.parquet", "messages.parquet", "backlog.parquet")
    ]


def test_nothing_is_wrong_with_a_sound_run(sound: Ended) -> None:
    assert (sound.code, problems(sound)) == (0, [])


SPOILT = {
    ("rounds", "decoded", 1): "rounds do not add up",
    ("rounds", "lost", 1): "losses do not add up",
    ("rounds", "in_flight", 1): "rounds in flight",
    ("rounds", "emitted", 4): "rounds emitted",
    ("stages", 8, "mean_ps", 10_000): "stage means do not add up",
    ("stages", 8, "max_ps", 1): "longest decode",
    ("stages", 8, "p50_ps", 10**9): "percentiles of decode",
    ("stages", 8, "share", 0.1): "share of decode",
    ("verdict", "reaction", "value_ps", 1): "no window reacted in",
    ("verdict", "reaction", "samples", 1): "401 samples of 400",
    ("verdict", "reaction", "value_ps", 10**9): "met with a reaction of",
}


@pytest.mark.parametrize(("change", "said"), SPOILT.items())
def test_a_spoilt_number_is_noticed(sound: Ended, change: tuple[Any, ...], said: str) -> None:
    result = deepcopy(sound.result())
    assert result is not None
    *path, key, step = change
    inner: Any = result
    for part in path:
        inner = inner[part]
    inner[key] += step
    assert any(said in text for text in result_problems(result, *tables_of(sound)))


def test_a_window_that_goes_back_in_time_is_noticed(sound: Ended) -> None:
    for before, after in pairwise(STAMPS):
        windows, messages, backlog = tables_of(sound)
        windows[before][7] = windows[after][7] + 1
        found = result_problems(sound.result() or {}, windows, messages, backlog)
        assert f"a window is at {after} before {before}" in found


def test_lost_shots_and_impossible_tables_are_noticed(sound: Ended) -> None:
    windows, messages, backlog = tables_of(sound)
    messages["lost"][0], backlog["rounds"][0] = 1, -1
    windows["window"][1] = windows["window"][0]
    windows["last_round"][:300] -= 1
    found = "\n".join(result_problems(sound.result() or {}, windows, messages, backlog))
    assert "1 of 400 messages lost at loss 0.0" in found
    assert "the backlog is no number of rounds" in found
    assert "a window is listed twice" in found
    assert "windows commit 1300 rounds, 1600 are decoded" in found


def test_overload_is_computed_from_what_was_served(sound: Ended) -> None:
    result, (windows, messages, _) = sound.result() or {}, tables_of(sound)
    assert 0.2 < overloads(result, windows, messages)["decode"] < 0.35
    windows["decode_end_ps"] += 6_000_000
    windows["returned_ps"] += 6_000_000
    windows["applied_ps"] += 6_000_000
    result["scenario"]["host"]["dispatch"] = {"kind": "constant", "value": "8 us"}
    assert overloads(result, windows, messages)["dispatch"] == pytest.approx(2)
    said = "\n".join(
        result_problems(result, windows, messages, {"rounds": np.zeros(1, dtype=np.int64)})
    )
    assert "met with stage decode at 1.7" in said
    assert "met with stage dispatch at 2 times its capacity" in said


def test_a_call_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spin(arguments: list[str]) -> int:  # noqa: ARG001
        while True:
            pass

    monkeypatch.setattr(command, "main", spin)
    monkeypatch.setattr(command, "CPU_LIMIT_S", 0.1)
    ended = run_case(Case(SOUND), tmp_path)
    assert problems(ended) == ["not finished after 0.1 s of processor time"]


def test_endings_that_are_no_verdict_are_noticed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert problems(Ended(2, "", "error: case.toml:3: qpu.round_period: is bad\n", out)) == []
    assert problems(Ended(2, "", "error: case.toml:3: qpu: is bad\n", out)) == []
    assert "neither key nor file" in problems(Ended(2, "", "error: no\n", out))[0]
    assert "sentence of its own" in problems(Ended(2, "", "error: qpu.x: y\nwhy\n", out))[0]
    assert problems(Ended(None, "", "", out, "ValueError: no")) == ["ValueError: no"]
    assert problems(Ended(5, "", "error: internal\n", out)) == ["exit code 5: error: internal\n"]
    assert problems(Ended(0, "", "", out)) == ["exit code 0 without a result"]
    assert (
        "21.0 s of processor time" in problems(Ended(2, "", "error: qpu.x: y\n", out, None, 21))[0]
    )
    assert "prints a traceback" in problems(Ended(2, "", "error: qpu.x: Traceback\n", out))[0]
