from typing import Any

from emulator.scenario.checks import KeyPath
from emulator.scenario.layers import Layers, Origin, leaves, sections


def origin(where: str) -> Origin:
    return Origin("file", where)


def laid(*layers: Any) -> Layers:
    merged = Layers()
    for number, tables in enumerate(layers):
        merged.lay(tables, lambda _, number=number: origin(str(number)))  # type: ignore[misc]
    return merged


def where(layers: Layers) -> dict[KeyPath, str]:
    return {path: found.where for path, found in layers.origins.items()}


def test_a_higher_layer_wins_key_by_key() -> None:
    merged = laid({"run": {"shots": 1, "seed": 1}}, {"run": {"seed": 2}})
    assert merged.tables == {"run": {"shots": 1, "seed": 2}}
    assert where(merged) == {("run", "shots"): "0", ("run", "seed"): "1"}


def test_a_delay_of_the_same_or_no_kind_is_merged() -> None:
    low = {"qpu": {"readout": {"kind": "lognormal", "median": "1 us", "sigma": 0.1}}}
    for high in ({"sigma": 0.5}, {"kind": "lognormal", "sigma": 0.5}):
        merged = laid(low, {"qpu": {"readout": high}})
        assert merged.tables["qpu"]["readout"] == {**low["qpu"]["readout"], **high}
        assert where(merged)["qpu", "readout", "median"] == "0"
        assert where(merged)["qpu", "readout", "sigma"] == "1"


def test_a_delay_of_another_kind_replaces_the_lower_one() -> None:
    merged = laid(
        {"link": {"up": {"latency": {"kind": "lognormal", "median": "1 us", "sigma": 0.1}}}},
        {"link": {"up": {"latency": {"kind": "constant", "value": "1 us"}}}},
    )
    assert merged.tables["link"]["up"]["latency"] == {"kind": "constant", "value": "1 us"}
    assert set(where(merged).values()) == {"1"}


def test_a_name_and_a_delay_replace_each_other() -> None:
    delay = {"kind": "constant", "value": "1 us"}
    assert laid({"decoder": {"timing": "measured"}}, {"decoder": {"timing": delay}}).tables == {
        "decoder": {"timing": delay}
    }
    merged = laid({"decoder": {"timing": delay}}, {"decoder": {"timing": "measured"}})
    assert merged.tables == {"decoder": {"timing": "measured"}}
    assert where(merged) == {("decoder", "timing"): "1"}


def test_published_quantiles_are_never_mixed_with_others() -> None:
    merged = laid(
        {"decoder": {"timing": {"kind": "quantiles", "points": {"0.5": "1 us", "0.9": "2 us"}}}},
        {"decoder": {"timing": {"points": {"0.5": "3 us", "0.99": "4 us"}}}},
    )
    assert merged.tables["decoder"]["timing"]["points"] == {"0.5": "3 us", "0.99": "4 us"}


def test_another_source_of_code_and_a_whole_window_replace_what_was_there() -> None:
    merged = laid(
        {
            "code": {"source": "generated", "distance": 3},
            "window": {"kind": "sliding", "commit": 1},
        },
        {"code": {"source": "circuit", "circuit": "a.stim"}, "window": {"kind": "whole"}},
    )
    assert merged.tables == {
        "code": {"source": "circuit", "circuit": "a.stim"},
        "window": {"kind": "whole"},
    }
    sliding = {"window": {"kind": "sliding", "commit": 1}}
    merged = laid(sliding, {"window": {"kind": "parallel"}})
    assert merged.tables == {"window": {"kind": "parallel", "commit": 1}}


def test_a_kind_of_a_section_is_an_ordinary_key() -> None:
    merged = laid({"predecoder": {"kind": "onnx", "model": "a"}}, {"predecoder": {"kind": "none"}})
    assert merged.tables == {"predecoder": {"kind": "none", "model": "a"}}


def test_a_delays_own_source_vouches_for_its_values_but_not_for_changed_ones() -> None:
    low = {"decoder": {"timing": {"kind": "normal", "mean": "1 us", "sd": "1 us", "source": "S"}}}
    merged = laid(low)
    assert merged.origins["decoder", "timing", "mean"].source == "S"
    merged = laid(low, {"decoder": {"timing": {"sd": "2 us"}}})
    assert "source" not in merged.tables["decoder"]["timing"]
    assert merged.origins["decoder", "timing", "mean"].source == "S"
    assert merged.origins["decoder", "timing", "sd"] == origin("1")


def test_layers_do_not_share_their_tables() -> None:
    low = {"decoder": {"timing": {"kind": "mixture", "components": [{"weight": 1}]}}}
    merged = laid(low)
    merged.tables["decoder"]["timing"]["components"][0]["weight"] = 2
    assert low["decoder"]["timing"]["components"] == [{"weight": 1}]


def test_leaves_and_sections() -> None:
    assert dict(leaves({"a": {"b": 1, "c": [2]}, "d": {}})) == {("a", "b"): 1, ("a", "c"): [2]}
    assert sections("qpu") == (("qpu",),)
    assert sections("link") == (("link", "up"), ("link", "down"))
