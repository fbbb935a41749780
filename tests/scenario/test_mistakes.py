from typing import Any

import pytest
from pydantic import ValidationError

from emulator.scenario.mistakes import in_toml, mistakes_of, suggestion
from emulator.scenario.scenario import Scenario
from tests.scenario.examples import minimal


def found(**tables: dict[str, Any]) -> list[str]:
    data = minimal(code={"source": "generated"})
    for name, table in tables.items():
        data[name] = {**data.get(name, {}), **table}
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(data)
    return [str(mistake) for mistake in mistakes_of(error.value, Scenario, data)]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            {"run": {"shots": "10"}},
            'run.shots: "10" is not a whole number; write one without quotes, e.g. 3',
        ),
        (
            {"run": {"shots": 1.5}},
            "run.shots: 1.5 is not a whole number; write one without quotes, e.g. 3",
        ),
        (
            {"run": {"shots": True}},
            "run.shots: true is not a whole number; write one without quotes, e.g. 3",
        ),
        (
            {"run": {"drain": "yes"}},
            'run.drain: "yes" is not true or false; write one of them, without quotes',
        ),
        ({"run": {"title": 3}}, 'run.title: 3 is not text; put it in quotes, e.g. "name"'),
        (
            {"noise": {"p": "small"}},
            'noise.p: "small" is not a number; write one without quotes, e.g. 0.5',
        ),
        ({"noise": {"p": -0.1}}, "noise.p: -0.1 is out of range; write at least 0"),
        (
            {"noise": {"p": True}},
            "noise.p: true is not a number; write one without quotes, e.g. 0.5",
        ),
        (
            {"noise": {"model": "depolarizing", "p": 0.76}},
            "noise.p: 0.76 is out of range; write at most 0.75",
        ),
        (
            {"noise": {"model": "si1000", "p": 0.21}},
            "noise.p: 0.21 is out of range; write at most 0.2",
        ),
        ({"budget": {"quantile": 1}}, "budget.quantile: 1 is out of range; write less than 1"),
        ({"decoder": {"algorithm": ""}}, 'decoder.algorithm: "" is too short; write at least 1'),
        (
            {"noise": {"model": "si100"}},
            (
                'noise.model: "si100" is unknown; did you mean "si1000"? '
                'write "depolarizing", "si1000" or "none"'
            ),
        ),
        (
            {"decoder": {"timing": "mesured"}},
            (
                'decoder.timing: "mesured" is unknown; did you mean "measured"? '
                'write "measured" or "profile"'
            ),
        ),
        (
            {"decoder": {"timing": {"kind": "constant", "vlaue": "1 us"}}},
            'decoder.timing.vlaue: unknown key; did you mean "value"?',
        ),
        (
            {"qpu": {"readout": "1 us"}},
            'qpu.readout: "1 us" is not a table; write',
        ),
        (
            {"qpu": {"round_period": 1}},
            'qpu.round_period: 1 has no unit; write a time with its unit, e.g. "3.96 us"',
        ),
        (
            {"fpga": {"rounds_per_message": "windw"}},
            'fpga.rounds_per_message: "windw" is neither a number of rounds >= 1 nor "window"',
        ),
        (
            {"link": {"up": {"rate": "0 Gbit/s"}}},
            'link.up.rate: "0 Gbit/s" must be more than zero',
        ),
        (
            {"window": {"kind": "sliding", "commit": 0, "buffer": 1}},
            "window.commit: 0 is out of range; write at least 1",
        ),
        ({"link": {"rate": "1 Gbit/s"}}, "link.rate: unknown key; it belongs in [link.up] or [lin"),
        ({"feedback": {}}, "feedback.every: is missing; add e.g. every = 3"),
    ],
)
def test_every_kind_of_mistake_in_plain_words(table: dict[str, dict[str, Any]], text: str) -> None:
    assert any(line.startswith(text) for line in found(**table)), found(**table)


def test_missing_and_unknown_kinds_of_delays_deep_inside_others() -> None:
    timing = {
        "kind": "mixture",
        "components": [
            {"weight": 1, "delay": {"kind": "constant", "value": "1 us"}},
            {"weight": 1, "delay": {"value": "1 us"}},
            {"weight": 0, "delay": {"kind": "normal", "mean": "1", "sd": "1 us", "med": 3}},
        ],
    }
    kinds = '"constant", "normal", "lognormal", "mixture", "empirical", "quantiles", "curve"'
    at = "decoder.timing.components"
    assert found(decoder={"timing": timing}) == [
        f"{at}[1].delay.kind: is missing; write kind = one of {kinds}",
        f"{at}[2].weight: 0 is out of range; write more than 0",
        f'{at}[2].delay.mean: "1" is not a time; write e.g. "3.96 us"',
        f"{at}[2].delay.med: unknown key; known are source, confidence, kind, mean, sd, floor",
    ]


def test_keys_of_the_source_that_was_chosen_are_suggested() -> None:
    tables: dict[str, Any] = minimal()
    tables["code"] = {"source": "circuit", "circuit": "a.stim", "round": 3, "folder": "x"}
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(tables)
    assert [str(mistake) for mistake in mistakes_of(error.value, Scenario, tables)] == [
        'code.round: unknown key; did you mean "rounds"?',
        "code.folder: unknown key; known are source, circuit, rounds",
    ]


def test_a_file_key_with_the_name_of_its_source() -> None:
    tables: dict[str, Any] = minimal()
    tables["code"] = {"source": "circuit", "circuit": 3, "rounds": 0}
    with pytest.raises(ValidationError) as error:
        Scenario.model_validate(tables)
    assert [mistake.path for mistake in mistakes_of(error.value, Scenario, tables)] == [
        ("code", "circuit"),
        ("code", "rounds"),
    ]


def test_values_are_shown_as_a_file_has_them() -> None:
    shown = [in_toml(value) for value in ("µs", True, 3, 0.5, {"a": 1}, [1])]
    assert shown == ['"µs"', "true", "3", "0.5", "a table", "a list"]


def test_only_a_close_word_is_suggested() -> None:
    assert suggestion("raet", ["rate", "mtu"]) == 'did you mean "rate"? '
    assert suggestion("colour", ["rate", "mtu"]) == ""
