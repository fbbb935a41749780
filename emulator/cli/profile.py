"""``roundtrip profile``: time a scenario's decoders on this machine and keep the times."""

from pathlib import Path
from typing import Annotated

import typer

from emulator.cli.options import NoPlugins, ScenarioFile, Set, refuse_plugins

__all__ = ["command"]


def command(
    scenario: ScenarioFile,
    out: Annotated[Path, typer.Option(help="Profile to write (.json).")],
    overrides: Set = None,
    no_plugins: NoPlugins = False,
) -> None:
    """Time pre-decoder and decoder on this machine, call by call.

    A scenario draws from the file with timing = "profile". Calls that other work on the machine
    disturbed are left out; more than 5 % of them, and nothing is written.
    """
    import numpy as np

    from emulator.cli.env import environment
    from emulator.cli.progress import progress_bar
    from emulator.errors import RoundtripError
    from emulator.machine import machine_facts
    from emulator.run import measure
    from emulator.scenario import load_scenario
    from emulator.timing import Profile, write_profile

    resolved = load_scenario(scenario, overrides or [])
    refuse_plugins(resolved.scenario, refuse=no_plugins)
    if out.suffix != ".json" or out.is_dir() or not out.parent.is_dir():
        raise RoundtripError(
            f'a profile cannot be written to "{out}"; give a .json file in a folder that exists'
        )
    machine = machine_facts().words()
    with progress_bar() as progress:
        answers = measure(resolved, progress=progress)
    measured = {
        "predecode": (answers.predecode_ps, answers.disturbed_predecode),
        "decode": (answers.decode_ps, answers.disturbed_decode),
    }
    timed = {name: (t, d) for name, (t, d) in measured.items() if t is not None and d is not None}
    for name, (_, disturbed) in timed.items():
        _check_share(name, float(disturbed.mean()))
    stages = {name: times[~disturbed] for name, (times, disturbed) in timed.items()}
    for name, kept in stages.items():
        disturbed = timed[name][1]
        p50, p99 = np.quantile(kept, [0.5, 0.99]) / 1e6
        left_out = f"{disturbed.mean():.2%} of {disturbed.size} left out as disturbed"
        typer.echo(f"{name}: {len(kept)} calls, p50 {p50:.1f} us, p99 {p99:.1f} us; {left_out}")
    versions = {name: value for name, value in environment().items() if name not in machine}
    write_profile(Profile(machine, versions, stages), out)
    typer.echo(f"{out}: measured on {machine['processor']}")


def _check_share(stage: str, share: float) -> None:
    """Refuse times of which too many were disturbed."""
    from emulator.decoders.answers import MAX_DISTURBED_SHARE
    from emulator.errors import RoundtripError

    if share > MAX_DISTURBED_SHARE:
        raise RoundtripError(
            f"{share:.1%} of the calls of {stage} were disturbed by other work on this machine, "
            f"more than {MAX_DISTURBED_SHARE:.0%}, so the others need not stand for all; "
            "measure again when the machine does nothing else"
        )
