from itertools import pairwise
from math import log
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from models.cards import CardError, Quoted, Row, evaluations
from models.plot import main, plot
from tests.models.test_cards import CARD

SVG = "{http://www.w3.org/2000/svg}"
ROWS = (
    Row("PyMatching", 400, 1.0, 2.0),
    Row("correlated PyMatching", 200, 2.0, 6.0),
    Row("nano_d3_T4_X, PyMatching", 300, 1.333, 40.0),
    Row("nano_d3_T4_X_int8, PyMatching", 0, None, 20.0),
)
QUOTED = Quoted(("nano_d3_T4_X.onnx",), "d=3 T=4 X XV", 0.01, 10_000, {}, ROWS)


def markers(svg: str) -> dict[str, tuple[float, float]]:
    """Centre of the marker of each decoder, by its title."""
    found = {}
    for shape in ET.fromstring(svg).iter():
        title = shape.find(f"{SVG}title")
        if title is None:
            continue
        if shape.tag == f"{SVG}circle":
            x, y = float(shape.attrib["cx"]), float(shape.attrib["cy"])
        elif shape.tag == f"{SVG}polygon":
            corners = [tuple(map(float, it.split(","))) for it in shape.attrib["points"].split()]
            x = (min(c[0] for c in corners) + max(c[0] for c in corners)) / 2
            y = sum(c[1] for c in corners) / len(corners)
        else:
            continue  # the title of the figure
        found[str(title.text)] = (x, y)
    return found


def test_slower_is_right_and_more_errors_are_up() -> None:
    found = markers(plot([QUOTED]))
    assert set(found) == {row.decoder for row in ROWS}
    for slower, faster in pairwise(sorted(ROWS, key=lambda row: -row.us_per_round)):
        assert found[slower.decoder][0] > found[faster.decoder][0]
    for worse, better in pairwise(sorted(ROWS, key=lambda row: -row.errors)):
        assert found[worse.decoder][1] < found[better.decoder][1]
    # and as far for a ratio wherever it is
    x = [found[row.decoder][0] for row in ROWS]
    assert (x[1] - x[0]) / (x[2] - x[3]) == pytest.approx(log(6 / 2) / log(40 / 20), abs=0.01)


def test_axes_are_named_with_units() -> None:
    texts = [node.text for node in ET.fromstring(plot([QUOTED])).iter(f"{SVG}text")]
    assert "decoding time per round (µs)" in texts
    assert "logical error rate per shot" in texts
    assert "d=3 T=4 X XV, p = 0.01" in texts


def test_a_marker_lies_within_its_bar() -> None:
    svg = plot([QUOTED])
    lines = [
        {key: float(line.attrib[key]) for key in ("x1", "x2", "y1", "y2")}
        for line in ET.fromstring(svg).iter(f"{SVG}line")
        if line.attrib["stroke-width"] == "1.5"
    ]
    bars = {line["x1"]: line for line in lines}
    assert len(bars) == len(ROWS)
    for x, y in markers(svg).values():
        bar = min(bars.values(), key=lambda line: abs(line["x1"] - x))
        assert bar["x1"] == bar["x2"] == pytest.approx(x, abs=0.1)
        assert bar["y2"] <= y <= bar["y1"]
        assert bar["y2"] < bar["y1"]


def test_panels_without_enough_errors_are_left_out() -> None:
    few = Quoted((), "d=9 T=9 X XV", 0.001, 10_000, {}, (Row("PyMatching", 99, 1.0, 2.0),))
    assert plot([QUOTED, few]) == plot([QUOTED])
    with pytest.raises(CardError, match="no evaluation has 100 errors of PyMatching alone; take"):
        plot([few])


def test_the_documentation_shows_the_card() -> None:
    committed = CARD.parents[1] / "docs" / "models.svg"
    assert committed.read_text(encoding="utf-8") == plot(evaluations(CARD))


def test_command_writes_the_plot_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.svg"
    assert main([str(CARD), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text(encoding="utf-8") == plot(evaluations(CARD))
    out.unlink()
    for asked in (["none.md", "--out", str(out)], [str(CARD), "--out", str(tmp_path / "no" / "o")]):
        assert main(asked) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("plot: ")
        assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
