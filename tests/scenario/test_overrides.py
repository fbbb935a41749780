import pytest

from emulator.errors import ScenarioError
from emulator.scenario.overrides import parse_overrides


def test_values_are_toml_or_else_text() -> None:
    tables, _ = parse_overrides(
        [
            "run.shots=10",
            'run.title="a = b"',
            "link.up.rate = 100 Gbit/s",
            "run.drain=false",
            "decoder.timing={ kind = 'constant', value = '3 us' }",
        ]
    )
    assert tables == {
        "run": {"shots": 10, "title": "a = b", "drain": False},
        "link": {"up": {"rate": "100 Gbit/s"}},
        "decoder": {"timing": {"kind": "constant", "value": "3 us"}},
    }


def test_a_key_of_link_sets_both_directions() -> None:
    tables, texts = parse_overrides(["link.mtu=1024 B", "link.latency.value=1 us"])
    one_way = {"mtu": "1024 B", "latency": {"value": "1 us"}}
    assert tables == {"link": {"up": one_way, "down": one_way}}
    assert texts["link", "down", "mtu"] == "link.mtu=1024 B"


def test_the_last_one_counts_and_a_table_takes_the_place_of_a_name() -> None:
    tables, _ = parse_overrides(["run.seed=1", "run.seed=2", "decoder.timing=measured"])
    assert tables == {"run": {"seed": 2}, "decoder": {"timing": "measured"}}
    tables, _ = parse_overrides(["decoder.timing=measured", "decoder.timing.value=1 us"])
    assert tables == {"decoder": {"timing": {"value": "1 us"}}}


def test_quoted_keys_and_text_that_only_looks_like_more_keys() -> None:
    tables, _ = parse_overrides(['decoder.timing.points."0.5"=1 us', "run.title=a\nb = 2"])
    assert tables == {
        "decoder": {"timing": {"points": {"0.5": "1 us"}}},
        "run": {"title": "a\nb = 2"},
    }


def test_every_text_without_key_or_value_is_listed() -> None:
    with pytest.raises(ScenarioError) as error:
        parse_overrides(["run.shots", "=3", "run.seed=1", "a b=3"])
    assert str(error.value).splitlines() == [
        f"--set {text}: is no key=value; write e.g. --set run.shots=100"
        for text in ("run.shots", "=3", "a b=3")
    ]
