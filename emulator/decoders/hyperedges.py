"""Which decoders take errors with three or more detectors, and what becomes of those where not."""

import importlib.util
from fractions import Fraction

import sinter

from emulator.decoders.plugins import PluginDecoder, contained
from emulator.errors import PluginError, ScenarioError
from emulator.syndromes.decodable import UnusedErrors

__all__ = [
    "HYPEREDGE_DECODERS",
    "accepts_hyperedges",
    "check_unused",
    "decoder_name",
]

HYPEREDGE_DECODERS = {
    "mw_parity_factor": ("mwpf", "mwpf", ""),
    "hypergraph_union_find": ("mwpf", "mwpf", ""),
    "chromobius": ("chromobius", '"roundtrip-emulator[decoders]"', "for colour codes"),
}
"""Decoders by name that take hyperedges: their package, what installs it, what they are for."""

# Modules of packages (and of sinter) whose sinter decoders take whole errors.
_MODULES = (
    "chromobius",
    "ldpc",
    "mwpf",
    "relay_bp",
    "sinter._decoding._decoding_mwpf",
    "sinter._decoding._decoding_vacuous",
    "stimbposd",
    "tesseract_decoder",
)


def accepts_hyperedges(decoder: sinter.Decoder) -> bool:
    """Tell whether a decoder is given errors whole, or decomposed into pairs of detectors.

    A decoder of the user's own says so by a bool attribute ``accepts_hyperedges``. One that does
    not is known by its package, or taken for a graph decoder. Raises PluginError for an attribute
    that is no bool.
    """
    declared: object = None
    if isinstance(decoder, PluginDecoder):
        name, decoder = decoder.name, decoder.decoder
        with contained(name, "when it was asked for accepts_hyperedges"):
            declared = getattr(decoder, "accepts_hyperedges", None)
        if not isinstance(declared, bool | None):
            raise PluginError(
                f'the decoder "{name}" has accepts_hyperedges = {declared!r}; write True or False'
            )
    if declared is not None:
        return bool(declared)
    homes = [kind.__module__ for kind in type(decoder).__mro__]
    return any(f"{home}.".startswith(f"{module}.") for home in homes for module in _MODULES)


def check_unused(unused: UnusedErrors | None, decoder: sinter.Decoder, allowed: float) -> None:
    """Raise ScenarioError where a decoder leaves out more than ``allowed`` of the probability."""
    if unused is None or unused.share <= Fraction(repr(allowed)):
        return
    own = isinstance(decoder, PluginDecoder)
    declare = "set accepts_hyperedges = True on it if it can, " if own else ""
    raise ScenarioError(
        f"{decoder_name(decoder)} cannot use {unused}; {declare}choose "
        f"{_choices()}, give a model that Stim has decomposed (decompose_errors=True) if the code "
        f"allows it, or accept the loss with decoder.allow_dropped = {_rounded_up(unused.share)}"
    )


def decoder_name(decoder: sinter.Decoder) -> str:
    """Name by which a scenario asks for a decoder, or that of its class."""
    if isinstance(decoder, PluginDecoder):
        return f'"{decoder.name}"'
    for name, other in sinter.BUILT_IN_DECODERS.items():
        if decoder is other:
            return str(name)
    return str(getattr(decoder, "name", type(decoder).__name__))


def _choices() -> str:
    """Decoders that can, each with what it needs where that is not installed."""
    found = []
    for name, (package, install, purpose) in HYPEREDGE_DECODERS.items():
        missing = importlib.util.find_spec(package) is None
        notes = [purpose, f"pip install {install}" if missing else ""]
        note = ", ".join(filter(None, notes))
        found.append(f"{name} ({note})" if note else name)
    return " or ".join(found)


def _rounded_up(share: Fraction) -> str:
    """The share with two digits, not less than it is, as a number of TOML."""
    digits = 2
    while float(share) * 10**digits < 10 and digits < 12:
        digits += 1
    return f"{-(-share * 10**digits // 1) / 10**digits:.{digits}f}"
