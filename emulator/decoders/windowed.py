"""Decoding shots window by window with any sinter decoder, timed or not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sinter
import stim

from emulator.decoders.hyperedges import (
    accepts_hyperedges,
    check_unused,
    decoder_name,
)
from emulator.decoders.matchers import PyMatchingDecoder
from emulator.decoders.plugins import PluginDecoder, checked_predictions, contained
from emulator.decoders.stopwatch import Timed, time_shots
from emulator.decoders.unexplained import unexplained
from emulator.errors import (
    MissingToolError,
    PluginError,
    RoundtripError,
    ScenarioError,
    SyndromeError,
)
from emulator.syndromes.cut import WindowModel, cut_windows
from emulator.syndromes.decodable import UnusedErrors, decodable_model
from emulator.windows import Window

__all__ = ["Decoded", "WindowedDecoder"]

Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]

# Shots are unpacked to a byte a detector while they pass through the windows; this bounds how many
# do so at once. A single shot of more detectors is unpacked all the same.
_SHOTS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 27


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Predictions of n shots and, when they were timed, what each window cost.

    ``predictions``: uint8, shape (n, ceil(observables / 8)), least significant bit first.
    ``corrections``: uint8, shape (n, windows, ceil(observables / 8)), what each window commits;
    their exclusive or is the prediction. ``window_ps``: int64, shape (n, windows), picoseconds of
    the decoder call; None if not timed. ``disturbed``: bool of the same shape, marks the times
    that other work on the machine made longer.
    """

    predictions: Bits
    corrections: Bits
    window_ps: Times | None
    disturbed: Mask | None = None


