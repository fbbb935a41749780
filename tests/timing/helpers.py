"""A service from a table of a scenario, and its first draws."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from emulator.scenario.delays import Delay
from emulator.timing import Service, Stream, TimingContext, build

READ: TypeAdapter[Any] = TypeAdapter(Delay)


def service(table: dict[str, Any], seed: int = 1, **context: Any) -> Service:
    context.setdefault("base_dir", Path())
    context["window_rounds"] = frozenset(context.get("window_rounds", ()))
    stream = Stream(seed, 3)
    return build(READ.validate_python(table), context=TimingContext(**context), stream=stream)


def draws(made: Service, count: int = 100_000, busy: int = 1) -> NDArray[np.int64]:
    read = made.reader()
    return np.array([read(index, busy) for index in range(count)], dtype=np.int64)


def lognormal(median: str, sigma: float, shift: str = "0 ps") -> dict[str, Any]:
    return {"kind": "lognormal", "median": median, "sigma": sigma, "shift": shift}


def constant(value: str) -> dict[str, Any]:
    return {"kind": "constant", "value": value}
