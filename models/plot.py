"""Logical error against time, as an SVG, from the evaluations that a card quotes.

python -m models.plot models/nano.md --out docs/models.svg
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path
from xml.sax.saxutils import escape

from emulator.results.rates import ErrorCount
from models.cards import CardError, Quoted, Row, evaluations
from models.command import run
from models.files import write_whole

__all__ = ["main", "plot"]

_ROOT = Path(__file__).parents[1]
_ENOUGH = 100
"""Errors of PyMatching alone below which intervals are too wide to be drawn."""

_MARGIN = 1.1
_WIDTH, _HEIGHT, _COLUMNS = 450, 330, 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 34, 52
_LEGEND = 64
_INK, _GRID = "#1f2933", "#e4e8ec"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
# colours by Okabe and Ito, told apart by the colour-blind; shapes tell the same
_KINDS = {"alone": ("#0072b2", "circle"), "nano": ("#d55e00", "square"), "int8": ("#009e73", "up")}


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis with its ``ticks``, ascending, drawn from ``start`` to ``end``."""

    ticks: tuple[float, ...]
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "_Axis":
        low, high = min(values) / _MARGIN, max(values) * _MARGIN
        decades = range(floor(log10(low)), ceil(log10(high)) + 1)
        steps = [float(f"{digit}e{k}") for k in decades for digit in (1, 2, 5)]
        first = max(k for k, step in enumerate(steps) if step <= low)
        last = min(k for k, step in enumerate(steps) if step >= high)
        return cls(tuple(steps[first : last + 1]), start, end)

    def at(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        share = log10(value / low) / log10(high / low)
        return round(self.start + share * (self.end - self.start), 1)


def plot(quoted: Sequence[Quoted]) -> str:
    """Draw a panel for each evaluation in which PyMatching alone errs often enough."""
    shown = [each for each in quoted if each.rows[0].errors >= _ENOUGH]
    if not shown:
        raise CardError(f"no evaluation has {_ENOUGH} errors of PyMatching alone; take more shots.")
    columns = min(_COLUMNS, len(shown))
    width, height = columns * _WIDTH, ceil(len(shown) / columns) * _HEIGHT + _LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f'<g font-family="{_FONT}" font-size="13" fill="{_INK}">',
        "<title>Logical error rate against decoding time</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for k, each in enumerate(shown):
        place = k % columns * _WIDTH, k // columns * _HEIGHT
        parts += [f'<g transform="translate{place}">', *_panel(each), "</g>"]
    parts += [*_legend(height - _LEGEND), "</g>", "</svg>"]
    return "\n".join(parts) + "\n"


def _panel(quoted: Quoted) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    spans = [_rates(row, quoted.shots) for row in quoted.rows]
    x = _Axis.around([row.us_per_round for row in quoted.rows], _LEFT, right)
    y = _Axis.around([end for span in spans for end in span], bottom, _TOP)
    yield _text(_LEFT, 22, f"{quoted.layout}, p = {quoted.p}")
    for value in x.ticks:
        yield _line((x.at(value), _TOP), (x.at(value), bottom), _GRID, 1)
        yield _text(x.at(value), bottom + 18, f"{value:g}", "middle")
    for value in y.ticks:
        yield _line((_LEFT, y.at(value)), (right, y.at(value)), _GRID, 1)
        yield _text(_LEFT - 8, y.at(value) + 4, f"{value:g}", "end")
    yield _text((_LEFT + right) / 2, bottom + 40, "decoding time per round (µs)", "middle")
    middle = (_TOP + bottom) / 2
    turned = f' transform="rotate(-90 16 {middle})"'
    yield _text(16, middle, "logical error rate per shot", "middle", turned)
    for row, (low, rate, high) in zip(quoted.rows, spans, strict=True):
        kind, place = _kind(row), x.at(row.us_per_round)
        yield _line((place, y.at(low)), (place, y.at(high)), _KINDS[kind][0], 1.5)
        hollow = "correlated" in row.decoder
        yield _marker(place, y.at(rate), kind, hollow=hollow, title=row.decoder)


def _rates(row: Row, shots: int) -> tuple[float, float, float]:
    """Lower end, rate, upper end of the exact 95 % interval; half an error stands for none."""
    count = ErrorCount(row.errors, shots)
    low, high = count.interval(0.95) or (0.0, 1.0)
    least = 0.5 / shots
    return max(low, least), max(row.errors / shots, least), high


def _kind(row: Row) -> str:
    if "," not in row.decoder:
        return "alone"
    return "int8" if row.decoder.partition(",")[0].endswith("_int8") else "nano"


def _marker(x: float, y: float, kind: str, *, hollow: bool, title: str = "") -> str:
    color, shape = _KINDS[kind]
    paint = f'fill="{"#ffffff" if hollow else color}" stroke="{color}" stroke-width="2"'
    said = f"<title>{escape(title)}</title>" if title else ""
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="5" {paint}>{said}</circle>'
    corners = {"square": ((-5, -5), (5, -5), (5, 5), (-5, 5)), "up": ((0, -8), (6, 4), (-6, 4))}
    points = " ".join(f"{x + dx:g},{y + dy:g}" for dx, dy in corners[shape])
    return f'<polygon points="{points}" {paint}>{said}</polygon>'


def _legend(top: float) -> Iterator[str]:
    labels = {"alone": "matching alone", "nano": "behind nano", "int8": "behind nano, INT8"}
    for k, (kind, label) in enumerate(labels.items()):
        yield _marker(_LEFT + 8 + k * 150, top + 14, kind, hollow=False)
        yield _text(_LEFT + 20 + k * 150, top + 18, label)
    yield _text(_LEFT, top + 42, "filled: PyMatching; hollow: correlated PyMatching; bars: 95 %")


def _line(start: tuple[float, float], end: tuple[float, float], color: str, width: float) -> str:
    (x1, y1), (x2, y2) = start, end
    place = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line {place} stroke="{color}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake in what was asked."""
    parser = argparse.ArgumentParser(prog="python -m models.plot", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("card", type=Path, nargs="?", default=_ROOT / "models" / "nano.md")
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "models.svg")
    asked = parser.parse_args(arguments)
    return run("plot", lambda: _write(asked.card, asked.out))


def _write(card: Path, out: Path) -> None:
    write_whole(out, plot(evaluations(card)).encode())
    print(out)


if __name__ == "__main__":
    sys.exit(main())