class WindowedDecoder:
    """A decoder applied to the windows of a plan, each handing its boundary to those after it."""

    def __init__(
        self,
        dem: stim.DetectorErrorModel,
        detector_round: npt.NDArray[np.int32],
        plan: Sequence[Window],
        decoder: sinter.Decoder,
        *,
        allow_dropped: float = 0.0,
    ) -> None:
        """Cut ``dem`` by ``plan`` (see ``cut_windows``) and compile ``decoder`` for each window.

        ``dem`` is first made decodable (see ``emulator.syndromes.decodable``); the errors that the
        decoder cannot use may have at most the share ``allow_dropped`` of the probability of all.

        Raises SyndromeError when the plan does not fit the model, ScenarioError when the decoder
        cannot use more of the errors than allowed or refuses a window's model, MissingToolError
        when its package is not installed, PluginError when it is the user's own and fails.
        """
        self._hyperedges = accepts_hyperedges(decoder)
        decodable = decodable_model(dem, hyperedges=self._hyperedges)
        self.unused: UnusedErrors | None = decodable.unused
        check_unused(decodable.unused, decoder, allow_dropped)
        self._flips = _mask(decodable.flipped_detectors, dem.num_detectors)
        self._flipped = _mask(decodable.flipped_observables, dem.num_observables)
        self._name = decoder_name(decoder)
        self.models = cut_windows(decodable.dem, detector_round, plan)
        self._detectors = dem.num_detectors
        self._observables = dem.num_observables
        self._plugin = decoder.name if isinstance(decoder, PluginDecoder) else None
        self._compiled = _compiled(decoder, self.models)

    def decode(self, detectors: Bits, *, timed: bool = False) -> Decoded:
        """Predict the observables of each shot.

        ``detectors``: uint8, shape (n, ceil(D / 8)), least significant bit first.

        Windows are decoded in the order of the plan, each for all shots before the next window.
        With ``timed`` every shot is a call of its own, in this thread; its time covers that call
        on packed data. Packing and carrying the boundary over are done for all shots at once and
        are not part of it. Predictions are the same either way.

        Raises SyndromeError when no errors explain a shot, ScenarioError for predictions of
        another shape, PluginError when the decoder is the user's own and fails.
        """
        width = -(-self._detectors // 8)
        if detectors.dtype != np.uint8 or detectors.ndim != 2 or detectors.shape[1] != width:
            raise SyndromeError(
                f"shots are {detectors.dtype} of shape {detectors.shape}; {self._detectors} "
                f"detectors need uint8 of shape (shots, {width}), bit-packed"
            )
        if self._flips.any():
            detectors = detectors ^ self._flips
        shots = len(detectors)
        packed = -(-self._observables // 8)
        corrections = np.zeros((shots, len(self.models), packed), dtype=np.uint8)
        shape = (shots, len(self.models))
        window_ps = np.zeros(shape, dtype=np.int64) if timed else None
        disturbed = np.zeros(shape, dtype=bool) if timed else None
        at_once = max(1, min(_SHOTS_AT_ONCE, _BYTES_AT_ONCE // max(1, self._detectors)))
        for start in range(0, shots, at_once):
            part = slice(start, start + at_once)
            corrections[part], times = self._decode_part(detectors[part], timed=timed)
            if window_ps is not None and disturbed is not None:
                window_ps[part] = np.stack([each.elapsed_ps for each in times], axis=1)
                disturbed[part] = np.stack([each.disturbed for each in times], axis=1)
        corrections[:, -1] ^= self._flipped
        predictions = np.bitwise_xor.reduce(corrections, axis=1)
        return Decoded(predictions, corrections, window_ps, disturbed)

    def _decode_part(self, packed: Bits, *, timed: bool) -> tuple[Bits, list[Timed]]:
        """Corrections of some shots, uint8 (n, windows, bytes), and the times of each window."""
        if len(self.models) == 1:
            found, times = self._decode_window(0, np.ascontiguousarray(packed), timed=timed)
            return found[:, None], times
        syndrome = np.unpackbits(packed, axis=1, count=self._detectors, bitorder="little")
        logical = np.zeros((len(packed), len(self.models), self._observables), dtype=np.uint8)
        all_times = []
        for k, model in enumerate(self.models):
            rows = np.packbits(syndrome[:, _columns(model)], axis=1, bitorder="little")
            found, times = self._decode_window(k, rows, timed=timed)
            all_times += times
            flips = np.unpackbits(found, axis=1, count=model.predicted, bitorder="little")
            logical[:, k] = flips[:, : self._observables]
            syndrome[:, model.carried] ^= flips[:, self._observables :]
        return np.packbits(logical, axis=2, bitorder="little"), all_times

    def _decode_window(self, k: int, rows: Bits, *, timed: bool) -> tuple[Bits, list[Timed]]:
        """Predictions of window k for ``rows``, and their times if asked for, else nothing."""
        compiled = self._compiled[k]
        with self._contained(k, rows):
            if not timed:
                given = rows if self._plugin is None else rows.copy()  # it may write into it
                found = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=given)
                return self._checked(k, found, len(rows)), []
            each, times = time_shots(compiled, rows, lambda found: self._checked(k, found, 1))
            return np.concatenate(each), [times]

    @contextmanager
    def _contained(self, k: int, rows: Bits) -> Iterator[None]:
        """Say what is wrong with the model where a decoder fails on ``rows`` of window k."""
        if self._plugin is not None:
            with contained(self._plugin, f"when it decoded window {k}"):
                yield
            return
        try:
            yield
        except BaseException as error:
            if not _is_failure(error):
                raise
            fault = None if self._hyperedges else unexplained(self.models[k], rows)
            if fault is None:
                fault = f"{self._name} failed on the model of window {k} ({_first_line(error)})"
            elif len(self.models) > 1:
                fault = f"in window {k}, {fault}"
            if self.unused is not None:
                fault = f"{fault}; left out of the model are {self.unused}"
            raise SyndromeError(fault) from error

    def _checked(self, k: int, found: Bits, shots: int) -> Bits:
        """Predictions of window k as they must be, or an error that says what they are."""
        observables = self.models[k].predicted
        if self._plugin is not None:
            return checked_predictions(self._plugin, found, shots, observables)
        try:
            return checked_predictions(self._name, found, shots, observables)
        except PluginError as error:
            raise ScenarioError(
                f"window {k}: {error}; choose a decoder that predicts every observable"
            ) from error


def _mask(flipped: npt.NDArray[np.int32], count: int) -> Bits:
    """Bit-packed row of ``count`` bits, those ``flipped`` set."""
    bits = np.zeros(count, dtype=np.uint8)
    bits[flipped] = 1
    return np.packbits(bits, bitorder="little")


def _columns(model: WindowModel) -> slice | npt.NDArray[np.int32]:
    """The window's columns of the syndrome: a slice, which copies nothing, where it is one."""
    places = model.shape.detectors  # from 0
    stop = int(places[-1]) + 1
    dense = stop == len(places)
    return slice(model.first, model.first + stop) if dense else model.detectors


def _compiled(
    decoder: sinter.Decoder, models: Sequence[WindowModel]
) -> list[sinter.CompiledDecoder]:
    """Compile one decoder for each kind of window, and list those of all windows.

    Windows are of one kind where their models are equal but for a shift of the coordinates; the
    decoder sees those of the first. So as many are compiled as there are distinct windows, however
    long the shot. PyMatching looks at no coordinates, so that only the errors need to be equal.
    """
    bare = isinstance(decoder, PyMatchingDecoder)
    shared: dict[object, sinter.CompiledDecoder] = {}
    found = []
    for k, model in enumerate(models):
        kind = model.errors if bare else model.alike
        if kind not in shared:
            shared[kind] = _compile(decoder, k, model.dem)
        found.append(shared[kind])
    return found


def _compile(
    decoder: sinter.Decoder, k: int, dem: stim.DetectorErrorModel
) -> sinter.CompiledDecoder:
    name = decoder_name(decoder)
    try:
        return decoder.compile_decoder_for_dem(dem=dem)
    except ImportError as error:
        raise MissingToolError(f"{name} cannot be used: {error}") from error
    except BaseException as error:
        if not _is_failure(error):
            raise
        # Fusion Blossom, for one, holds the observables of an edge in 64 bits.
        raise ScenarioError(
            f"{name} refuses the error model of window {k}, with {dem.num_observables} "
            f"observables ({_first_line(error)}); choose another decoder or one window for the "
            "whole shot"
        ) from error


def _is_failure(error: BaseException) -> bool:
    """Whether a decoder failed: not a refusal of ours, not memory, not an end of the program.

    Panics of compiled Rust are no Exceptions, and their class cannot be imported.
    """
    if type(error).__name__ == "PanicException":
        return True
    return isinstance(error, Exception) and not isinstance(error, RoundtripError | MemoryError)


def _first_line(error: BaseException) -> str:
    """What an error says first; that of Chromobius goes on over a page."""
    return f"{str(error).strip() or type(error).__name__}\n".partition("\n")[0].rstrip(".:")
