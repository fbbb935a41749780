import importlib
import importlib.util
import os
import sys
from types import ModuleType

import numpy as np
import pymatching
import pytest
import sinter
import stim

from emulator.decoders.matchers import decoder_names, resolve_decoder
from emulator.decoders.plugins import PluginDecoder
from emulator.errors import MissingToolError, ScenarioError


class FilesOnly(sinter.Decoder):  # type: ignore[misc]
    pass


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("plugin_for_tests")
    monkeypatch.setitem(sys.modules, "plugin_for_tests", module)
    vacuous = sinter.BUILT_IN_DECODERS["vacuous"]
    module.__dict__.update(
        one=lambda: {"blind": vacuous},
        two=lambda: {"blind": vacuous, "other": sinter.BUILT_IN_DECODERS["pymatching"]},
        files=lambda: {"slow": FilesOnly()},
        stranger=lambda: {"odd": object()},
        bare=lambda: vacuous,
        number=3,
        nothing=None,
        empty=dict,
    )
    return module


@pytest.mark.parametrize("correlated", [False, True])
def test_pymatching_variants_predict_what_pymatching_does(correlated: bool) -> None:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=3, rounds=5, after_clifford_depolarization=0.02
    )
    dem = circuit.detector_error_model(decompose_errors=True)
    shots = circuit.compile_detector_sampler().sample(500, bit_packed=True)
    decoder = resolve_decoder("pymatching_correlated" if correlated else "pymatching")
    predictions = decoder.compile_decoder_for_dem(dem=dem).decode_shots_bit_packed(
        bit_packed_detection_event_data=shots
    )
    matching = pymatching.Matching.from_detector_error_model(dem, enable_correlations=correlated)
    dense = np.unpackbits(shots, axis=1, count=dem.num_detectors, bitorder="little")
    expected = [matching.decode(row, enable_correlations=correlated) for row in dense]
    np.testing.assert_array_equal(predictions, expected)
    assert predictions.any()


def test_every_known_name_resolves_or_names_its_package() -> None:
    assert {"pymatching", "pymatching_correlated", "chromobius", "vacuous"} <= set(decoder_names())
    optional = {
        "chromobius": "chromobius",
        "fusion_blossom": "fusion_blossom",
        "hypergraph_union_find": "mwpf",
        "mw_parity_factor": "mwpf",
    }
    for name in decoder_names():
        if name in optional and importlib.util.find_spec(optional[name]) is None:
            with pytest.raises(MissingToolError, match="pip install"):
                resolve_decoder(name)
        else:
            assert hasattr(resolve_decoder(name), "compile_decoder_for_dem")


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match=r'pip install "roundtrip-emulator\[decoders\]"'):
        resolve_decoder("chromobius")
    assert MissingToolError.exit_code == 3


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(ScenarioError, match=r'"pymatchin".*fusion_blossom.*"module:function"'):
        resolve_decoder("pymatchin")


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plugin_for_tests:one", "vacuous"),
        ("plugin_for_tests:two:other", "pymatching"),
    ],
)
def test_decoders_of_a_module(name: str, expected: str) -> None:
    decoder = resolve_decoder(name)
    assert isinstance(decoder, PluginDecoder)
    assert decoder.name == name
    assert decoder.decoder is sinter.BUILT_IN_DECODERS[expected]


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("plugin_for_tests:", 'write "module:function"'),
        ("a:b:c:d", 'write "module:function"'),
        ("plugin_for_tests:two", '"plugin_for_tests:two:key" with one of blind, other'),
        ("plugin_for_tests:two:third", 'no decoder "third"; choose one of blind, other'),
        ("plugin_for_tests:number", "number of the module plugin_for_tests is int; name a func"),
        ("plugin_for_tests:nothing", "nothing of the module plugin_for_tests is NoneType; "),
        ("plugin_for_tests:empty", "returned an empty dictionary; it must return"),
        ("plugin_for_tests:absent", "no function absent"),
        ("plugin_for_tests:bare", "must return a dictionary"),
        ("plugin_for_tests:files", "only decodes through files"),
        ("plugin_for_tests:stranger", "object, which is not a sinter.Decoder"),
    ],
)
def test_mistakes_in_a_custom_decoder(name: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        resolve_decoder(name)


def test_module_that_cannot_be_imported() -> None:
    with pytest.raises(MissingToolError, match=r"no_such_module.*PYTHONPATH"):
        resolve_decoder("no_such_module:decoders")


def test_plugins_may_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    message = '"plugin_for_tests:one" would run code of the module plugin_for_tests.*--no-plugins'
    with pytest.raises(ScenarioError, match=message):
        resolve_decoder("plugin_for_tests:one", plugins=False)
    assert resolve_decoder("pymatching", plugins=False) is resolve_decoder("pymatching")


def test_decoders_are_asked_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    resolve_decoder("pymatching")
    assert os.environ["OMP_NUM_THREADS"] == "3"  # the user's word
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
