"""``roundtrip profile``: time a scenario's decoders on this machine and keep the times."""

from pathlib import Path
from typing import Annotated

import typer

from emulator.cli.options import NoPlugins, Set, refuse_plugins

__all__ = ["command"]


def command(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    out: Annotated[Path, typer.Option(help="Profile to write (.json).")],
    overrides: Set = None,
    no_plugins: NoPlugins = False,
) -> None:
    """Time pre-decoder and decoder on this machine, call by call.

    A scenario draws from the file with timing = "profile".
    """
    import numpy as np

    from emulator.cli.env import environment
    from emulator.cli.progress import progress_bar
    from emulator.errors import RoundtripError
    from emulator.run import measure
    from emulator.scenario import load_scenario
    from emulator.timing import Profile, write_profile

    resolved = load_scenario(scenario, overrides or [])
    refuse_plugins(resolved.scenario, refuse=no_plugins)
    if out.suffix != ".json" or out.is_dir() or not out.parent.is_dir():
        raise RoundtripError(
            f'a profile cannot be written to "{out}"; give a .json file in a folder that exists'
        )
    with progress_bar() as progress:
        answers = measure(resolved, progress=progress)
    found = {"predecode": answers.predecode_ps, "decode": answers.decode_ps}
    stages = {name: times.ravel() for name, times in found.items() if times is not None}
    facts = environment()
    machine = {name: facts.pop(name) for name in ("processor", "system")}
    write_profile(Profile(machine, facts, stages), out)
    for name, times in stages.items():
        p50, p99 = np.quantile(times, [0.5, 0.99]) / 1e6
        typer.echo(f"{name}: {len(times)} calls, p50 {p50:.1f} us, p99 {p99:.1f} us")
    typer.echo(f"{out}: measured on {machine['processor']}")
