"""Both engines side by side: what one of them leaves behind is what the other does."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from emulator.loop.compiled import run_compiled
from emulator.loop.config import LoopConfig
from emulator.loop.engine import run_loop
from emulator.loop.engines import Engine
from emulator.loop.records import Record

__all__ = ["assert_engines_agree", "assert_same_records", "run_both"]


def assert_engines_agree(config: LoopConfig, *, keep_windows: bool = True) -> Record | None:
    """Run a loop on both engines; return the compiled one's record, or None if both refuse it."""
    try:
        expected = run_loop(config, keep_windows=keep_windows)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other must raise it as well
        found = _error(config, keep_windows=keep_windows)
        assert (type(found), str(found)) == (type(error), str(error))
        return None
    record = run_compiled(config, keep_windows=keep_windows)
    assert_same_records(expected, record)
    return record


def _error(config: LoopConfig, *, keep_windows: bool) -> Exception | None:
    try:
        run_compiled(config, keep_windows=keep_windows)
    except Exception as error:  # noqa: BLE001
        return error
    return None


def assert_same_records(expected: Record, found: Record) -> None:
    """All that both hold is the same, types and order included, but the name of the engine."""
    assert (expected.engine, found.engine) == ("simpy", "compiled")
    for name in (field.name for field in fields(Record)):
        if name not in {"engine", "engine_note"}:
            _assert_same(name, getattr(expected, name), getattr(found, name))


def _assert_same(name: str, expected: Any, found: Any) -> None:
    assert type(found) is type(expected), name
    if isinstance(expected, dict):
        assert list(found) == list(expected), name
        for key, value in expected.items():
            _assert_same(f"{name}, {key}", value, found[key])
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), name
        np.testing.assert_array_equal(found, expected, name)
    else:
        assert found == expected, name


def run_both(
    config: LoopConfig,
    engine: Engine = "auto",
    *,
    keep_windows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Record:
    """Stand in for `emulator.loop.engines.run_engine`: run both engines, and compare them."""
    expected = run_loop(config, keep_windows=keep_windows, progress=progress)
    found = run_compiled(config, keep_windows=keep_windows)
    assert_same_records(expected, found)
    return replace(found, engine="simpy") if engine == "simpy" else found
