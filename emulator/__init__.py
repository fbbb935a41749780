"""FPGA-in-the-loop latency emulator for quantum error correction.

    import emulator as rt

    run = rt.run("demo", {"run.shots": 2000, "link.rate": "100 Gbit/s"})
    run                        # in a notebook: the verdict, key figures, stages
    run.windows                # Polars: a time stamp for every stage of every window
    run.figure("reaction")     # Plotly
    rt.compare(run, rt.run("demo", {"run.shots": 2000, "predecoder.kind": "none"}, like=run))

`run` does the steps of a run one after the other: `load`, `prepare`, `decode`, `durations`,
`simulate`, `judge`, each a function of frozen values that pickle. It returns a `Run`: the `Result`,
as in ``result.json``, with its tables and figures. `read` makes one of a run folder, `compare` sets
two side by side, `scenario_names` lists the scenarios that come along. A mistake in what was asked
for raises `RoundtripError`, whose text names the value, the place and the fix.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from emulator.lazy import attributes
from emulator.version import __version__

if TYPE_CHECKING:
    from emulator.errors import RoundtripError
    from emulator.results.result import Result
    from emulator.run.decoding import decode
    from emulator.run.judgement import judge
    from emulator.run.library import Run, compare, read, run
    from emulator.run.preparation import load, prepare
    from emulator.run.service_times import durations
    from emulator.run.simulation import simulate
    from emulator.scenario.shipped import scenario_names

__all__ = [
    "Result",
    "RoundtripError",
    "Run",
    "__version__",
    "compare",
    "decode",
    "durations",
    "judge",
    "load",
    "prepare",
    "read",
    "run",
    "scenario_names",
    "simulate",
]

_find = attributes(
    __name__,
    {
        "RoundtripError": "errors",
        "Result": "results.result",
        **dict.fromkeys(("Run", "compare", "read"), "run.library"),
        **dict.fromkeys(("load", "prepare"), "run.preparation"),
        "decode": "run.decoding",
        "durations": "run.service_times",
        "simulate": "run.simulation",
        "judge": "run.judgement",
        "scenario_names": "scenario.shipped",
    },
)


def __getattr__(name: str) -> object:
    # the package, which can be called: what the name stands for once anything of it is imported
    return import_module("emulator.run") if name == "run" else _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
