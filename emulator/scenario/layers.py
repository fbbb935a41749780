"""Layers of a scenario laid over one another, with the origin of every value that remains."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

from emulator.scenario.checks import KeyPath
from emulator.scenario.delays import Confidence

__all__ = ["Layers", "Origin", "Table", "leaves", "sections"]

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value was written, and where the writer has it from.

    ``where`` is a line of a file (``demo.toml:12``), a preset (``link/nvqlink``), the text of a
    ``--set``, an argument of a call, or ``built-in``. ``confidence`` is None where nothing is
    claimed.
    """

    kind: Literal["default", "preset", "file", "command line", "argument"]
    where: str
    source: str | None = None
    confidence: Confidence | None = None


def sections(name: str) -> tuple[KeyPath, ...]:
    """Tables that a preset kind or a name such as ``link`` stands for."""
    return (("link", "up"), ("link", "down")) if name == "link" else ((name,),)


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Every value in a tree of tables that is not a table, with its path; a list is one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    else:
        yield path, value


def _is_delay(path: KeyPath) -> bool:
    """Whether a table is inside a section: there, every table is a delay or part of one."""
    return len(path) > (2 if path[0] == "link" else 1)


def _replaces(path: KeyPath, lower: Table, upper: Table) -> bool:
    """Whether a table stands for something else than the one below it, so that none of it stays."""
    if _is_delay(path):
        return path[-1] == "points" or ("kind" in upper and upper["kind"] != lower.get("kind"))
    if path == ("code",):
        return "source" in upper and upper["source"] != lower.get("source")
    return path == ("window",) and upper.get("kind") == "whole" != lower.get("kind")


class Layers:
    """Tables merged so far; a later ``lay`` wins, key by key.

    A delay of another kind, another source of code and a whole window replace the table below
    them: the keys of what was there before mean nothing for them.
    """

    def __init__(self) -> None:
        self.tables: Table = {}
        self.origins: dict[KeyPath, Origin] = {}

    def lay(self, tables: Table, origin_of: Callable[[KeyPath], Origin]) -> None:
        """Put ``tables`` on top; ``origin_of`` gives the origin of a leaf by its path."""
        self._merge(self.tables, tables, (), origin_of)

    def _merge(
        self, lower: Table, upper: Table, path: KeyPath, origin_of: Callable[[KeyPath], Origin]
    ) -> None:
        for key, value in upper.items():
            here, below = (*path, key), lower.get(key)
            if not isinstance(value, dict):
                self._forget(here)
                lower[key] = deepcopy(value)
                self.origins[here] = origin_of(here)
                continue
            if not isinstance(below, dict) or _replaces(here, below, value):
                self._forget(here)
                below = lower[key] = {}
            if _is_delay(here):
                self._disown(below, here)
                self._merge(below, value, here, _vouched(value, origin_of))
            else:
                self._merge(below, value, here, origin_of)

    def _disown(self, delay: Table, path: KeyPath) -> None:
        """Drop a delay's own source: it does not vouch for a value that is about to change."""
        for key in ("source", "confidence"):
            delay.pop(key, None)
            self._forget((*path, key))

    def _forget(self, path: KeyPath) -> None:
        for known in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[known]


def _vouched(delay: Table, origin_of: Callable[[KeyPath], Origin]) -> Callable[[KeyPath], Origin]:
    """Let a delay that names its own source and confidence pass them on to its values."""
    own = {key: delay[key] for key in ("source", "confidence") if key in delay}
    return (lambda path: replace(origin_of(path), **own)) if own else origin_of
