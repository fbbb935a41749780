"""``roundtrip trace``: a run as a timeline for Perfetto or as a capture for Wireshark."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from emulator.results import Run
    from emulator.scenario import Scenario

__all__ = ["command"]


def command(
    form: Annotated[
        Literal["perfetto", "pcapng"], typer.Argument(help="Timeline, or the frames on the link.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder that roundtrip run has written.")],
    out: Annotated[Path | None, typer.Option(help="File; default in the run's folder.")] = None,
    shots: Annotated[int, typer.Option(min=1, help="Shots of each patch to write.")] = 200,
) -> None:
    """Write the first shots of a run for Perfetto or for Wireshark.

    The file is trace.pftrace, for ui.perfetto.dev, or frames.pcapng, with every byte of the link.
    """
    from emulator.cli.folder import open_run
    from emulator.results import write_file

    run = open_run(folder, "backlog", "messages")
    write = _perfetto if form == "perfetto" else _pcapng
    file = out or folder / ("trace.pftrace" if form == "perfetto" else "frames.pcapng")
    data, what = write(run, shots)
    write_file(file, data)
    typer.echo(f"{file}: {what}")


def _perfetto(run: "Run", shots: int) -> tuple[bytes, str]:
    import io

    from emulator.cli.folder import backlog
    from emulator.loop.records import Pool
    from emulator.report import write_perfetto
    from emulator.scenario import Scenario

    first = run.tables["windows"]["shot"] < shots
    windows = {name: column[first] for name, column in run.tables["windows"].items()}
    scenario = Scenario.model_validate(run.result["scenario"])
    servers = {"decode": scenario.decoder.workers}
    if scenario.predecoder.kind != "none":
        servers["predecode"] = scenario.predecoder.streams
    stream = io.BytesIO()
    count = write_perfetto(
        stream,
        windows,
        backlog=backlog(run),
        pools={stage: Pool(count, 0) for stage, count in servers.items()},
        predecode_batch=scenario.predecoder.batch,
        limit=None,
    )
    return stream.getvalue(), f"{count} windows; open it at ui.perfetto.dev"


def _pcapng(run: "Run", shots: int) -> tuple[bytes, str]:
    import io

    from emulator.run import INTERFACES, run_frames
    from emulator.scenario import resolve
    from emulator.wire import write_pcapng

    scenario = resolve(run.result["scenario"]).scenario
    _check_sampler(scenario, run.result["versions"]["stim"])
    shots = min(shots, scenario.run.shots)
    frames = run_frames(scenario, run.tables["windows"], run.tables["messages"], shots=shots)
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
