"""A scenario that fails, without what has nothing to do with its failure."""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from tests.fuzz.delays import Table
from tests.fuzz.scenarios import Case

__all__ = ["kind_of", "smaller"]

MAX_RUNS = 200


def kind_of(problems: Sequence[str]) -> str:
    """What the first problem is about, whatever its numbers."""
    last_line = problems[0].strip().splitlines()[-1]
    return re.sub(r"[-\d.]+(e[-+]?\d+)?", "N", last_line)[:40]


def smaller(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Leave out tables and keys of a failing case, one at a time, as long as it still ``fails``."""
    runs = 0
    candidate: Case | None = case
    while candidate is not None and runs < MAX_RUNS:
        case, candidate = candidate, None
        for simpler in _simpler(case):
            runs += 1
            if fails(simpler):
                candidate = simpler
                break
            if runs == MAX_RUNS:
                break
    return case


def _simpler(case: Case) -> Iterator[Case]:
    if case.report or case.again:
        yield replace(case, report=False, again=False)
    for number in range(len(case.overrides)):
        kept = case.overrides[:number] + case.overrides[number + 1 :]
        yield replace(case, overrides=kept)
    for path in sorted(_paths(case.tables), key=len):  # whole tables first
        tables = deepcopy(case.tables)
        inner = tables
        for part in path[:-1]:
            inner = inner[part]
        del inner[path[-1]]
        yield replace(case, tables=tables)


def _paths(tables: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tables.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _paths(value, (*path, key))
