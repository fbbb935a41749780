"""Whatever is wrong is told in a sentence, with the right exit code, and leaves nothing behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.cli.ending import INTERRUPTED
from tests.cli.conftest import Call
from tests.run.examples import MODELS

USAGE, MISSING_TOOL = 2, 3

SLIDING = ("window.kind=sliding", "window.commit=1", "window.buffer=1")
PREDECODER = ("code.distance=5", "code.rounds=5", "predecoder.kind=onnx")


def tree(folder: Path) -> dict[Path, bytes | None]:
    """All that is in a folder, hidden files and contents included."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(call: Call, tmp_path: Path) -> Callable[..., str]:
    """Run a scenario that must fail; gives its message, once nothing was left behind."""

    def run(scenario: Path, *overrides: str, code: int = USAGE, out: str = "runs/new") -> str:
        before = tree(tmp_path)
        options = [option for value in overrides for option in ("--set", value)]
        found, shown, err = call("run", scenario, *options, "--out", out)
        assert (found, shown) == (code, "")
        assert tree(tmp_path) == before
        assert "Traceback" not in err
        [line] = err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    return run


# -- scenarios -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["decoder.workrs=2"], "--set decoder.workrs=2: decoder.workrs: unknown key; did you mean"),
        (["link.up.rate=400 Gb"], 'link.up.rate: "400 Gb" is not a rate; write e.g.'),
        (["qpu.round_period=1 m"], 'qpu.round_period: "1 m" is not a time; write e.g.'),
        (["link.up.rate=0 Gbit/s"], "link.up.rate: "),
        (["window.kind=sliding", "window.commit=0", "window.buffer=1"], "window.commit: "),
        (["host.ring_slots=65"], "host.ring_slots: 65 slots are more than the 64 that an FPGA"),
        (["decoder.algorithm=mwpm"], 'decoder.algorithm: no decoder is called "mwpm"; choose one'),
        (["decoder.timing=profile"], "decoder.profile: "),
        (["decoder.timing=profile", "decoder.profile=no.json"], 'decoder.profile: "no.json" does'),
        (["window.kind=sliding", "window.commit=9", "window.buffer=1"], "window.commit: "),
        (
            [*SLIDING, "fpga.rounds_per_message=1", "host.on_full=wait", "host.ring_slots=1"],
            "host.ring_slots: 1 are fewer than the 2 messages that windows hold",
        ),
        (["link.up.mtu=100 B"], "link.up.mtu(=100) leaves no room for a payload; use at least 192"),
        (["run.shots"], "--set run.shots: is no key=value"),
        (["run.seed=-1"], "run.seed: "),
        (["code.distance=4"], "code.distance: 4 is no distance of surface_code"),
    ],
)
def test_wrong_values(
    refused: Callable[..., str], sampled: Path, overrides: list[str], text: str
) -> None:
    assert text in refused(sampled, *overrides)


def test_all_mistakes_of_a_file_at_once(call: Call, sampled: Path, tmp_path: Path) -> None:
    sampled.write_text(sampled.read_text().replace("p = 0.02", "q = 0.02").replace("40", "-1"))
    before = tree(tmp_path)
    code, _, err = call("run", sampled)
    assert code == USAGE
    assert len(err.splitlines()) == 2
    assert all(line.startswith("error: sampled.toml") for line in err.splitlines())
    assert tree(tmp_path) == before


def test_no_scenario(refused: Callable[..., str], sampled: Path, tmp_path: Path) -> None:
    assert "there is no such scenario file" in refused(tmp_path / "none.toml")
    assert "is a folder; name a scenario file" in refused(tmp_path)
    sampled.write_text("[qpu\n")
    assert refused(sampled).startswith("sampled.toml:1: is not valid TOML")
    sampled.write_bytes(b"\xff\xfe")
    assert "is not a text file in UTF-8" in refused(sampled)


# -- models and decoders -------------------------------------------------------------------------


def test_a_model_that_is_not_there(refused: Callable[..., str], sampled: Path) -> None:
    text = refused(sampled, *PREDECODER, "predecoder.model=models/none.onnx")
    assert 'predecoder.model: "models/none.onnx" does not exist' in text


