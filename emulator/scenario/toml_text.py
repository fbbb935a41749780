"""TOML text as tables, within the bounds of a scenario file."""

import tomllib
from typing import Any

__all__ = ["MAX_DEPTH", "BoundsError", "read_toml"]

MAX_DEPTH = 32
"""Deepest nesting of tables and lists; a mixture of delays needs eight."""


class BoundsError(ValueError):
    """TOML that is valid, but nested too deeply or with a number that is too long."""


def read_toml(text: str) -> dict[str, Any]:
    """Read a document; raises tomllib.TOMLDecodeError, or BoundsError for more than is allowed."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise BoundsError(_too_deep()) from None
    except ValueError:  # the only other one: Python reads no longer whole number
        raise BoundsError("has a number of more than 4,300 digits; write a shorter one") from None
    level: list[Any] = [tables]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return tables
    raise BoundsError(_too_deep())


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> str:
    return f"nests tables or lists more than {MAX_DEPTH} deep; write flatter ones"
