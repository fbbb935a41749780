import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from emulator.run import prepare, run_prepared, run_stimulus
from hdl import check, waves
from tests.run.examples import SLIDING, ran, resolved

WIDE = ("fpga.preset=roundtrip_512", "run.shots=12")
NARROW = (
    *("fpga.preset=roundtrip_64", "link.up.rate=10 Gbit/s", "qpu.patches=3", "run.shots=6"),
    "fpga.input_bits=8",
    *("fpga.encoding=bytes", "link.up.mtu=220 B", "decoder.workers=3", "qpu.patch_offset=999 ns"),
    "qpu.readout={kind = 'lognormal', median = '2 us', sigma = 1.0}",
)
EACH_ROUND = (*WIDE, *SLIDING, "fpga.rounds_per_message=1")

Lines = list[dict[str, Any]]


def lines_of(overrides: tuple[str, ...]) -> Lines:
    run = run_prepared(prepare(resolved(*overrides)), keep=True)
    return [json.loads(line) for line in run_stimulus(run)]


def written(folder: Path, lines: Lines) -> Path:
    path = folder / "stimulus.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.usefixtures("build_dir")
@pytest.mark.parametrize("overrides", [WIDE, NARROW, EACH_ROUND], ids=" ".join)
def test_the_hardware_does_what_the_emulator_says(
    overrides: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(overrides)
    assert check.main([str(written(tmp_path, lines))]) == 0
    count = {kind: sum(line.get("kind") == kind for line in lines) for kind in check_kinds()}
    assert min(count.values()) > 0
    assert capsys.readouterr().out.startswith(
        f"identical, byte for byte and cycle for cycle: {count['round']} rounds in, "
        f"{count['frame']} frames out, {count['response']} responses in, "
        f"{count['correction']} corrections out"
    )


def check_kinds() -> tuple[str, ...]:
    return ("round", "frame", "response", "correction")


def first(lines: Lines, kind: str, number: int) -> dict[str, Any]:
    return [line for line in lines if line.get("kind") == kind][number]


def flip_bit(lines: Lines) -> None:
    entry = first(lines, "round", 7)
    entry["bits"] = f"{int(entry['bits'][:2], 16) ^ 1:02x}{entry['bits'][2:]}"


def shift_round(lines: Lines) -> None:
    first(lines, "round", 5)["cycle"] += 1  # the last one of a message


def lose_round(lines: Lines) -> None:
    lines.remove(first(lines, "round", 11))


def shift_response(lines: Lines) -> None:
    first(lines, "response", 3)["cycle"] += 1


def change(kind: str, key: str, value: Any, lines: Lines) -> None:
    first(lines, kind, 2)[key] = value


FAULTS: dict[str, tuple[Callable[[Lines], None], str]] = {
    "a bit": (flip_bit, "frame 2, byte 130 of its frame: 0x"),
    "a cycle": (shift_round, "frame 1, first: "),
    "a round": (lose_round, "frame 2, "),
    "an answer": (shift_response, "correction 4, cycle: "),
    "another id": (partial(change, "correction", "request_id", 77), "correction 3, request_id: 2 "),
}


@pytest.mark.usefixtures("build_dir")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_named(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, sentence = FAULTS[fault]
    lines = lines_of(WIDE)
    spoil(lines)
    assert check.main([str(written(tmp_path, lines))]) == 1
    assert capsys.readouterr().out.startswith(f"DIFFERENT: {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ('{"format": "another"}\n', "line 1: is none of a stimulus"),
        ('{"format": "roundtrip stimulus 1"}\n{"kind": "round"}\n', "line 2: is none"),
        ('{"format": "roundtrip stimulus 1"}\nnothing\n', "line 2: is none"),
    ],
)
def test_what_is_no_stimulus_is_told(
    text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stimulus.jsonl"
    path.write_text(text)
    assert check.main([str(path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["no/such.jsonl"]) == 2
    assert "no/such.jsonl cannot be read" in capsys.readouterr().err


@pytest.mark.usefixtures("build_dir")
def test_waves_stand_on_the_time_axis_of_the_run(tmp_path: Path) -> None:
    lines = lines_of((*WIDE, "run.shots=2"))
    assert waves.main([str(written(tmp_path, lines))]) == 0
    names, changes = vcd(tmp_path / "waves.vcd", "tx_axis_tvalid")
    rising = [time for time, value in changes if value == "1"]
    frames = ran(*WIDE, "run.shots=2").record.messages["framed_ps"].tolist()
    # a beat is offered from the edge before the one at which it passes
    assert [any(0 < at - time < 3200 for time in rising) for at in frames] == [True, True]
    save = (tmp_path / "waves.gtkw").read_text()
    shown = [line for line in save.splitlines() if line.startswith("TOP.")]
    assert {line.partition("[")[0].rpartition(".")[2] for line in shown} <= names


def vcd(path: Path, signal: str) -> tuple[set[str], list[tuple[int, str]]]:
    """Names of all signals, and (ps, value) of each change of a one-bit signal of the top."""
    names, code, now, changes = set(), None, 0, []
    scale = 0
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["$timescale"]:
            scale = {"1ps": 1, "1ns": 1000}["".join(words[1:-1])]
        elif words[:1] == ["$var"]:
            names.add(words[4])
            code = words[3] if words[4] == signal and code is None else code
        elif line.startswith("#"):
            now = int(line[1:]) * scale
        elif code is not None and line[1:] == code:
            changes.append((now, line[0]))
    return names, changes
