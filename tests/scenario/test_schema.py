import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from emulator.scenario.load import resolve
from emulator.scenario.scenario import Scenario, dump
from emulator.scenario.schema import json_schema, schema_text
from tests.scenario.examples import MINIMAL_TOML, minimal

jsonschema = pytest.importorskip("jsonschema")

COMMITTED = Path(__file__).parents[2] / "schema" / "scenario.schema.json"


def valid(tables: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(tables))


def test_the_committed_schema_is_fresh() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(), (
        "write it anew: roundtrip schema > schema/scenario.schema.json"
    )


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_what_loads_is_valid_and_so_is_its_dump() -> None:
    tables = tomllib.loads(MINIMAL_TOML)
    tables["link"] = {"up": {"latency": {"kind": "lognormal", "median": "1 us", "sigma": 0.1}}}
    tables["decoder"] = {"timing": "measured"}
    assert valid(tables)
    assert valid(dump(resolve(tables).scenario))


def test_what_a_preset_may_supply_is_not_required() -> None:
    assert valid(minimal() | {"qpu": {"preset": "any", "readout": {"sigma": 0.2}}})
    assert valid(minimal(link={"up": {"preset": "any", "latency": {"value": "1 us"}}}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": {"distance": "5"}},
        {"code": {"task": "surface_code"}},
        {"noise": {"p": 2}},
        {"qpu": {"round_period": "1 uss"}},
        {"qpu": {"readout": {"kind": "constnat"}}},
        {"link": {"rate": "1 Gbit/s"}},
        {"decoder": {"timing": "mesured"}},
        {"decoder": {"timing": {"kind": "constant", "vlaue": "1 us"}}},
        {"fpga": {"bus_bits": 100}},
        {"fpga": {"rounds_per_message": 0}},
        {"windo": {"kind": "whole"}},
    ],
)
def test_an_editor_marks_the_same_mistakes(wrong: dict[str, dict[str, Any]]) -> None:
    assert valid(minimal())
    assert not valid(minimal(**wrong))


def test_tables_and_keys_that_must_be_there_are_required() -> None:
    for name in ("qpu", "code"):
        tables = minimal()
        del tables[name]
        assert not valid(tables)
    assert not valid(minimal() | {"code": {"task": "repetition_code:memory", "rounds": 3}})
    assert not valid(minimal(feedback={}))


def test_every_table_is_described_and_null_is_never_offered() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == set(Scenario.model_fields)
    assert '"null"' not in json.dumps(schema)
    assert "``" not in json.dumps(schema)
    unions = {"Code", "Delay", "Draw", "Timing"}
    assert {name for name, table in schema["$defs"].items() if "description" not in table} == unions
