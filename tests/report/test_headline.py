import pytest

from emulator.report.headline import headline


@pytest.mark.parametrize(
    ("meets", "word"), [(True, "Budget met"), (False, "Budget missed"), (None, "Undecided")]
)
def test_the_line_does_not_repeat_the_word(meets: bool | None, word: str) -> None:
    verdict = {"meets_budget": meets, "text": f"{word.lower()}: stage decode saturates"}
    assert headline(verdict) == (word, "stage decode saturates", ())


def test_reasons_of_the_line_are_not_listed_again() -> None:
    verdict = {"meets_budget": False, "text": "budget missed: a; b", "reasons": ["a", "b", "c d"]}
    assert headline(verdict) == ("Budget missed", "a; b", ("c d",))


def test_a_verdict_without_text_is_undecided() -> None:
    assert headline({}) == ("Undecided", "", ())
