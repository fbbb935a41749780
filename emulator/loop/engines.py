"""Which engine runs a loop: the compiled one where it can, or SimPy, which is the reference."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from emulator.errors import RoundtripError
from emulator.loop.compiled import run_compiled
from emulator.loop.config import LoopConfig
from emulator.loop.encoding import EngineRefusalError
from emulator.loop.engine import run_loop
from emulator.loop.native import engine_library
from emulator.loop.records import Record

__all__ = ["Engine", "run_engine"]

Engine = Literal["auto", "simpy", "compiled"]
"""``auto`` is the compiled engine where it can run the loop, else SimPy."""


def run_engine(
    config: LoopConfig,
    engine: Engine = "auto",
    *,
    keep_windows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Record:
    """Run a loop, as `emulator.loop.engine.run_loop` describes it, on one of the engines.

    The record is the same on both but for its ``engine``; with ``auto`` its ``engine_note`` says
    why SimPy took the compiled engine's place. Where that one was asked for by name, raises
    EngineRefusalError for a loop that it cannot express, MissingToolError without a compiler, and
    RoundtripError where it does not compile or cannot be kept.
    """
    if engine == "simpy":
        return run_loop(config, keep_windows=keep_windows, progress=progress)
    try:
        engine_library()
    except RoundtripError as error:
        reason = error
    else:
        try:
            return run_compiled(config, keep_windows=keep_windows, progress=progress)
        except EngineRefusalError as error:
            reason = error
    if engine == "compiled":
        raise reason
    record = run_loop(config, keep_windows=keep_windows, progress=progress)
    return replace(record, engine_note=str(reason))
