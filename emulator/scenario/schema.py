"""The JSON schema of a scenario file, for editors and for checks without this package."""

import json
from typing import Any

from emulator.docstrings import DescribedSchema
from emulator.scenario.scenario import Scenario

__all__ = ["json_schema", "schema_text"]

_SELECTORS = ("kind", "source")


def json_schema() -> dict[str, Any]:
    """Schema (draft 2020-12) that every valid scenario file satisfies.

    Looser than loading: a key that a preset may supply is not required, which includes the keys of
    a delay that overrides one of a preset; what values must satisfy together is not in it.
    """
    schema = Scenario.model_json_schema(schema_generator=DescribedSchema)
    for name, table in schema["$defs"].items():
        _loosen(name, table)
    schema = _tidy(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """The schema as committed: indented JSON that ends with a newline."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _loosen(name: str, definition: dict[str, Any]) -> None:
    properties = definition.get("properties", {})
    if "preset" in properties or (name != "CudaqCode" and "confidence" in properties):
        definition.pop("required", None)
    if "oneOf" in definition:
        definition["anyOf"] = definition.pop("oneOf")
        definition.pop("discriminator", None)


def _tidy(node: Any) -> Any:
    """Drop what no file can say (null) and what no editor shows well (generated titles, RST)."""
    if isinstance(node, list):
        return [_tidy(inner) for inner in node if inner != {"type": "null"}]
    if not isinstance(node, dict):
        return node.replace("``", "`") if isinstance(node, str) else node
    tidy = {
        key: _tidy(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and value is None)
    }
    options = tidy.get("anyOf")
    if isinstance(options, list) and len(options) == 1:
        del tidy["anyOf"]
        tidy = {**options[0], **tidy}
    return tidy
