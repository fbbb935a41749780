"""Scenarios in which one stage gets a given share of the work that it can do, and no other much.

Each shot is one window of five rounds of 1 us (but in a chain, of one round), and each window one
message, so that a stage that takes ``load`` times 5 us a window gets ``load`` times what it can do.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from emulator.units import format_time

__all__ = ["KINDS", "LineBits", "Table", "base", "with_load"]

Table = dict[str, Any]
LineBits = tuple[int, int]
"""Bits on the line of a message up and of an answer down."""

SHOT_PS = 5_000_000
SHORT = "100 ns"

BASE: Table = {
    "qpu": {"round_period": "1 us"},
    "code": {"task": "repetition_code:memory", "distance": 3, "rounds": 5},
    "noise": {"model": "depolarizing", "p": 0.003},
    "fpga": {"clock": "1 GHz", "min_spacing_cycles": 1},
    "link": {"up": {"framing": "udp"}, "down": {"framing": "udp"}},
    "host": {"ring_slots": 1000, "on_full": "wait", "release": "dispatch"},
    "decoder": {"algorithm": "none"},
    # losses allowed, so that it is the throughput that has to tell
    "budget": {"lost_rounds": 10**9},
    "run": {"seed": 3},
}


def constant(ps: float) -> Table:
    """A delay that is always the same."""
    return {"kind": "constant", "value": format_time(round(ps))}


def base(count: int) -> Table:
    """A scenario of ``count`` windows with hardly any load."""
    tables = deepcopy(BASE)
    tables["decoder"]["timing"] = {"kind": "constant", "value": SHORT}
    tables["run"]["shots"] = count
    return tables


def with_load(kind: str, load: float, count: int, bits: LineBits) -> Table:
    """A scenario of ``count`` windows with ``load`` times the work that a stage can do."""
    tables = base(count)
    KINDS[kind](tables, load, count, bits)
    return tables


def _decoder(tables: Table, load: float, *_: Any) -> None:
    tables["decoder"]["timing"] = constant(load * SHOT_PS)


def _workers(tables: Table, load: float, *_: Any) -> None:
    tables["decoder"] |= {"timing": constant(4 * load * SHOT_PS), "workers": 4}


def _patches(tables: Table, load: float, count: int, *_: Any) -> None:
    tables["qpu"] |= {"patches": 2, "patch_offset": "2.5 us"}
    tables["run"]["shots"] = max(1, count // 2)
    tables["decoder"]["timing"] = constant(load * SHOT_PS / 2)


def _random_decoder(tables: Table, load: float, *_: Any) -> None:
    sigma = 0.5
    median = load * SHOT_PS / math.exp(sigma**2 / 2)
    timing = {"kind": "lognormal", "median": f"{round(median)} ps", "sigma": sigma}
    tables["decoder"]["timing"] = timing


def _chain(tables: Table, load: float, count: int, *_: Any) -> None:
    """Windows of one long shot, each of which waits for the one before it, on many workers."""
    tables["code"]["rounds"] = count
    tables["window"] = {"kind": "sliding", "commit": 1, "buffer": 0}
    tables["decoder"] |= {"timing": constant(load * SHOT_PS / 5), "workers": 64}
    tables["run"]["shots"] = 1


def _uplink(tables: Table, load: float, count: int, bits: LineBits) -> None:  # noqa: ARG001
    tables["link"]["up"]["rate"] = f"{round(bits[0] * 10**12 / (load * SHOT_PS))} bit/s"


def _downlink(tables: Table, load: float, count: int, bits: LineBits) -> None:  # noqa: ARG001
    tables["link"]["down"]["rate"] = f"{round(bits[1] * 10**12 / (load * SHOT_PS))} bit/s"


def _spacing(tables: Table, load: float, *_: Any) -> None:
    tables["fpga"]["min_spacing_cycles"] = round(load * SHOT_PS / 1000)


def _clock(tables: Table, load: float, *_: Any) -> None:
    tables["fpga"] |= {"clock": f"{round(10**8 / load)} Hz", "min_spacing_cycles": 500}


def _intake(tables: Table, load: float, *_: Any) -> None:
    # a beat a round, so a cycle may last as long as a round does
    tables["fpga"] = {"clock": f"{round(10**6 / load)} Hz", "intake": "rounds"}


def _predecoder(tables: Table, load: float, *_: Any) -> None:
    tables["predecoder"] = {"kind": "delay", "timing": constant(load * SHOT_PS)}


def _batches(tables: Table, load: float, *_: Any) -> None:
    _predecoder(tables, 2 * load)
    tables["predecoder"] |= {"batch": 2, "batch_timeout": format_time(4 * SHOT_PS)}


def _dispatcher(tables: Table, load: float, *_: Any) -> None:
    tables["host"]["dispatch"] = constant(load * SHOT_PS)


def _ring(
    stage: Callable[..., None], on_full: str, release: str, slots: int = 4
) -> Callable[..., None]:
    def change(tables: Table, load: float, *_: Any) -> None:
        stage(tables, load)
        tables["host"] |= {"ring_slots": slots, "on_full": on_full, "release": release}

    return change


KINDS: dict[str, Callable[..., None]] = {
    "decoder": _decoder,
    "decoder with four workers": _workers,
    "decoder of two patches": _patches,
    "decoder of random times": _random_decoder,
    "chain of windows": _chain,
    "uplink": _uplink,
    "downlink": _downlink,
    "packetiser spacing": _spacing,
    "packetiser clock": _clock,
    "packetiser intake": _intake,
    "pre-decoder": _predecoder,
    "pre-decoder in batches": _batches,
    "dispatcher": _dispatcher,
    "decoder behind a ring that waits": _ring(_decoder, "wait", "response"),
    "decoder behind a ring that drops": _ring(_decoder, "drop", "response"),
    "pre-decoder behind a ring that waits": _ring(_predecoder, "wait", "response"),
    "dispatcher behind a ring that waits": _ring(_dispatcher, "wait", "dispatch"),
    "dispatcher behind a ring that drops": _ring(_dispatcher, "drop", "dispatch"),
    "dispatcher behind one slot that waits": _ring(_dispatcher, "wait", "response", slots=1),
}
"""What gets the load; the name is what the test says."""
