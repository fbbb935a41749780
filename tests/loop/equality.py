"""Both engines side by side: what one of them leaves behind is what the other does."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from emulator.loop.compiled import run_compiled
from emulator.loop.config import LoopConfig
from emulator.loop.engine import run_loop
from emulator.loop.engines import Engine, run_engine
from emulator.loop.records import Record

__all__ = ["assert_engines_agree", "assert_same_records", "run_both"]


def assert_engines_agree(config: LoopConfig, *, keep_windows: bool = True) -> Record | None:
    """Run a loop on both engines; return the compiled one's record, or None if both fail alike."""
    expected, found = (
        _outcome(partial(run, config, keep_windows=keep_windows))
        for run in (run_loop, run_compiled)
    )
    if isinstance(expected, Exception) or isinstance(found, Exception):
        assert (type(found), str(found)) == (type(expected), str(expected))
        return None
    assert_same_records(expected, found)
    return found


def _outcome(run: Callable[[], Record]) -> Record | Exception:
    try:
        return run()
    except Exception as error:  # whatever it is, the other must raise it too
        return error


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
    assert_engines_agree(config, keep_windows=keep_windows)
    return run_engine(config, engine, keep_windows=keep_windows, progress=progress)
