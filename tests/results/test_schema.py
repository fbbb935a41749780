import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from emulator.results import Budget, Result, dumps, result_schema, result_schema_text
from emulator.results import result as models
from tests.results.made import answers_of, disturbed, judged
from tests.results.queue import ROUND_PS, run_of

jsonschema = pytest.importorskip("jsonschema")

COMMITTED = Path(__file__).parents[2] / "schema" / "result.schema.json"
SHOTS = 400


def _results() -> list[Result]:
    """A run that measured everything, one that only timed, and one that saw nothing."""
    calls = np.zeros(SHOTS, dtype=np.bool_)
    calls[::40] = True
    record = run_of(np.full(SHOTS, ROUND_PS, dtype=np.int64), lost=1)
    full = judged(
        record,
        Budget(limit_ps=10 * ROUND_PS, logical_limit=0.1),
        disturbed(answers_of(SHOTS, 3), calls),
        machine=SimpleNamespace(model="bench", processor="P", cores=2, clock="tsc"),
        measured=frozenset({"decode"}),
        detectors=24,
        distance=5,
        suppression=2.0,
    )
    nothing = run_of(np.full(3, 50 * ROUND_PS, dtype=np.int64), drain=False)
    return [full, judged(record, Budget()), judged(nothing, Budget())]


def test_the_committed_schema_is_fresh() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == result_schema_text(), (
        "write it anew: roundtrip schema result > schema/result.schema.json"
    )


def test_every_result_satisfies_the_schema() -> None:
    schema = result_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for result in _results():
        data = json.loads(dumps(result))
        assert [error.message for error in validator.iter_errors(data)] == []
        assert not validator.is_valid({**data, "colour": "red"})
        assert not validator.is_valid({**data, "schema_version": 1})
        del data["verdict"]["outcome"]
        assert not validator.is_valid(data)


def test_results_are_frozen_values_that_travel() -> None:
    for result in _results():
        assert pickle.loads(pickle.dumps(result)) == result
        with pytest.raises(ValidationError, match="frozen"):
            result.seed = 3  # type: ignore[misc]


def test_every_part_is_closed_and_explained() -> None:
    parts: list[Any] = [
        part
        for name in models.__all__
        if isinstance(part := getattr(models, name), type) and issubclass(part, BaseModel)
    ]
    assert len(parts) >= 15
    for part in parts:
        assert part.__doc__
        assert part.model_config["frozen"]
        assert part.model_config["extra"] == "forbid"


def test_no_number_is_infinite_and_floats_have_nine_digits() -> None:
    assert models.StageLoad(value=1 / 3, ci=None).value == 0.333333333
    for value in (float("inf"), float("nan")):
        with pytest.raises(ValidationError):
            models.StageLoad(value=value, ci=None)
