"""Mistakes of a scenario in plain words: pydantic's findings, by the key as the file has it."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from emulator.scenario.checks import KeyPath, Mistake
from emulator.scenario.delays import DelaySection

__all__ = ["in_toml", "mistakes_of", "suggestion"]

Models = list[type[BaseModel]]


def in_toml(value: object) -> str:
    """Write a value as a scenario file would; tables and lists only by what they are."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def suggestion(word: object, options: Iterable[str]) -> str:
    """``'did you mean "…"? '``, or nothing when no option resembles ``word``."""
    close = difflib.get_close_matches(str(word), list(options), n=1)
    return f'did you mean "{close[0]}"? ' if close else ""


def mistakes_of(error: ValidationError, model: type[BaseModel], tables: object) -> list[Mistake]:
    """Translate what pydantic found in ``tables``, which ``model`` was to be read from."""
    found = [_mistake(details, model, tables) for details in error.errors(include_url=False)]
    return list(dict.fromkeys(found))


def _mistake(details: ErrorDetails, model: type[BaseModel], tables: object) -> Mistake:
    kind, context = details["type"], details.get("ctx", {})
    path = _path(details["loc"], tables, missing=kind == "missing")
    if kind.startswith("union_tag"):
        key = str(context["discriminator"]).strip("'")
        wrong = None if kind == "union_tag_not_found" else context["tag"]
        options = [str(o) for m in _models_at(model, path, tables) for o in _options(m, key)]
        return Mistake((*path, key), _choice(key, wrong, options))
    if kind == "missing":
        return Mistake(path, _missing(path, _models_at(model, path[:-1], tables)))
    if kind == "extra_forbidden":
        return Mistake(path, _unknown(path, model, _models_at(model, path[:-1], tables)))
    return Mistake(path, _refused(kind, details, context))


def _path(loc: tuple[int | str, ...], data: Any, *, missing: bool) -> KeyPath:
    """Leave out what pydantic adds to a key path: names of union members and of key checks."""
    if loc[0] == "code":
        loc = loc[:1] + loc[2:]
    path: list[str] = []
    for position, part in enumerate(loc):
        if isinstance(part, int) and isinstance(data, list):
            path[-1] += f"[{part}]"
            data = data[part]
        elif isinstance(data, dict) and part in data:
            path.append(str(part))
            data = data[part]
        elif missing and position == len(loc) - 1:
            path.append(str(part))
    return tuple(path)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation mentions, through aliases, unions and containers."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif hasattr(annotation, "__value__"):
        yield from _models(annotation.__value__)
    elif get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from _models(inner)


def _options(model: type[BaseModel], key: str) -> tuple[Any, ...]:
    return get_args(model.model_fields[key].annotation) if key in model.model_fields else ()


def _models_at(model: type[BaseModel], path: KeyPath, data: Any) -> Models:
    """Models that may describe the table at ``path``; only the one its kind or source selects."""
    models: Models = [model]
    for part in path:
        key, bracket, index = part.partition("[")
        fields = [m.model_fields[key] for m in models if key in m.model_fields]
        models = [inner for field in fields for inner in _models(field.annotation)]
        data = data.get(key) if isinstance(data, dict) else None
        if bracket and isinstance(data, list):
            data = data[int(index[:-1])]
        for selector in ("kind", "source"):
            chosen = data.get(selector) if isinstance(data, dict) else None
            models = [m for m in models if chosen in _options(m, selector)] or models
    return models


def _choice(key: str, wrong: object, options: list[str]) -> str:
    listed = ", ".join(f'"{option}"' for option in options)
    if wrong is None:
        return f"is missing; write {key} = one of {listed}"
    return f"{in_toml(wrong)} is unknown; {suggestion(wrong, options)}write one of {listed}"


def _missing(path: KeyPath, models: Models) -> str:
    key = path[-1]
    for model in models:
        if key in model.model_fields:
            example = _example(model.model_fields[key])
            return f"is missing; add e.g. {key} = {example}" if example else "is missing; add it"
    return "is missing; add it"


def _example(field: FieldInfo) -> str | None:
    schema = TypeAdapter(field.rebuild_annotation()).json_schema()
    for choices in (schema.get("examples"), schema.get("enum")):
        if choices:
            return in_toml(choices[0])
    return in_toml(max(3, schema.get("minimum", 3))) if schema.get("type") == "integer" else None


def _unknown(path: KeyPath, root: type[BaseModel], models: Models) -> str:
    key = path[-1]
    known = list(dict.fromkeys(name for model in models for name in model.model_fields))
    noun = "table" if len(path) == 1 else "key"
    hint = suggestion(key, known).strip()
    homes = [f"[{'.'.join(home)}]" for home in _homes(root, key) if home != path[:-1]]
    if homes and not hint:
        return f"unknown {noun}; it belongs in {' or '.join(homes)}"
    return f"unknown {noun}; {hint or 'known are ' + ', '.join(known)}"


def _homes(model: type[BaseModel], key: str, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Tables, delays aside, that have a key of this name."""
    if path and key in model.model_fields:
        yield path
    for name, field in model.model_fields.items():
        for inner in _models(field.annotation):
            if not issubclass(inner, DelaySection):
                yield from _homes(inner, key, (*path, name))


_LIMITS: dict[str, tuple[str, str]] = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

_NOUNS: tuple[tuple[str, str], ...] = (
    ("int_", "a whole number; write one without quotes, e.g. 3"),
    ("float_", "a number; write one without quotes, e.g. 0.5"),
    ("finite_", "a finite number"),
    ("bool_", "true or false; write one of them, without quotes"),
    ("string_type", 'text; put it in quotes, e.g. "name"'),
    ("path_type", 'a path; put it in quotes, e.g. "folder/file"'),
    ("model_", "a table; write its keys beneath a line with its name in brackets"),
    ("dict_", "a table; write it in braces, e.g. { key = value }"),
    ("tuple_", "a list; write it in brackets, e.g. [1, 2]"),
)


def _refused(kind: str, details: ErrorDetails, context: dict[str, Any]) -> str:
    value = in_toml(details["input"])
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        options = context["expected"].replace("'", '"')
        hint = suggestion(details["input"], re.findall(r'"([^"]*)"', options))
        return f"{value} is unknown; {hint}write {options}"
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        limit = context[key]
        shown = str(limit) if isinstance(limit, int) else f"{limit:g}"
        return f"{value} is out of range; write {words} {shown}"
    if kind.endswith("too_short"):
        return f"{value} is too short; write at least {context['min_length']}"
    for start, noun in _NOUNS:
        if kind.startswith(start):
            return f"{value} is not {noun}"
    return f"{value} is refused: {details['msg'].replace('Input should be', 'it must be')}"
