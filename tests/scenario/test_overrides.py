import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.errors import ScenarioError
from emulator.scenario.layers import Origin
from emulator.scenario.overrides import as_table, parse_arguments, parse_overrides


def test_values_are_toml_or_else_text() -> None:
    tables, _ = parse_overrides(
        [
            "run.shots=10",
            'run.title="a = b"',
            "link.up.rate = 100 Gbit/s",
            "run.drain=false",
            "decoder.timing={ kind = 'constant', value = '3 us' }",
        ]
    )
    assert tables == {
        "run": {"shots": 10, "title": "a = b", "drain": False},
        "link": {"up": {"rate": "100 Gbit/s"}},
        "decoder": {"timing": {"kind": "constant", "value": "3 us"}},
    }


def test_a_key_of_link_sets_both_directions() -> None:
    tables, origins = parse_overrides(["link.mtu=1024 B", "link.latency.value=1 us"])
    one_way = {"mtu": "1024 B", "latency": {"value": "1 us"}}
    assert tables == {"link": {"up": one_way, "down": one_way}}
    assert origins["link", "down", "mtu"] == Origin("command line", "--set link.mtu=1024 B")


def test_the_last_one_counts_and_a_table_takes_the_place_of_a_name() -> None:
    tables, _ = parse_overrides(["run.seed=1", "run.seed=2", "decoder.timing=measured"])
    assert tables == {"run": {"seed": 2}, "decoder": {"timing": "measured"}}
    tables, _ = parse_overrides(["decoder.timing=measured", "decoder.timing.value=1 us"])
    assert tables == {"decoder": {"timing": {"value": "1 us"}}}


def test_quoted_keys_and_text_that_only_looks_like_more_keys() -> None:
    tables, _ = parse_overrides(['decoder.timing.points."0.5"=1 us', "run.title=a\nb = 2"])
    assert tables == {
        "decoder": {"timing": {"points": {"0.5": "1 us"}}},
        "run": {"title": "a\nb = 2"},
    }


def test_every_text_without_key_or_value_is_listed() -> None:
    with pytest.raises(ScenarioError) as error:
        parse_overrides(["run.shots", "=3", "run.seed=1", "a b=3"])
    assert str(error.value).splitlines() == [
        f"--set {text}: is no key=value; write e.g. --set run.shots=100"
        for text in ("run.shots", "=3", "a b=3")
    ]


def test_arguments_of_a_call_are_values_by_dotted_key_or_in_tables() -> None:
    nested: dict[str, Any] = {"points": {"0.5": "1 us"}, "kind": "quantiles"}
    tables, origins = parse_arguments(
        {
            "run": {"shots": np.int64(10), "seed": 3},
            "link.mtu": "1024 B",
            "decoder.timing": nested,
            "noise.p": np.float64(0.25),
            "code.rounds": (1, 2),
            "code.circuit": Path("a") / "b.stim",
            "budget.reaction": None,
        }
    )
    assert tables == {
        "run": {"shots": 10, "seed": 3},
        "link": {"up": {"mtu": "1024 B"}, "down": {"mtu": "1024 B"}},
        "decoder": {"timing": nested},
        "noise": {"p": 0.25},
        "code": {"rounds": [1, 2], "circuit": "a/b.stim"},
        "budget": {"reaction": None},
    }
    assert type(tables["run"]["shots"]) is int
    assert origins["run", "seed"] == Origin("argument", "argument run.seed=3")
    assert origins["link", "down", "mtu"].where == "argument link.mtu='1024 B'"
    assert origins["decoder", "timing", "points", "0.5"].kind == "argument"


def test_every_argument_that_a_scenario_cannot_hold_is_listed() -> None:
    with pytest.raises(ScenarioError) as error:
        parse_arguments({"a b": 1, "run": {"title": b"x"}, "run.shots": np.arange(2)})
    assert str(error.value).splitlines() == [
        "argument a b: is no key; write e.g. **{'run.shots': 100}",
        ("argument run.title: b'x' is a bytes; write text, a number, true or false, or a table"),
        (
            "argument run.shots: array([0, 1]) is a ndarray; write text, a number, true or false, "
            "or a table"
        ),
    ]


def test_a_scenario_in_memory_is_copied_and_holds_what_a_file_can() -> None:
    given = {"qpu": {"patches": np.int64(2)}, "a.b": [1]}
    table = as_table(given)
    assert table == {"qpu": {"patches": 2}, "a.b": [1]}
    table["qpu"]["patches"] = 3
    assert given["qpu"] == {"patches": 2}
    for wrong, text in (
        ({"run": {"title": date(2026, 1, 2)}}, "datetime.date(2026, 1, 2) is a date; write text"),
        ({"decoder": {0.5: 1}}, '0.5 is no key, which is text; write e.g. "0.5"'),
    ):
        with pytest.raises(ScenarioError, match=re.escape(f"scenario: {text}")):
            as_table(wrong)
