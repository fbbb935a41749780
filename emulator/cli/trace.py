"""``roundtrip trace``: a run as a timeline, as a capture, or as stimulus for the hardware."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emulator.cli.options import NoPlugins, Set, refuse_plugins

if TYPE_CHECKING:
    from emulator.results import RunFolder
    from emulator.scenario import Scenario

__all__ = ["command"]


_FILES = {
    "perfetto": "trace.pftrace",
    "pcapng": "frames.pcapng",
    "stimulus": "stimulus.jsonl",
}

Form = Literal["perfetto", "pcapng", "stimulus"]


def command(
    form: Annotated[
        Form,
        typer.Argument(help="Timeline, frames on the link, or what the Verilog is held against."),
    ],
    source: Annotated[
        Path,
        typer.Argument(help="Folder that roundtrip run has written; for stimulus, a scenario."),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File; default in the run's folder, for stimulus here.")
    ] = None,
    shots: Annotated[int, typer.Option(min=1, help="Shots of each patch to write.")] = 200,
    overrides: Set = None,
    no_plugins: NoPlugins = False,
) -> None:
    """Write a run for Perfetto or Wireshark, or to check the Verilog.

    The file is trace.pftrace, for ui.perfetto.dev; frames.pcapng, with every byte of the link; or
    stimulus.jsonl, for which the scenario is run first and which make hdl-check plays.
    """
    from emulator.cli.folder import open_run
    from emulator.errors import RoundtripError
    from emulator.results import write_file

    if form == "stimulus":
        file = out or Path(_FILES[form])
        data, what = _stimulus(source, shots, overrides or [], no_plugins=no_plugins)
    elif overrides:
        raise RoundtripError(f"--set {overrides[0]}: a finished run cannot be changed; run it anew")
    else:
        run = open_run(source, "backlog", "messages")
        file = out or source / _FILES[form]
        if form == "perfetto":
            data, what = _perfetto(run, shots)
        else:
            data, what = _pcapng(run, shots, no_plugins=no_plugins)
    write_file(file, data)
    typer.echo(f"{file}: {what}")


def _stimulus(
    path: Path, shots: int, overrides: list[str], *, no_plugins: bool
) -> tuple[bytes, str]:
    from emulator.run import prepare, run_prepared, run_stimulus
    from emulator.run.compatibility import check_hardware
    from emulator.scenario import load_scenario

    asked = load_scenario(path, overrides).scenario.run.shots
    resolved = load_scenario(path, [*overrides, f"run.shots={min(shots, asked)}"])
    refuse_plugins(resolved.scenario, refuse=no_plugins)
    prepared = prepare(resolved)
    check_hardware(prepared.scenario, prepared.source, prepared.traffic.plan)
    lines = list(run_stimulus(run_prepared(prepared, keep=True)))
    text = "".join(f"{line}\n" for line in lines)
    return text.encode(), f"{len(lines) - 1} events; python -m hdl.check plays it in a checkout"


def _perfetto(run: "RunFolder", shots: int) -> tuple[bytes, str]:
    import io

    from emulator.cli.folder import backlog
    from emulator.loop.records import Pool
    from emulator.report import write_perfetto
    from emulator.scenario import Scenario

    first = run.tables["windows"]["shot"] < shots
    windows = {name: column[first] for name, column in run.tables["windows"].items()}
    scenario = Scenario.model_validate(run.result.scenario)
    servers = {"decode": scenario.decoder.workers}
    if scenario.predecoder.kind != "none":
        servers["predecode"] = scenario.predecoder.streams
    stream = io.BytesIO()
    count = write_perfetto(
        stream,
        windows,
        backlog=backlog(run),
        pools={stage: Pool(count, 0, 0, 0, 0, 0) for stage, count in servers.items()},
        predecode_batch=scenario.predecoder.batch,
        limit=None,
    )
    return stream.getvalue(), f"{count} windows; open it at ui.perfetto.dev"


def _pcapng(run: "RunFolder", shots: int, *, no_plugins: bool) -> tuple[bytes, str]:
    import io

    from emulator.run import run_capture
    from emulator.scenario import resolve
    from emulator.traffic.capture import INTERFACES
    from emulator.wire import write_pcapng

    resolved = resolve(run.result.scenario)
    refuse_plugins(resolved.scenario, refuse=no_plugins)
    _check_sampler(resolved.scenario, run.result.versions["stim"])
    shots = min(shots, resolved.scenario.run.shots)
    frames = run_capture(resolved, run.tables["windows"], run.tables["messages"], shots=shots)
    stream = io.BytesIO()
    write_pcapng(stream, INTERFACES, frames)
    return stream.getvalue(), f"{len(frames)} frames of {shots} shots; open it in Wireshark"


def _check_sampler(scenario: "Scenario", sampled_with: str) -> None:
    """Refuse to sample the shots of a run again with a Stim that would draw other ones."""
    from importlib.metadata import version

    from emulator.errors import RoundtripError

    installed = version("stim")
    if scenario.code.source in {"generated", "circuit"} and installed != sampled_with:
        raise RoundtripError(
            f"the shots of this run were sampled with Stim {sampled_with}, and Stim {installed} "
            "draws others from the same seed; run it again"
        )