def test_a_model_of_another_shape(refused: Callable[..., str], sampled: Path) -> None:
    model = MODELS / "pair_rule_d5_T6_Z.onnx"
    text = refused(sampled, *PREDECODER, "code.rounds=25", f"predecoder.model={model}")
    assert text.startswith(f"predecoder.model: {model}")
    assert "its input is (batch, 144)" in text
    assert "distance 5 and T = 26 need (batch, 624)" in text
    assert "the file fits " in text
    assert "distance 5 and T = 6" in text


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_model(
    refused: Callable[..., str], sampled: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    text = refused(sampled, *PREDECODER, "predecoder.model=net.onnx")
    assert "net.onnx: is not an ONNX file that ONNX Runtime can run" in text


@pytest.mark.parametrize("task", ["repetition_code:memory", "color_code:memory_xyz"])
def test_a_predecoder_of_another_code(
    refused: Callable[..., str], sampled: Path, task: str
) -> None:
    model = f"predecoder.model={MODELS / 'pair_rule_d5_T6_Z.onnx'}"
    text = refused(sampled, *PREDECODER, model, f"code.task={task}", "decoder.algorithm=vacuous")
    assert text.startswith("predecoder.kind: onnx needs a rotated surface code memory")
    assert text.endswith('write kind = "none"')


def test_a_predecoder_of_recorded_shots(refused: Callable[..., str], recorded: Path) -> None:
    model = f"predecoder.model={MODELS / 'pair_rule_d5_T6_Z.onnx'}"
    text = refused(recorded, "predecoder.kind=onnx", model)
    assert text.startswith("predecoder.kind: onnx needs a rotated surface code memory")


def test_a_decoder_whose_package_is_missing(
    refused: Callable[..., str], sampled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = refused(sampled, "decoder.algorithm=nowhere_at_all:decoders", code=MISSING_TOOL)
    assert text.startswith('decoder.algorithm: the decoder "nowhere_at_all:decoders" cannot be')
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    text = refused(sampled, "decoder.algorithm=fusion_blossom", code=MISSING_TOOL)
    assert "needs the package fusion_blossom; pip install" in text


def test_a_profile_of_another_stage(call: Call, refused: Callable[..., str], sampled: Path) -> None:
    call("profile", sampled, "--out", "times.json")
    model = f"predecoder.model={MODELS / 'pair_rule_d5_T6_Z.onnx'}"
    replay = ("predecoder.timing=profile", "predecoder.profile=times.json")
    text = refused(sampled, *PREDECODER, model, *replay)
    assert text.endswith('times.json": no column "predecode"; set column to one of decode.')


def test_a_file_that_is_no_profile(
    refused: Callable[..., str], sampled: Path, tmp_path: Path
) -> None:
    (tmp_path / "times.json").write_text("{}")
    text = refused(sampled, "decoder.timing=profile", "decoder.profile=times.json")
    assert "machine: Field required; write it with roundtrip profile" in text


# -- recorded shots ------------------------------------------------------------------------------


def test_shots_of_another_format(refused: Callable[..., str], recorded: Path) -> None:
    recorded.with_name("shots.01").write_text("1" * 40 + "\n")
    text = refused(recorded, "code.format=hits")
    assert "shots.01: does not hold shots of " in text
    assert "in format hits: Integer value" in text


def test_a_folder_instead_of_shots(refused: Callable[..., str], recorded: Path) -> None:
    text = refused(recorded, "code.detections=.")
    assert 'code.detections: "." is a folder, ' in text


def test_a_truncated_file(refused: Callable[..., str], recorded: Path) -> None:
    shots = recorded.with_name("shots.01")
    shots.write_bytes(shots.read_bytes()[:-2])
    text = refused(recorded)
    assert "shots.01, line 400: expected 4 characters 0 or 1" in text
    assert "but found 3; it is truncated or belongs to another model" in text


def test_a_model_that_the_shots_do_not_belong_to(
    refused: Callable[..., str], recorded: Path
) -> None:
    model = recorded.with_name("model.dem")
    model.write_text(model.read_text() + "error(0.1) D3 D4\ndetector(0, 3) D3\ndetector(0, 4) D4\n")
    text = refused(recorded)
    assert "shots.01: expected lines of 6 characters 0 or 1" in text
    assert "5 detectors and 1 observables" in text
    model.write_text("error(0.1) D0 L0\ndetector(0, 0) D0\nerror(0.1) D9")
    assert "model.dem" in refused(recorded)
    model.write_text("nonsense(")
    assert "model.dem: cannot be read as a detector error model" in refused(recorded)


def test_shots_that_the_model_cannot_explain(refused: Callable[..., str], recorded: Path) -> None:
    model = recorded.with_name("model.dem")
    unbounded = [line for line in model.read_text().splitlines() if " L0" not in line]
    unbounded = [line for line in unbounded if line != "error(0.1) D2"]
    model.write_text("\n".join([*unbounded, "logical_observable L0"]))
    assert "these shots contradict" in refused(recorded)
    text = refused(recorded, "code.mismatch=accept")
    assert "D0, D1, D2 are a part of the matching graph without a boundary" in text
    assert "shots belong" not in text


def test_fewer_shots_than_asked_for(refused: Callable[..., str], recorded: Path) -> None:
    text = refused(recorded, "run.shots=401")
    assert text.startswith("run.shots: 401 shots are more than the 400 in ")
    assert text.endswith("shots.01; write 400 or fewer")


# -- places --------------------------------------------------------------------------------------


def test_places_that_cannot_be_written_are_told_before_the_run(
    refused: Callable[..., str], recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("emulator.run.run_experiment", never)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    assert refused(recorded, out="file").endswith("is a file; choose a folder for the run.")
    assert "Not a directory" in refused(recorded, out="file/run")
    assert "is not empty and holds no previous run" in refused(recorded, out="full")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_permission(
    refused: Callable[..., str], recorded: Path, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert "Permission denied" in refused(recorded, out="locked/run")
    locked.chmod(0o700)


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()]
)
def test_a_full_disk_or_an_interrupt_leaves_the_last_run_whole(
    *,
    call: Call,
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    error: BaseException,
) -> None:
    call("run", recorded, "--set", "run.shots=9")
    before, write = tree(tmp_path), Path.write_bytes
    written: list[Path] = []

    def fails(path: Path, data: bytes) -> int:
        if len(written) == after:
            write(path, data[: len(data) // 2])
            raise error
        written.append(path)
        return write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fails)
        for out in ("runs/recorded", "runs/new"):
            written.clear()
            code, shown, err = call("run", recorded, "--out", out)
            if isinstance(error, OSError):
                place = tmp_path / out
                assert shown.startswith("✓ Budget met")  # what the run found is not lost
                assert code == USAGE
                assert err == (
                    f'error: cannot write to "{place}": No space left on device; '
                    "free some space or choose another place.\n"
                )
            else:
                assert (code, shown, err) == (
                    INTERRUPTED,
                    "",
                    "error: interrupted; no file is left half-written\n",
                )
            assert tree(tmp_path) == before


def test_a_report_that_cannot_be_written_leaves_the_run_of_its_verdict(
    call: Call, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No report of the run before stands beside the new result."""
    call("run", recorded, "--set", "run.shots=9")
    write = Path.write_bytes

    def fails(path: Path, data: bytes) -> int:
        if "report.html" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fails)
    code, shown, err = call("run", recorded)
    assert code == USAGE
    assert shown.startswith("✓ Budget met")
    assert "report.html" in err
    names = {"result.json", "windows.parquet", "messages.parquet", "backlog.parquet"}
    assert {path.name for path in (tmp_path / "runs/recorded").iterdir()} == names


SLOW = """
import pathlib, time
import numpy, sinter

class Compiled(sinter.CompiledDecoder):
    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        pathlib.Path("started").touch()
        time.sleep(60)
        return numpy.zeros((len(bit_packed_detection_event_data), 1), dtype=numpy.uint8)

class Slow(sinter.Decoder):
    def compile_decoder_for_dem(self, *, dem):
        return Compiled()

def decoders():
    return {"slow": Slow()}
"""


def test_an_interrupt_while_decoding_leaves_nothing(sampled: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    program = "import sys; from emulator.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["run", str(sampled), "--set", "decoder.algorithm=slow:decoders", "--out", "new"]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-B", "-c", program, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{tmp_path}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = tree(tmp_path)
    while not (tmp_path / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == INTERRUPTED
    assert (out, err) == ("", "error: interrupted; no file is left half-written\n")
    assert tree(tmp_path).keys() - before.keys() == {tmp_path / "started"}
