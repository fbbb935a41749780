import importlib.util
import sys
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
import sinter
import stim

from emulator.decoders.hyperedges import HYPEREDGE_DECODERS, accepts_hyperedges, check_unused
from emulator.decoders.matchers import decoder_names, resolve_decoder
from emulator.decoders.windowed import WindowedDecoder
from emulator.errors import PluginError, ScenarioError
from emulator.syndromes.decodable import UnusedErrors
from emulator.windows import Window, sliding_windows, whole_window

DEM = stim.DetectorErrorModel("""
    error(0.01) D0 D1 D2 L0
    error(0.33) D0
    error(0.33) D1
    error(0.33) D2
""")
ROUNDS = np.array([0, 1, 2], dtype=np.int32)
GRAPH_DECODERS = ("pymatching", "pymatching_correlated", "pymatching-correlated", "fusion_blossom")


class Seeing(sinter.Decoder):  # type: ignore[misc]
    """Keeps the models that it is given."""

    def __init__(self) -> None:
        self.seen: list[stim.DetectorErrorModel] = []

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        self.seen.append(dem)
        return sinter.BUILT_IN_DECODERS["vacuous"].compile_decoder_for_dem(dem=dem)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Seeing:
    decoder = Seeing()
    module = ModuleType("seeing_for_tests")
    module.__dict__["decoders"] = lambda: {"seeing": decoder}
    monkeypatch.setitem(sys.modules, "seeing_for_tests", module)
    return decoder


@pytest.mark.parametrize("plan", [whole_window(3), sliding_windows(3, 1, 1)], ids=["whole", "cut"])
@pytest.mark.parametrize("name", GRAPH_DECODERS)
def test_a_graph_decoder_refuses_hyperedges(name: str, plan: tuple[Window, ...]) -> None:
    if name == "fusion_blossom":
        pytest.importorskip(name)
    if "-" in name and name not in sinter.BUILT_IN_DECODERS:
        pytest.skip("this sinter has no decoder of that name")
    with pytest.raises(ScenarioError) as error:
        WindowedDecoder(DEM, ROUNDS, plan, resolve_decoder(name))
    text = str(error.value)
    assert text.startswith(f"{name} cannot use 1 of 4 errors of the model, 1 % of the error prob")
    assert "three or more detectors (hyperedges)" in text
    assert all(choice in text for choice in HYPEREDGE_DECODERS)
    assert text.endswith("decoder.allow_dropped = 0.010")


@pytest.mark.parametrize("plan", [whole_window(3), sliding_windows(3, 1, 1)], ids=["whole", "cut"])
def test_a_share_up_to_the_limit_is_left_out(plan: tuple[Window, ...]) -> None:
    decoder = resolve_decoder("pymatching")
    allowed = WindowedDecoder(DEM, ROUNDS, plan, decoder, allow_dropped=0.01)
    assert allowed.unused == UnusedErrors(1, 4, Fraction(1, 100))
    assert all("D0 D1" not in str(model.dem) for model in allowed.models)
    assert not allowed.decode(np.array([[7]], dtype=np.uint8)).predictions.any()
    with pytest.raises(ScenarioError, match="1 of 4 errors"):
        WindowedDecoder(DEM, ROUNDS, plan, decoder, allow_dropped=0.00999999)


@pytest.mark.parametrize(
    ("share", "number"),
    [
        (Fraction(1, 3), "0.34"),
        (Fraction(1), "1.00"),
        (Fraction(12345, 10**7), "0.0013"),
        (Fraction(1, 10**9), "0.0000000010"),
    ],
)
def test_the_limit_that_is_proposed_is_enough(share: Fraction, number: str) -> None:
    unused = UnusedErrors(1, 2, share)
    decoder = resolve_decoder("pymatching")
    with pytest.raises(ScenarioError, match=f"allow_dropped = {number}$"):
        check_unused(unused, decoder, 0.0)
    check_unused(unused, decoder, float(number))


def test_what_has_to_be_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    unused = UnusedErrors(1, 2, Fraction(1, 2))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    expected = r"mw_parity_factor \(pip install mwpf\) .*chromobius \(for colour codes, pip install"
    with pytest.raises(ScenarioError, match=expected):
        check_unused(unused, resolve_decoder("pymatching"), 0.0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    expected = "choose mw_parity_factor or hypergraph_union_find or chromobius "
    with pytest.raises(ScenarioError, match=expected):
        check_unused(unused, resolve_decoder("pymatching"), 0.0)


def test_every_known_decoder_is_of_one_kind() -> None:
    graph = set()
    for name in decoder_names():
        package, *_ = HYPEREDGE_DECODERS.get(name, ("numpy",))
        if importlib.util.find_spec(package) is None or (
            name == "fusion_blossom" and importlib.util.find_spec(name) is None
        ):
            continue
        if not accepts_hyperedges(resolve_decoder(name)):
            graph.add(name)
    assert graph <= set(GRAPH_DECODERS)
    assert {"pymatching", "pymatching_correlated"} <= graph
    assert set(HYPEREDGE_DECODERS) <= set(decoder_names())


@pytest.mark.parametrize(("declared", "whole"), [(True, True), (False, False), (None, False)])
def test_a_plugin_says_which_model_it_takes(plugin: Seeing, declared: object, whole: bool) -> None:
    if declared is not None:
        plugin.__dict__["accepts_hyperedges"] = declared
    decoder = resolve_decoder("seeing_for_tests:decoders")
    assert accepts_hyperedges(decoder) is whole
    model = stim.DetectorErrorModel("error(0.1) D0 D1 ^ D2 L0\nerror(0.2) D2")
    WindowedDecoder(model, ROUNDS, whole_window(3), decoder)
    assert ("^" in str(plugin.seen[0])) is not whole
    if not whole:
        with pytest.raises(ScenarioError, match=r'^"seeing.*; set accepts_hyperedges = True on it'):
            WindowedDecoder(DEM, ROUNDS, whole_window(3), decoder)


def test_a_declaration_that_is_no_bool(plugin: Seeing) -> None:
    plugin.__dict__["accepts_hyperedges"] = "yes"
    with pytest.raises(PluginError, match="accepts_hyperedges = 'yes'; write True or False"):
        accepts_hyperedges(resolve_decoder("seeing_for_tests:decoders"))


def test_a_plugin_of_a_known_package_needs_no_declaration(plugin: Seeing) -> None:
    sys.modules["seeing_for_tests"].__dict__["decoders"] = lambda: {
        "wrapped": sinter.BUILT_IN_DECODERS["mw_parity_factor"]
    }
    assert accepts_hyperedges(resolve_decoder("seeing_for_tests:decoders"))
    assert not plugin.seen
