"""Memory that a run needs, estimated before any of it is spent."""

from emulator.memory import available_bytes
from emulator.scenario.checks import ContradictionError, KeyPath, Mistake
from emulator.scenario.codes import GeneratedCode
from emulator.scenario.scenario import Scenario

__all__ = ["check_run_size", "check_source_size"]

# Measured as growth of the resident memory from small runs to large ones, rounded up.
_BASE_BYTES = 150_000_000
_ERROR_BYTES = 300  # an error mechanism in Stim's model and PyMatching's graph
_DETECTOR_BYTES = 64  # its round and coordinates
_WINDOW_BYTES = 500  # a row of the table of windows and what is judged of it
_MESSAGE_BYTES = 400
_ERRORS_PER_DETECTOR = 25  # 23 in a surface code, 6 in a repetition code


def check_source_size(scenario: Scenario) -> None:
    """Raise ScenarioError for a generated code that this machine has no memory for.

    Whole windows need the errors of all rounds at once, others those of a few windows.
    """
    code = scenario.code
    if not isinstance(code, GeneratedCode):
        return
    line = code.task.startswith("repetition")
    checks = code.distance - 1 if line else code.distance**2 - 1
    detectors = checks * (code.rounds + 1)
    whole = scenario.window.kind == "whole"
    each = _DETECTOR_BYTES + (_ERROR_BYTES * _ERRORS_PER_DETECTOR if whole else 0)
    key = "rounds" if code.rounds > code.distance else "distance"
    what = f"{code.rounds} rounds of distance {code.distance}"
    _check(_BASE_BYTES + detectors * each, ("code", key), what, "fewer rounds or a lower distance")


def check_run_size(scenario: Scenario, windows: int, messages: int) -> None:
    """Raise ScenarioError where the tables of a run are larger than the memory of this machine.

    ``windows`` and ``messages`` are those of a shot.
    """
    shots = scenario.run.shots * scenario.qpu.patches
    needed = _BASE_BYTES + shots * (windows * _WINDOW_BYTES + messages * _MESSAGE_BYTES)
    path = ("run", "shots") if scenario.run.shots >= scenario.qpu.patches else ("qpu", "patches")
    what = f"{shots} shots of {windows} windows and {messages} messages"
    _check(needed, path, what, "fewer shots or patches")


def _check(needed: int, path: KeyPath, what: str, fix: str) -> None:
    there = available_bytes()
    if there is not None and needed > there:
        text = (
            f"{what} need about {needed / 1e9:,.0f} GB of memory, and this machine has "
            f"{there / 1e9:,.1f} GB to spare; write {fix}"
        )
        raise ContradictionError([Mistake(path, text)])
