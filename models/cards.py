"""Evaluations as a card quotes them: the commands of ``models.evaluate`` and what they printed."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from emulator.errors import RoundtripError

__all__ = ["CardError", "Quoted", "Row", "evaluations"]


class CardError(RoundtripError):
    """A card without evaluations that can be read."""


@dataclass(frozen=True)
class Row:
    """A line of the table: ``ratio`` is errors of PyMatching alone over those here, None for none.

    ``us_per_round`` is pre-decoder and matcher, shot by shot.
    """

    decoder: str
    errors: int
    ratio: float | None
    us_per_round: float


@dataclass(frozen=True)
class Quoted:
    """One command with its ``arguments``, ``sparser`` (by name of the file) and table."""

    arguments: tuple[str, ...]
    layout: str
    p: float
    shots: int
    sparser: dict[str, float]
    rows: tuple[Row, ...]


def evaluations(card: Path) -> list[Quoted]:
    """Read all evaluations of a card; raises CardError where there are none."""
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(
            f"{card}: cannot be read ({error}); give a card like models/nano.md."
        ) from error
    found = [_quoted(*match.groups()) for match in _EVALUATION.finditer(text)]
    if not found:
        raise CardError(
            f"{card}: quotes no evaluation; put python -m models.evaluate FILE there, indented, "
            "and below it what that printed."
        )
    return found


def _quoted(arguments: str, layout: str, p: str, shots: str, body: str) -> Quoted:
    sparser = {name: float(ratio) for name, ratio in _SPARSER.findall(body)}
    table = [line for line in body.splitlines() if line.startswith("| ")]
    rows = [_row(line) for line in table[2:]]
    return Quoted(tuple(shlex.split(arguments)), layout, float(p), int(shots), sparser, tuple(rows))


def _row(line: str) -> Row:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    ratio = None if cells[2] == "-" else float(cells[2])
    return Row(cells[0], int(cells[1]), ratio, float(cells[9]))


_EVALUATION = re.compile(
    r"^    python -m models\.evaluate (.*)\n\n"
    r"(d=\d+ T=\d+ [XZ] \w\w), p = (\S+), (\d+) shots: (.*\n(?:(?!    |#).*\n)*)",
    re.MULTILINE,
)
_SPARSER = re.compile(r"^(\w+): density \S+, (\S+)x sparser", re.MULTILINE)
