"""Choices read from a string of random bytes, where zeros stand for the plainest choice of all.

Hypothesis draws the bytes. Drawing each choice from Hypothesis itself would make it vary every
scenario five times before it tries another one.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["Choices"]


class Choices:
    """Reads ``source`` from its beginning; past its end all bytes are zero."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._at = 0

    def below(self, count: int) -> int:
        """A number of 0 to ``count`` - 1, at most 2^16 of them."""
        taken = self._source[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(taken, "big") % count

    def pick(self, *values: Any) -> Any:
        """One of ``values``; the first is the plainest."""
        return values[self.below(len(values))]

    def between(self, least: int, most: int) -> int:
        """A whole number of ``least`` to ``most``, both included."""
        return least + self.below(most - least + 1)

    def rarely(self, one_in: int) -> bool:
        """True once in ``one_in`` times."""
        return self.below(one_in) == one_in - 1

    def maybe(self, table: dict[str, Any], key: str, value: Callable[[], object]) -> None:
        """Set a key in two scenarios of five, and leave the others to its default."""
        if self.below(5) >= 3:
            table[key] = value()
