"""What a run promises: names of a scenario, exit codes, and the outcome in ``result.json``."""

import inspect
from dataclasses import dataclass
from typing import Any, get_args

from emulator.cli.run import command
from emulator.scenario.sections import Predecoder

__all__ = ["EXIT_OF", "NAMES", "NO_REPORT", "outcome_of"]

EXIT_OF = {"met": 0, "missed": 1, "undecided": 4}


@dataclass(frozen=True)
class Names:
    """Values of a scenario that say "only its time": of the decoder and of the pre-decoder."""

    no_decoder: str
    timing_only_predecoder: str


def _names() -> Names:
    kinds = get_args(Predecoder.model_fields["kind"].annotation)
    only = next(kind for kind in kinds if kind not in {"none", "onnx"})
    return Names("none" if _MOVED else "pymatching", only)


def outcome_of(result: dict[str, Any]) -> str:
    """Outcome of a verdict: met, missed or undecided."""
    verdict = result["verdict"]
    if not _MOVED and "outcome" not in verdict:
        return "met" if verdict["meets_budget"] else "missed"
    return str(verdict["outcome"])


# the program before its verdicts had three outcomes
_MOVED = "no_report" in inspect.signature(command).parameters
NO_REPORT = ("--no-report",) if _MOVED else ()
NAMES = _names()
