import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models.training.networks import ARCHITECTURES
from models.training.train import main

torch = pytest.importorskip("torch", reason='training needs torch; pip install -e ".[train]"')
torch.set_num_threads(1)

from models.training.checkpoint import Checkpoint, Progress  # noqa: E402 - only with torch
from models.training.loop import Limits, Training, start  # noqa: E402 - ditto
from models.training.throughput import throughput  # noqa: E402 - ditto

BATCH = ARCHITECTURES["nano"].batch
SMALL = ["nano", "--distance", "3", "--rounds", "3", "--threads", "1", "--device", "cpu"]


def trained(path: Path, *options: str) -> Checkpoint:
    assert main([*SMALL, "--checkpoint", str(path), "--shots", "0", *options]) == 0
    return Checkpoint.load(path, "nano")


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_interrupted_training_ends_where_the_other_does(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole.safetensors", "--steps", "6")
    # stop a plan of six steps after two, as SIGTERM would
    path = tmp_path / "halves.safetensors"
    first = trained(path, "--steps", "1")
    replace(first, progress=replace(first.progress, planned=6.0)).save(path)
    other = trained(tmp_path / "other.safetensors", "--steps", "1")
    assert same(first.weights, other.weights)
    half = trained(path, "--steps", "2")
    assert (half.progress.steps, half.progress.finished) == (3, False)
    rest = trained(path, "--steps", "6")
    assert (rest.progress.steps, rest.progress.finished) == (6, True)
    assert rest.progress.samples == whole.progress.samples == 6 * BATCH
    # the first step of a plan of one is one of a plan of six: both start at the full rate
    assert same(rest.weights, whole.weights)
    assert same(rest.moments, whole.moments)


def test_a_finished_plan_is_followed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "nano.safetensors"
    assert trained(path, "--steps", "2").progress.finished
    progress = trained(path, "--steps", "3").progress
    assert (progress.steps, progress.planned, progress.spent) == (5, 3, 3)


def test_training_thins_syndromes_more_and_more(tmp_path: Path) -> None:
    path = tmp_path / "nano.safetensors"
    for _ in range(2):
        assert main([*SMALL, "--checkpoint", str(path), "--steps", "300", "--shots", "500"]) == 0
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    assert [(int(point["samples"]), float(point["p"])) for point in points] == [
        (samples, p) for samples in (300 * BATCH, 600 * BATCH) for p in (0.003, 0.006)
    ]
    ratios = [float(point["density_ratio"]) for point in points]
    assert ratios[2] > max(2.0, ratios[0])
    assert ratios[3] > max(1.5, ratios[1])
    assert len({point["errors_alone"] for point in points[::2]}) == 1


def test_sigterm_leaves_a_state_to_go_on_from(tmp_path: Path) -> None:
    path = tmp_path / "nano.safetensors"
    command = [sys.executable, "-m", "models.training.train", *SMALL, "--checkpoint", str(path)]
    with subprocess.Popen(
        [*command, "--minutes", "10", "--shots", "0", "--every", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    ) as running:
        assert running.stdout is not None
        assert "samples/s" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        rest, _ = running.communicate()
    assert running.returncode == 0
    assert "of plan" in rest.splitlines()[-1]
    state = Checkpoint.load(path, "nano")
    assert state.progress.steps >= 1
    assert not state.progress.finished
    assert trained(path, "--steps", "1").progress.steps == state.progress.steps + 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["nano.safetensors"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["huge"], 'no network is called "huge"'),
        (["nano", "--distance", "4"], "distance: 4 "),
        (["nano", "--rounds", "1"], "rounds: 1 "),
        (["nano", "--minutes", "0"], "--minutes: 0.0 "),
        (["nano", "--plan", "-1"], "--plan: -1.0 "),
        (["nano", "--steps", "-1"], "--steps: -1 "),
        (["nano", "--threads", "0"], "--threads: 0 "),
        (["nano", "--p", "0.2"], "--p: 0.2 "),
        (["nano", "--check", "0"], "--check: 0.0 "),
    ],
)
def test_mistakes_are_explained_and_leave_no_file(
    wrong: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "state.safetensors"
    assert main([*wrong, "--checkpoint", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"train: {message}")
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_such_state_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nano.safetensors"
    path.write_bytes(b"no safetensors at all")
    assert main([*SMALL, "--checkpoint", str(path)]) == 2
    assert f"{path}: is no safetensors file" in capsys.readouterr().err
    path.unlink()
    state = trained(path, "--steps", "1")
    capsys.readouterr()
    before = path.read_bytes()
    assert main(["fast", *SMALL[1:], "--checkpoint", str(path)]) == 2
    assert f'{path}: holds the network "nano", not "fast"' in capsys.readouterr().err
    assert path.read_bytes() == before
    replace(state, progress=replace(state.progress, model="fast")).save(path)
    assert main(["fast", *SMALL[1:], "--checkpoint", str(path)]) == 2
    assert 'weights are not those of the network "fast"' in capsys.readouterr().err


def test_time_is_kept(tmp_path: Path) -> None:
    start = time.monotonic()
    progress = trained(tmp_path / "nano.safetensors", "--steps", "3").progress
    assert 0 < progress.seconds <= time.monotonic() - start


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_speed_is_measured_and_nothing_is_kept(
    precision: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nano.safetensors"
    options = ["--bf16"] if precision == "bfloat16" else []
    command = [*SMALL, "--checkpoint", str(path), "--check", "0.4", *options]
    assert main(command) == 0
    device, *parts = capsys.readouterr().out.splitlines()
    assert device.startswith(f"this processor, {precision}: ")
    assert [part.split()[0] for part in parts] == ["samples", "network", "both"]
    speeds = [float(part.partition(" a second")[0].split()[-1]) for part in parts]
    assert min(speeds) > 0
    assert not list(tmp_path.iterdir())


def test_work_of_a_sample_is_that_of_its_convolutions(tmp_path: Path) -> None:
    fresh = Progress("nano", 3, 4, "XV", 0.006, 1)
    state = start(tmp_path / "none", fresh, Limits())
    found = throughput(Training(state, torch.device("cpu")), 0.04)
    products = sum(w.numel() for name, w in state.weights.items() if name.endswith("weight"))
    assert found.work == 6 * products * 4 * 3 * 3
