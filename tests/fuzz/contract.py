"""What a run promises: exit codes, and the outcome in ``result.json``."""

import inspect
from typing import Any

from emulator.cli.run import command

__all__ = ["EXIT_OF", "NO_REPORT", "outcome_of"]

EXIT_OF = {"met": 0, "missed": 1, "undecided": 4}

# while a run may not have three outcomes yet, nor a way to leave out its report
NO_REPORT = ("--no-report",) if "no_report" in inspect.signature(command).parameters else ()


def outcome_of(result: dict[str, Any]) -> str:
    """Outcome of a verdict: met, missed or undecided."""
    verdict = result["verdict"]
    if "outcome" not in verdict:
        return "met" if verdict["meets_budget"] else "missed"
    return str(verdict["outcome"])
