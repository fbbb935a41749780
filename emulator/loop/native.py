"""The library of the compiled engine: built on first use, loaded, and its structures in Python.

``engine.cpp`` has a plain C interface, so that one build serves every Python. It is compiled by
``$CXX`` or else by g++, clang++ or c++, whichever is found first, and kept in the cache
(`emulator.build_cache`) by a digest of its source and of how it is compiled.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
from collections.abc import Sequence
from ctypes import POINTER, Structure, c_int64, c_uint8, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from emulator.build_cache import build_once, cache_folder, run_tool
from emulator.errors import MissingToolError, RoundtripError

__all__ = [
    "STAGES",
    "AccountStruct",
    "ConfigStruct",
    "Ending",
    "LawStruct",
    "LinkStruct",
    "PoolStruct",
    "TablesStruct",
    "TallyStruct",
    "build_library",
    "engine_library",
    "load_library",
]

SOURCE = Path(__file__).with_name("engine.cpp")
COMPILERS = ("g++", "clang++", "c++")
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared")
_LOG_LINES = 20

STAGES = (
    *("packetise", "uplink", "ring", "dispatch", "predecode", "decode", "downlink"),
    *("readout", "loss"),
)
"""Stages by their number in the library; the first seven keep an account."""

_ints = POINTER(c_int64)


class Ending:
    """How a call of the library ended; the order is that of its ``Status``."""

    DONE, PAUSED, HUNGRY, TOO_LONG, LAWLESS, NEGATIVE, NO_MEMORY, DEFECT = range(8)


class LawStruct(Structure):
    """``rt_law``."""

    _fields_ = (
        *((name, c_int64) for name in ("kind", "value", "count", "first", "second")),
        ("data", _ints),
    )


class LinkStruct(Structure):
    """``rt_link``."""

    _fields_ = (
        *((name, c_int64) for name in ("ports", "hops", "flight_ps", "latency")),
        ("serial_ps", _ints),
    )


class PoolStruct(Structure):
    """``rt_pool``."""

    _fields_ = tuple((name, c_int64) for name in ("servers", "batch", "timeout_ps", "service"))


class ConfigStruct(Structure):
    """``rt_config``."""

    _fields_ = (
        *((name, c_int64) for name in ("patches", "shots", "messages", "windows")),
        *((name, c_int64) for name in ("period_ps", "offset_ps", "shot_period_ps")),
        *((name, c_int64) for name in ("horizon_ps", "drain", "keep")),
        *((name, _ints) for name in ("message_rounds", "message_stop", "committer")),
        *((name, _ints) for name in ("packets_from", "packet_beats")),
        *((name, _ints) for name in ("intake_from", "intake_beats")),
        *((name, _ints) for name in ("completes_from", "completes_window", "completes_later")),
        *((name, _ints) for name in ("needs_first", "needs_stop", "waits_for")),
        *((name, _ints) for name in ("reads_rounds", "first_round", "last_round")),
        *((name, _ints) for name in ("releases_from", "releases_message")),
        *((name, _ints) for name in ("followers_from", "followers_window")),
        *((name, _ints) for name in ("commits_from", "commits_message")),
        *((name, c_int64) for name in ("clock_edges", "clock_span_ps", "by_rounds", "pipeline")),
        *((name, c_int64) for name in ("store_and_forward", "spacing", "receive", "spaced")),
        *((name, _ints) for name in ("seen_first", "seen_last")),
        *((name, c_int64) for name in ("readout", "readout_constant", "losses", "dispatch")),
        ("up", LinkStruct),
        ("down", LinkStruct),
        *((name, c_int64) for name in ("slots", "waits", "hold", "predecodes")),
        ("predecode", PoolStruct),
        ("decode", PoolStruct),
        *((name, c_int64) for name in ("response_packets", "response_beats", "laws", "draws")),
        ("law", POINTER(LawStruct)),
        ("draws_stage", _ints),
    )


class TablesStruct(Structure):
    """``rt_tables``."""

    _fields_ = (
        ("windows", _ints),
        ("windows_stride", c_int64),
        ("applied", POINTER(c_uint8)),
        ("messages", _ints),
        ("messages_stride", c_int64),
        *((name, _ints) for name in ("done", "responses", "lost")),
    )


class TallyStruct(Structure):
    """``rt_tally``."""

    _fields_ = (
        ("busy", c_uint64 * 2),
        ("demand", c_uint64 * 2),
        ("squares", c_uint64 * 3),
        ("jobs", c_int64),
        ("left_over", c_int64),
    )


class AccountStruct(Structure):
    """``rt_account``."""

    _fields_ = (
        *((name, c_int64) for name in ("emitted", "decoded", "late", "open_rounds")),
        ("lost", c_int64 * 3),
        *((name, c_int64) for name in ("end_ps", "negative_ps", "ring_waits")),
        *((name, c_int64) for name in ("messages", "done", "responses", "lost_windows")),
        ("waiting", c_int64 * 3),
        ("tally", TallyStruct * 7),
        ("failed", c_int64 * 5),
    )


_STRUCTURES = (LawStruct, LinkStruct, PoolStruct, ConfigStruct, TablesStruct, AccountStruct)


@cache
def engine_library() -> ctypes.CDLL:
    """Return the library of this process, which is compiled on first use, in a few seconds.

    Raises MissingToolError without a compiler, and RoundtripError where it does not compile or the
    cache cannot be written.
    """
    digest = hashlib.sha256(SOURCE.read_bytes())
    settings = (FLAGS, platform.system(), platform.machine(), os.environ.get("CXX"))
    digest.update(repr(settings).encode())
    entry = cache_folder() / f"engine-{digest.hexdigest()[:16]}"
    try:
        library = build_once(entry, "engine.so", lambda draft: build_library(draft / "engine.so"))
    except OSError as error:
        raise RoundtripError(
            f"{entry.parent} cannot hold the compiled engine ({error.strerror}); "
            "set ROUNDTRIP_CACHE to a folder that can be written, or take --engine simpy."
        ) from error
    return load_library(library)


def build_library(library: Path, flags: Sequence[str] = ()) -> None:
    """Compile the engine to ``library``, with further ``flags`` if given."""
    command = [*_compiler(), *FLAGS, *flags, str(SOURCE), "-o", str(library)]
    done = run_tool(command, os.environ)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES:])
        raise RoundtripError(f"{command[0]} does not compile the event engine:\n{end}")


def load_library(library: Path) -> ctypes.CDLL:
    """Load a compiled engine and declare its functions. Raises RoundtripError if it is none."""
    try:
        loaded = ctypes.CDLL(str(library))
        sizes = [loaded.rt_size(c_int64(k)) for k in range(len(_STRUCTURES))]
    except (OSError, AttributeError) as error:
        raise RoundtripError(
            f"{library} is not the compiled engine ({error}); delete it, and it is built anew."
        ) from error
    if sizes != [ctypes.sizeof(structure) for structure in _STRUCTURES]:
        raise RuntimeError("engine.cpp and native.py declare different structures")
    pointer = c_void_p
    arguments = {
        "rt_new": [POINTER(ConfigStruct), POINTER(TablesStruct), POINTER(pointer)],
        "rt_advance": [pointer, c_int64],
        "rt_feed": [pointer, c_int64, c_int64, _ints],
        "rt_fed": [pointer, c_int64],
        "rt_emitted": [pointer],
        "rt_account_of": [pointer, POINTER(AccountStruct)],
        "rt_free": [pointer],
    }
    for name, kinds in arguments.items():
        function = getattr(loaded, name)
        function.argtypes = kinds
        function.restype = None if name in {"rt_account_of", "rt_free"} else c_int64
    return loaded


def _compiler() -> list[str]:
    """Command of the compiler. Raises MissingToolError where there is none."""
    asked = shlex.split(os.environ.get("CXX", ""))
    if asked:
        if shutil.which(asked[0]) is None:
            raise MissingToolError(
                f"$CXX is {asked[0]}, which is not on PATH; set it to a C++17 compiler or unset it."
            )
        return asked
    for name in COMPILERS:
        if shutil.which(name) is not None:
            return [name]
    raise MissingToolError(
        f"no C++ compiler is on PATH ({', '.join(COMPILERS)}); the compiled engine needs one: "
        "apt-get install g++, or set CXX."
    )
