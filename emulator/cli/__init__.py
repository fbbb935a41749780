"""The command line: one module a verb, each of which reads, calls one function and writes.

A verb is a module of this package with a function ``command`` and its name in ``VERBS``. The
function may return an exit code: 0 budget met, 1 budget missed, 4 undecided. What it raises ends
in a sentence and another code (`emulator.cli.ending`): 2 usage or scenario error, 3 a tool is
missing, 5 internal or plug-in failure, 130 interrupted, 141 the reader of the output has left.
Imports of the work itself stand inside the function, so that help stays quick; this module
imports next to nothing, not even typing, so that an interrupt finds it ready.
"""

import atexit
import gc
import os
import sys

from emulator.cli.interrupts import Interrupts

__all__ = ["VERBS", "entry", "main"]

VERBS = (
    "run",
    "compare",
    "report",
    "trace",
    "profile",
    "presets",
    "init",
    "schema",
    "env",
)
"""In the order of the work, which is the order of the help."""

DEBUG = "--debug"
GARBAGE_THRESHOLD = 200_000
"""New objects between two searches for garbage."""
RESERVE_BYTES = 8 << 20
"""Memory kept back, so that there is some to say that there is none."""


def entry() -> int:
    """Run the command line of this process and end it with the exit code.

    Once the code is settled nothing changes it any more, no interrupt and no library that fails
    when it is taken apart. Returns, for Python to do the rest, only where other threads still run.
    """
    # most of what a run makes lives to its end: looking for garbage at every turn finds nothing
    gc.set_threshold(GARBAGE_THRESHOLD)
    code = _main(sys.argv[1:], Interrupts(last=True))
    import threading

    if threading.active_count() == 1:
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End without taking every module apart, a fifth of the processor time of a short run."""
    import contextlib

    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()  # noqa: SLF001  (what Python itself does first)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def main(arguments: list[str] | tuple[str, ...] | None = None) -> int:
    """Run the command line and return its exit code; never raises, whatever the verb does."""
    return _main(list(sys.argv[1:] if arguments is None else arguments), Interrupts())


def _main(arguments: list[str], interrupts: Interrupts) -> int:
    debug = DEBUG in arguments
    rest = [argument for argument in arguments if argument != DEBUG]
    reserve = bytearray(RESERVE_BYTES)
    with interrupts:
        try:
            try:
                # what reports a failure must be imported before memory can run out
                from emulator.cli import app, ending, streams

                streams.prepare()
                code = app.run(rest)
                streams.flush()
            except BaseException as error:
                interrupts.hold()
                del reserve
                from emulator.cli import ending

                return ending.end(error, arguments, debug=debug, interrupted=interrupts.seen)
        except KeyboardInterrupt:  # a second one on the way to hold()
            return 130
    return code
