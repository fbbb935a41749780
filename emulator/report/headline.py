"""The verdict in words: its one line, and the reasons which that line leaves out."""

from collections.abc import Mapping
from typing import Any

__all__ = ["WORDS", "headline"]

WORDS = {True: "Budget met", False: "Budget missed", None: "Undecided"}
"""What stands above everything else, by ``verdict.meets_budget``."""


def headline(verdict: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Return the word, the one line without that word, and the reasons not in the line."""
    word, text = WORDS[verdict.get("meets_budget")], verdict.get("text") or ""
    reasons = tuple(reason for reason in verdict.get("reasons") or () if reason not in text)
    if text.lower().startswith(f"{word.lower()}: "):
        text = text[len(word) + 2 :]
    return word, text, reasons
