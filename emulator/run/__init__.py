"""The steps of a run, from scenario to verdict, each a function of values.

load → prepare → decode → durations → simulate → judge

``emulator.run(...)`` is `emulator.run.library.run`, which does all of them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from emulator.lazy import attributes

if TYPE_CHECKING:
    from emulator.run.decoding import decode, different_shots, measure, same_answers
    from emulator.run.experiment import Experiment, run_experiment, run_prepared, run_tables
    from emulator.run.judgement import judge
    from emulator.run.preparation import Prepared, load, prepare
    from emulator.run.progress import Progress
    from emulator.run.service_times import durations
    from emulator.run.simulation import frame, receive, simulate
    from emulator.run.trace import run_capture, run_stimulus

__all__ = [
    "Experiment",
    "Prepared",
    "Progress",
    "decode",
    "different_shots",
    "durations",
    "frame",
    "judge",
    "load",
    "measure",
    "prepare",
    "receive",
    "run_capture",
    "run_experiment",
    "run_prepared",
    "run_stimulus",
    "run_tables",
    "same_answers",
    "simulate",
]

__getattr__ = attributes(
    __name__,
    {
        **dict.fromkeys(("decode", "different_shots", "measure", "same_answers"), "decoding"),
        **dict.fromkeys(
            ("Experiment", "run_experiment", "run_prepared", "run_tables"), "experiment"
        ),
        "judge": "judgement",
        **dict.fromkeys(("Prepared", "load", "prepare"), "preparation"),
        "durations": "service_times",
        "Progress": "progress",
        **dict.fromkeys(("frame", "receive", "simulate"), "simulation"),
        **dict.fromkeys(("run_capture", "run_stimulus"), "trace"),
    },
)


class _CallablePackage(ModuleType):
    """The type of this package, which lets it be called as the function ``emulator.run``.

    Whoever imports a module of the package makes Python set ``emulator.run`` to the package, so the
    one name has to serve for both. The package pickles as a function does, by its name.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return import_module("emulator.run.library").run(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return import_module, (self.__name__,)


sys.modules[__name__].__class__ = _CallablePackage
