"""Decoders by name: PyMatching, sinter's built-in decoders, Chromobius, and the user's own.

Everything is a ``sinter.Decoder``, the plugin interface of the field, so any package that ships
one works without an adapter.
"""

import functools
import importlib
import importlib.util
from collections.abc import Mapping
from types import ModuleType

import numpy as np
import numpy.typing as npt
import sinter
import stim

from emulator.decoders.plugins import PluginDecoder, contained
from emulator.decoders.threads import limit_threads
from emulator.errors import MissingToolError, ScenarioError

__all__ = ["PyMatchingDecoder", "decoder_names", "resolve_decoder"]

# Packages that sinter imports only when it compiles a decoder, and what installs them.
_EXTRA = '"roundtrip-emulator[decoders]"'
_PACKAGES = {
    "chromobius": ("chromobius", _EXTRA),
    "fusion_blossom": ("fusion_blossom", _EXTRA),
    "hypergraph_union_find": ("mwpf", "mwpf"),
    "mw_parity_factor": ("mwpf", "mwpf"),
}


class PyMatchingDecoder(sinter.Decoder):  # type: ignore[misc]
    """Minimum-weight perfect matching; ``correlated`` adds PyMatching's second, reweighted pass.

    Correlated matching needs errors decomposed with ``^`` (arXiv 1310.0863).
    """

    def __init__(self, *, correlated: bool = False) -> None:
        self.correlated = correlated
        self.name = "pymatching_correlated" if correlated else "pymatching"

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        """Build the matching graph of ``dem``."""
        return _CompiledPyMatching(dem, correlated=self.correlated)


class _CompiledPyMatching(sinter.CompiledDecoder):  # type: ignore[misc]
    # One shot at a time, decode_batch on one bit-packed row costs 4.1 µs at d=3 and 7.3 µs at
    # d=5; sinter's own wrapper 4.8 and 7.8 µs; Matching.decode on an unpacked row 5.6 and 9.2 µs,
    # before the unpacking. Beyond 64 observables PyMatching extracts every path edge by edge,
    # 20 to 40 % slower, which is still half the time of decode_to_edges_array.
    def __init__(self, dem: stim.DetectorErrorModel, *, correlated: bool) -> None:
        import pymatching  # noqa: PLC0415  # brings NetworkX, Matplotlib and SciPy: a second

        matching = pymatching.Matching.from_detector_error_model(
            dem, enable_correlations=correlated
        )
        self._decode = functools.partial(
            matching.decode_batch,
            bit_packed_shots=True,
            bit_packed_predictions=True,
            enable_correlations=correlated,
        )

    def decode_shots_bit_packed(
        self, *, bit_packed_detection_event_data: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.uint8]:
        """Predict observables; shapes and bit order are those of ``sinter.CompiledDecoder``."""
        predictions: npt.NDArray[np.uint8] = self._decode(bit_packed_detection_event_data)
        return predictions


_OWN = {
    "pymatching": PyMatchingDecoder(),
    "pymatching_correlated": PyMatchingDecoder(correlated=True),
}


def decoder_names() -> tuple[str, ...]:
    """Names that ``resolve_decoder`` knows, beside ``"module:function"``."""
    return tuple(sorted({*_OWN, *sinter.BUILT_IN_DECODERS, "chromobius"}))


def resolve_decoder(name: str, *, plugins: bool = True) -> sinter.Decoder:
    """Return the decoder called ``name``.

    A name with a colon is ``"module:function"`` as in ``sinter collect
    --custom_decoders_module_function``: the function returns a dictionary of decoders, from which
    ``"module:function:key"`` picks one (not needed when there is only one). That imports the
    module and so runs its code, which ``plugins=False`` refuses.

    Raises ScenarioError for an unknown or refused name and for a decoder that cannot be compiled
    ahead, MissingToolError when the package of a decoder is not installed, PluginError when the
    module or the function fails.
    """
    limit_threads()
    if ":" in name and not plugins:
        raise ScenarioError(
            f'"{name}" would run code of the module {name.partition(":")[0]}, which --no-plugins '
            f"forbids; choose one of {', '.join(decoder_names())}, or leave --no-plugins out"
        )
    if ":" in name:
        return _custom(name)
    if name in _OWN:
        decoder = _OWN[name]
    elif name in decoder_names():
        decoder = _packaged(name)
    else:
        raise ScenarioError(
            f'no decoder is called "{name}"; choose one of {", ".join(decoder_names())}, '
            'or write "module:function"'
        )
    _check_compiles(name, decoder)
    return decoder


def _packaged(name: str) -> sinter.Decoder:
    package, install = _PACKAGES.get(name, (None, None))
    if package is not None and importlib.util.find_spec(package) is None:
        raise MissingToolError(
            f'the decoder "{name}" needs the package {package}; pip install {install}'
        )
    if name == "chromobius":
        return importlib.import_module("chromobius").sinter_decoders()["chromobius"]
    return sinter.BUILT_IN_DECODERS[name]


def _custom(name: str) -> sinter.Decoder:
    module_name, function_name, *keys = name.split(":")
    if len(keys) > 1 or not all((module_name, function_name, *keys)):
        raise ScenarioError(
            f'"{name}" is not a decoder; write "module:function" or "module:function:key"'
        )
    with contained(name, f"when {module_name} was imported"):
        module: ModuleType | ImportError
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            module = error
    if isinstance(module, ImportError):
        raise MissingToolError(
            f'the decoder "{name}" cannot be imported ({module}); install its package or put its '
            "folder on PYTHONPATH"
        ) from module
    if not hasattr(module, function_name):
        raise ScenarioError(f'"{name}": the module {module_name} has no function {function_name}')
    function = getattr(module, function_name)
    if not callable(function):
        raise ScenarioError(
            f'"{name}": {function_name} of the module {module_name} is {type(function).__name__}; '
            "name a function that returns a dictionary of sinter decoders"
        )
    with contained(name, f"when {function_name} was called"):
        decoders = function()
        decoders = dict(decoders) if isinstance(decoders, Mapping) else decoders
    if not isinstance(decoders, dict) or not decoders:
        what = "an empty dictionary" if isinstance(decoders, dict) else type(decoders).__name__
        raise ScenarioError(
            f'"{name}" returned {what}; it must return a dictionary of sinter decoders by name'
        )
    choices = ", ".join(map(str, decoders))
    if not keys and len(decoders) > 1:
        raise ScenarioError(
            f'"{name}" returned several decoders; write "{name}:key" with one of {choices}'
        )
    key = keys[0] if keys else next(iter(decoders))
    if key not in decoders:
        raise ScenarioError(f'"{name}" returned no decoder "{key}"; choose one of {choices}')
    _check_compiles(name, decoders[key])
    return PluginDecoder(name, decoders[key])


def _check_compiles(name: str, decoder: object) -> None:
    method = getattr(type(decoder), "compile_decoder_for_dem", None)
    if method is None:
        raise ScenarioError(
            f'"{name}" gave {type(decoder).__name__}, which is not a sinter.Decoder; return '
            "objects that have compile_decoder_for_dem"
        )
    if method is sinter.Decoder.compile_decoder_for_dem:
        raise ScenarioError(
            f'the decoder "{name}" only decodes through files, so its time per window cannot be '
            "measured; choose one that implements compile_decoder_for_dem"
        )
