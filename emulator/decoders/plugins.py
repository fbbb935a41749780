"""Decoders of the user's own, kept from taking the program down, its output or its folder along.

Code behind ``"module:function"`` may raise anything, end the process, print, or change the working
folder. Here each call of it ends in an answer or in a PluginError, with standard output and folder
as they were.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import sinter
import stim

from emulator.errors import PluginError

__all__ = ["PluginDecoder", "checked_predictions", "contained"]

_STDOUT, _STDERR = 1, 2


class PluginDecoder(sinter.Decoder):  # type: ignore[misc]
    """A decoder that the user's ``name`` gave.

    Only its compiling is contained; whoever decodes with what it compiles puts `contained` around
    all calls of a window, which keeps the cost out of the time of each.
    """

    def __init__(self, name: str, decoder: sinter.Decoder) -> None:
        self.name = name
        self.decoder = decoder

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
        """Compile the decoder for ``dem``; raises PluginError."""
        with contained(self.name, "when it compiled an error model"):
            compiled = self.decoder.compile_decoder_for_dem(dem=dem)
            usable = callable(getattr(compiled, "decode_shots_bit_packed", None))
        if not usable:
            raise PluginError(
                f'the decoder "{self.name}" compiled to {_kind(compiled)}; return an object that '
                "has decode_shots_bit_packed"
            )
        return compiled


@contextlib.contextmanager
def contained(name: str, when: str) -> Iterator[None]:
    """Run the code of decoder ``name`` inside the block; ``when`` says what it does, for errors.

    Whatever it raises, but KeyboardInterrupt, becomes a PluginError with the original as its
    cause. What it writes to standard output, from Python or not, goes to standard error, and the
    working folder is set back.
    """
    folder = _working_folder()
    try:
        with _stdout_to_stderr():
            yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginError(f'the decoder "{name}" failed {when}: {_sentence(error)}') from error
    finally:
        if folder is not None and _working_folder() != folder:
            with contextlib.suppress(OSError):  # the folder itself may be gone
                os.chdir(folder)


def checked_predictions(
    name: str, found: object, shots: int, observables: int
) -> npt.NDArray[np.uint8]:
    """Copy of the predictions of a decoder, uint8 (shots, ceil(observables / 8)).

    Raises PluginError for anything else, and for bits set beyond the last observable.
    """
    expected = (shots, -(-observables // 8))
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.shape != expected:
        raise PluginError(
            f'the decoder "{name}" returned {_kind(found)} where uint8 of shape {expected} was '
            "due: a row for each shot, a bit for each observable"
        )
    if observables % 8 and (found[:, -1] >> observables % 8).any():
        raise PluginError(
            f'the decoder "{name}" set bits beyond the last of {observables} observables; pack '
            "predictions with the least significant bit first"
        )
    return np.array(found)


def _sentence(error: BaseException) -> str:
    """Kind and text of an error on one line."""
    try:
        text = " ".join(str(error).split())
    except KeyboardInterrupt:
        raise
    except BaseException:  # the user's own code too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return "None" if value is None else type(value).__name__


def _working_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - what os.chdir takes back
    except OSError:
        return None


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send standard output to standard error: Python's, and that of compiled code."""
    with contextlib.redirect_stdout(sys.stderr), contextlib.ExitStack() as stack:
        # without one of the two files (a closed stdout, an embedding program) Python's must do
        with contextlib.suppress(OSError, ValueError):
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            saved = os.dup(_STDOUT)
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, _STDOUT)
            stack.callback(_flush_compiled)
            os.dup2(_STDERR, _STDOUT)
        yield


def _flush_compiled() -> None:
    """Write out what compiled code has printed into its buffers."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
