import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from emulator.scenario.delays import Curve, Delay, Lognormal, Mixture, Quantiles, Timing

DELAY: TypeAdapter[Any] = TypeAdapter(Delay)
TIMING: TypeAdapter[Any] = TypeAdapter(Timing)

CONSTANT = {"kind": "constant", "value": "12 ns"}
LOGNORMAL = {"kind": "lognormal", "median": "60 us", "sigma": 0.3}
POINT = {"distance": 5, "p": 0.003, "value": "3 us"}

EXAMPLES: list[dict[str, Any]] = [
    CONSTANT,
    {"kind": "normal", "mean": "3.839 us", "sd": "35 ns", "floor": "1 us"},
    LOGNORMAL,
    {"kind": "mixture", "components": [{"weight": 0.9, "delay": LOGNORMAL}]},
    {"kind": "empirical", "file": "times.json", "column": "decode", "order": "replay"},
    {"kind": "quantiles", "points": {"0.5": "352.3 us", "0.99": "1248.8 us"}},
    {"kind": "curve", "per": "round", "points": [POINT]},
    {"kind": "load", "idle": CONSTANT, "loaded": LOGNORMAL, "servers": 16},
    {"kind": "warmup", "messages": 2, "first": CONSTANT, "then": LOGNORMAL},
    {"kind": "batch", "points": {"1": "20 us", "8": "40 us"}},
]


@pytest.mark.parametrize("table", EXAMPLES, ids=lambda table: str(table["kind"]))
def test_every_kind_reads_and_writes_itself(table: dict[str, Any]) -> None:
    stated = DELAY.validate_python({**table, "source": "a paper", "confidence": "published"})
    assert stated.kind == table["kind"]
    assert stated.source == "a paper"
    assert DELAY.validate_json(DELAY.dump_json(stated)) == stated


def test_values_are_exact_picoseconds() -> None:
    delay = DELAY.validate_python(EXAMPLES[3])
    assert isinstance(delay, Mixture)
    body = delay.components[0].delay
    assert isinstance(body, Lognormal)
    assert (body.shift, body.median) == (0, 60_000_000)
    quantiles = DELAY.validate_python(EXAMPLES[5])
    assert isinstance(quantiles, Quantiles)
    assert quantiles.points == {0.5: 352_300_000, 0.99: 1_248_800_000}
    curve = DELAY.validate_python(EXAMPLES[6])
    assert isinstance(curve, Curve)
    assert curve.points[0].rounds is None


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"kind": "gauss"}, "does not match any of the expected tags"),
        ({"value": "1 us"}, "Unable to extract tag"),
        ({"kind": "constant", "value": 3}, "3 has no unit"),
        ({"kind": "constant", "value": "1 us", "jitter": "1 ns"}, "Extra inputs"),
        ({"kind": "normal", "mean": "0 ps", "sd": "1 ns"}, "must be more than zero"),
        ({**LOGNORMAL, "sigma": 0}, "greater than 0"),
        ({"kind": "mixture", "components": []}, "at least 1 item"),
        ({"kind": "mixture", "components": [{"weight": 0, "delay": CONSTANT}]}, "greater than 0"),
        ({"kind": "quantiles", "points": {"0.5": "1 us"}}, "at least 2 items"),
        ({"kind": "quantiles", "points": {"0.5": "2 us", "0.9": "1 us"}}, "must not fall"),
        ({"kind": "quantiles", "points": {"0.5": "2 us", "90": "3 us"}}, "less than or equal"),
        ({"kind": "curve", "per": "shot", "points": [POINT]}, "'window' or 'round'"),
        (
            {"kind": "curve", "per": "round", "points": [POINT, POINT]},
            "distance 5 at p = 0.003 is listed 2 times",
        ),
        (
            {"kind": "curve", "per": "round", "points": [POINT, {**POINT, "p": 0.1, "rounds": 9}]},
            "some points give rounds and others do not",
        ),
        (
            {"kind": "curve", "per": "round", "points": [POINT, {"distance": 7, "value": "1 us"}]},
            "some points give p and others do not",
        ),
        ({"kind": "batch", "points": {}}, "at least 1 item"),
        ({"kind": "batch", "points": {"0": "1 us"}}, "greater than or equal to 1"),
        ({"kind": "batch", "points": {"1.5": "1 us"}}, "valid integer"),
        ({"kind": "batch", "points": {"1": "0 us"}}, "must be more than zero"),
        ({**CONSTANT, "value": "107 days"}, '"107 days" is not a time'),
        ({**CONSTANT, "value": "9300000 s"}, '"9300000 s" is longer than 106 days'),
        ({**EXAMPLES[7], "servers": 1}, "greater than or equal to 2"),
        ({**EXAMPLES[7], "idle": EXAMPLES[7]}, "does not match any of the expected tags"),
        ({**EXAMPLES[1], "confidence": "sure"}, "'measured', 'published', 'derived' or 'assumed'"),
    ],
)
def test_a_mistake_is_refused_with_a_sentence(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        DELAY.validate_python(table)


def test_a_timing_is_a_name_or_a_delay() -> None:
    assert TIMING.validate_python("measured") == "measured"
    assert TIMING.validate_python(CONSTANT) == DELAY.validate_python(CONSTANT)
    with pytest.raises(ValidationError, match="'measured' or 'profile'") as caught:
        TIMING.validate_python("mesured")
    assert caught.value.error_count() == 1
