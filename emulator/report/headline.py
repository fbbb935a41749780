"""The verdict in words: its one line, what would decide it, and the findings behind it."""

from dataclasses import dataclass

from emulator.results.result import Finding, Outcome, Verdict

__all__ = ["WORDS", "Headline", "headline"]

WORDS: dict[Outcome, str] = {
    "met": "Budget met",
    "missed": "Budget missed",
    "undecided": "Undecided",
}
"""What stands above everything else, by ``verdict.outcome``."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The word, the one line without that word, what would decide, the findings not in the line.

    ``caveats`` say what the answers do not stand for, and come before the line.
    """

    word: str
    caveats: tuple[str, ...]
    text: str
    decide: str | None
    findings: tuple[Finding, ...]


def headline(verdict: Verdict) -> Headline:
    """Return what stands first in a report."""
    word, text = WORDS[verdict.outcome], verdict.text
    findings = tuple(finding for finding in verdict.findings if finding.text not in text)
    if text.lower().startswith(f"{word.lower()}: "):
        text = text[len(word) + 2 :]
    caveats = tuple(f"{caveat[0].upper()}{caveat[1:]}" for caveat in verdict.caveats)
    return Headline(word, caveats, text, verdict.decide, findings)
