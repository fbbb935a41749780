from pathlib import Path

import pytest

from models import cards
from models.cards import CardError, Quoted, Row, evaluations
from models.contract import layout_of, opened
from models.evaluate import evaluate

MODELS = Path(cards.__file__).parent
CARD = MODELS / "nano.md"
QUOTED = evaluations(CARD)
FEW = {5: 4000, 9: 2000, 13: 1000}
"""Shots of an evaluation that is repeated, by distance."""

TEXT = """# Some card

    python -m models.evaluate models/some_d3_T4_X.onnx --p 0.01

d=3 T=4 X XV, p = 0.01, 100 shots: density 0.10000
some_d3_T4_X: density 0.05000, 2.000x sparser (1.900 to 2.100)

| decoder | errors | alone / this | 95 % interval | McNemar p | a | b | c | d | in all | with x |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| PyMatching | 4 | 1 | - | - | 2.0 | 1.0 | 1.00 | - | 2.0 | - |
| some_d3_T4_X, PyMatching | 0 | - | - | 0.1 | 1.0 | 0.5 | 2.00 | 3.0 | 4.0 | 2.5 |

Some processor
"""


def options(quoted: Quoted) -> dict[str, str]:
    """Options of the command by their name, with what is given to them."""
    given = quoted.arguments
    return {
        given[k].removeprefix("--"): given[k + 1]
        for k in range(len(given))
        if given[k].startswith("--")
    }


def files(quoted: Quoted) -> list[Path]:
    return [MODELS.parent / name for name in quoted.arguments if name.endswith(".onnx")]


def test_an_evaluation_is_read_as_it_was_printed(tmp_path: Path) -> None:
    card = tmp_path / "some.md"
    card.write_text(TEXT + "\n" + TEXT.replace("100 shots", "200 shots"), encoding="utf-8")
    first, second = evaluations(card)
    assert first == Quoted(
        ("models/some_d3_T4_X.onnx", "--p", "0.01"),
        "d=3 T=4 X XV",
        0.01,
        100,
        {"some_d3_T4_X": 2.0},
        (Row("PyMatching", 4, 1.0, 2.0), Row("some_d3_T4_X, PyMatching", 0, None, 4.0)),
    )
    assert second.shots == 200


def test_a_card_without_evaluations_is_refused(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    with pytest.raises(CardError, match=r"card\.md: cannot be read .*; give a card like"):
        evaluations(card)
    card.write_text("no evaluation", encoding="utf-8")
    with pytest.raises(CardError, match=r"card\.md: quotes no evaluation; put python -m "):
        evaluations(card)


def test_every_shipped_file_is_evaluated_in_the_card() -> None:
    evaluated = {path.name for quoted in QUOTED for path in files(quoted)}
    assert evaluated == {path.name for path in MODELS.glob("nano_*.onnx")}
    text = CARD.read_text(encoding="utf-8")
    for name in evaluated:
        assert f"| `{name}` |" in text, name


def test_the_card_says_what_its_commands_ask_for() -> None:
    for quoted in QUOTED:
        asked = options(quoted)
        assert quoted.p == float(asked.get("p", 0.003))
        assert quoted.shots == int(asked.get("shots", 10_000))
        layouts = {layout_of(path) for path in files(quoted)}
        assert {f"d={it.distance} T={it.rounds} {it.basis} XV" for it in layouts} == {quoted.layout}
        assert list(quoted.sparser) == [path.stem for path in files(quoted)]


@pytest.mark.slow
@pytest.mark.parametrize("quoted", QUOTED, ids=lambda it: f"{it.layout}, {it.p}".replace(" ", "_"))
def test_the_card_is_met_again_on_other_shots(quoted: Quoted) -> None:
    predecoders = [opened(path, layout_of(path)) for path in files(quoted)]
    few = FEW[predecoders[0].layout.distance]
    found = evaluate(predecoders, p=quoted.p, shots=few, seed=2, timed=1)
    # intervals of 99.9 %, as dozens of them have to hold
    for each in found.thinned:
        interval = found.sparser(each, 0.999)
        assert interval is not None
        assert interval[1] <= quoted.sparser[each.name] <= interval[2]
    for arm, row in zip(found.arms, quoted.rows, strict=True):
        assert arm.name == row.decoder
        bounds = found.errors(arm).ratio_interval(0.999)
        if bounds is not None and row.ratio is not None:
            assert bounds[0] <= row.ratio <= (bounds[1] or float("inf")), arm.name
