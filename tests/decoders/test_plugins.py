"""Decoders of the user's own that fail in every way, and what is left of them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stim

from emulator.decoders.matchers import resolve_decoder
from emulator.decoders.plugins import checked_predictions
from emulator.decoders.windowed import WindowedDecoder
from emulator.errors import MissingToolError, PluginError
from emulator.windows import sliding_windows, whole_window

DEM = stim.DetectorErrorModel("""
    error(0.1) D0 L0
    error(0.1) D0 D1
    error(0.1) D1 D2
    error(0.1) D2
""")
ROUNDS = np.array([0, 1, 2], dtype=np.int32)
SHOTS = np.zeros((20, 1), dtype=np.uint8)

PLUGIN = """
import os, sys
import numpy as np
import sinter

print("imported")

class Compiled(sinter.CompiledDecoder):
    def __init__(self, dem, answer):
        self.width, self.answer = -(-dem.num_observables // 8), answer

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        shots = len(bit_packed_detection_event_data)
        return self.answer(np.zeros((shots, self.width), dtype=np.uint8))

class Writing(Compiled):
    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        shots = bit_packed_detection_event_data
        found = (shots[:, :1] & 1).astype(np.uint8)
        shots[:] ^= 1
        return found if self.width else found[:, :0]

class MuteError(Exception):
    def __str__(self):
        raise SystemExit("mute")

class Decoder(sinter.Decoder):
    def __init__(self, answer=lambda zeros: zeros, compiled=Compiled):
        self.answer, self.compiled = answer, compiled

    def compile_decoder_for_dem(self, *, dem):
        return self.compiled(dem, self.answer)

def throw(error):
    raise error

def printing(zeros):
    print("from Python")
    sys.stdout.flush()
    os.write(1, b"from below")
    os.chdir("/")
    return zeros

def reused(zeros, buffer=np.zeros((1, 1), dtype=np.uint8)):
    buffer[:] = 1 - buffer
    return buffer[:, : zeros.shape[1]]

def failing():
    raise RuntimeError("licence missing")

def leaving():
    sys.exit(0)

def moving():
    os.chdir("/")
    print("called")
    return {"good": Decoder()}

def compiling():
    return {
        "none": Decoder(compiled=lambda dem, answer: None),
        "memory": Decoder(compiled=lambda dem, answer: throw(MemoryError("bad alloc"))),
        "attribute": Decoder(compiled=lambda dem, answer: dem.nope),
        "value": Decoder(compiled=lambda dem, answer: throw(ValueError("odd prior"))),
        "exit": Decoder(compiled=lambda dem, answer: sys.exit(1)),
        "module": Decoder(compiled=lambda dem, answer: throw(ImportError("no CUDA"))),
    }

def decoding():
    return {
        "good": Decoder(),
        "runtime": Decoder(lambda zeros: throw(RuntimeError("no convergence"))),
        "key": Decoder(lambda zeros: throw(KeyError(17))),
        "value": Decoder(lambda zeros: throw(ValueError("odd syndrome"))),
        "exit": Decoder(lambda zeros: sys.exit(0)),
        "base": Decoder(lambda zeros: throw(BaseException("odd end"))),
        "generator": Decoder(lambda zeros: throw(GeneratorExit())),
        "mute": Decoder(lambda zeros: throw(MuteError())),
        "writing": Decoder(compiled=Writing),
        "interrupt": Decoder(lambda zeros: throw(KeyboardInterrupt())),
        "none": Decoder(lambda zeros: None),
        "list": Decoder(lambda zeros: zeros.tolist()),
        "bool": Decoder(lambda zeros: zeros.astype(bool)),
        "int64": Decoder(lambda zeros: zeros.astype(np.int64) + 256),
        "flat": Decoder(lambda zeros: zeros[:, 0]),
        "wide": Decoder(lambda zeros: np.hstack([zeros, zeros])),
        "padding": Decoder(lambda zeros: zeros | 128),
        "printing": Decoder(printing),
        "reused": Decoder(reused),
    }
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the plug-in above that nobody has imported yet."""
    name = f"plugin_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(PLUGIN)
    (tmp_path / "work").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path / "work")
    return name


def windowed(name: str, *, windows: int = 1) -> WindowedDecoder:
    plan = whole_window(3) if windows == 1 else sliding_windows(3, 1, 1)
    return WindowedDecoder(DEM, ROUNDS, plan, resolve_decoder(name))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("failing", "failed when failing was called: RuntimeError: licence missing$"),
        ("leaving", "failed when leaving was called: SystemExit: 0$"),
    ],
)
def test_a_factory_that_fails(module: str, function: str, message: str) -> None:
    with pytest.raises(PluginError, match=f'^the decoder "{module}:{function}" {message}'):
        resolve_decoder(f"{module}:{function}")


@pytest.mark.parametrize("line", ["raise RuntimeError('boom')", "import sys; sys.exit(0)", "1 +"])
def test_a_module_that_fails(tmp_path: Path, line: str) -> None:
    name = f"broken_{abs(hash((tmp_path, line)))}"
    (tmp_path / f"{name}.py").write_text(line)
    with pytest.raises(PluginError, match=f"failed when {name} was imported: .*Err|Exit"):
        resolve_decoder(f"{name}:decoders")


def test_a_module_that_lacks_another(tmp_path: Path) -> None:
    (tmp_path / "lacking.py").write_text("import no_such_package_anywhere")
    with pytest.raises(MissingToolError, match="no_such_package_anywhere"):
        resolve_decoder("lacking:decoders")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("none", "compiled to None; return an object that has decode_shots_bit_packed"),
        ("memory", "failed when it compiled an error model: MemoryError: bad alloc"),
        ("attribute", "failed when it compiled an error model: AttributeError: .*nope"),
        ("value", "failed when it compiled an error model: ValueError: odd prior"),
        ("exit", "failed when it compiled an error model: SystemExit: 1"),
        ("module", "failed when it compiled an error model: ImportError: no CUDA"),
    ],
)
def test_a_decoder_that_does_not_compile(module: str, key: str, message: str) -> None:
    with pytest.raises(PluginError, match=f'"{module}:compiling:{key}" {message}') as found:
        windowed(f"{module}:compiling:{key}")
    assert "\n" not in str(found.value)
    assert (found.value.__cause__ is None) == (key == "none")


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("windows", [1, 3])
@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("runtime", "failed when it decoded window 0: RuntimeError: no convergence"),
        ("key", "failed when it decoded window 0: KeyError: 17"),
        ("value", "failed when it decoded window 0: ValueError: odd syndrome"),
        ("exit", "failed when it decoded window 0: SystemExit: 0"),
        ("base", "failed when it decoded window 0: BaseException: odd end"),
        ("generator", "failed when it decoded window 0: GeneratorExit$"),
        ("mute", "failed when it decoded window 0: MuteError$"),
        ("none", r"returned None where uint8 of shape \(\d+, 1\) was due"),
        ("list", "returned list where uint8"),
        ("bool", r"returned bool of shape \(\d+, 1\) where uint8"),
        ("int64", r"returned int64 of shape \(\d+, 1\) where uint8"),
        ("flat", r"returned uint8 of shape \(\d+,\) where uint8"),
        ("wide", r"returned uint8 of shape \(\d+, 2\) where uint8"),
        ("padding", r"set bits beyond the last of \d observables"),
    ],
)
def test_a_decoder_that_does_not_decode(
    module: str, key: str, message: str, windows: int, timed: bool
) -> None:
    decoder = windowed(f"{module}:decoding:{key}", windows=windows)
    with pytest.raises(PluginError, match=f'"{module}:decoding:{key}" {message}') as found:
        decoder.decode(SHOTS, timed=timed)
    assert found.value.exit_code == 5
    assert "\n" not in str(found.value)
    raised = found.value.__cause__
    assert raised is None or type(raised).__name__ in message


def test_an_interrupt_passes(module: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        windowed(f"{module}:decoding:interrupt").decode(SHOTS)


@pytest.mark.parametrize("timed", [False, True])
def test_a_decoder_that_prints_and_changes_the_folder(
    module: str, timed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, stdout = Path.cwd(), sys.stdout
    decoded = windowed(f"{module}:decoding:printing", windows=3).decode(SHOTS, timed=timed)
    assert not decoded.predictions.any()
    assert Path.cwd() == folder
    assert sys.stdout is stdout
    sys.stdout.write("ours\n")
    out, err = capfd.readouterr()
    assert out == "ours\n"
    assert "from Python" in err
    assert "from below" in err


def test_a_factory_that_prints_and_changes_the_folder(
    module: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = Path.cwd()
    resolve_decoder(f"{module}:moving")
    assert Path.cwd() == folder
    out, err = capfd.readouterr()
    assert (out, err) == ("", "imported\ncalled\n")


def test_what_compiled_code_prints_goes_to_standard_error(tmp_path: Path) -> None:
    program = f"""
import ctypes, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from emulator.decoders.plugins import contained
libc = ctypes.CDLL(None)
print("before")
with contained("mine", "now"):
    libc.printf(b"from C\\n")
print("after")
"""
    # unbuffered, C's output would not wait for the end of the program
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=env,
    )
    assert done.stdout == "before\nafter\n"
    assert done.stderr == "from C\n"


def test_a_closed_standard_output_is_no_obstacle() -> None:
    program = """
import os
os.close(1)
from emulator.decoders.plugins import contained
with contained("mine", "now"):
    print("heard")
try:
    os.fstat(1)
except OSError:
    os.write(2, b"still closed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stderr == "heard\nstill closed"


def test_a_decoder_may_answer_in_the_same_memory_each_time(module: str) -> None:
    decoded = windowed(f"{module}:decoding:reused").decode(SHOTS, timed=True)
    assert decoded.predictions[:, 0].tolist() == [1, 0] * 10


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("windows", [1, 3])
def test_a_decoder_that_writes_into_its_shots_changes_nothing(
    module: str, windows: int, timed: bool
) -> None:
    shots = np.arange(20, dtype=np.uint8)[:, None] % 2
    given = shots.copy()
    decoded = windowed(f"{module}:decoding:writing", windows=windows).decode(given, timed=timed)
    assert np.array_equal(given, shots)
    assert decoded.corrections[:, 0, 0].tolist() == [0, 1] * 10


def test_a_good_decoder_of_a_module_is_as_good_as_a_built_in_one(module: str) -> None:
    decoded = windowed(f"{module}:decoding:good", windows=3).decode(SHOTS, timed=True)
    assert decoded.corrections.shape == (20, 3, 1)
    assert decoded.window_ps is not None
    assert (decoded.window_ps > 0).all()


def test_predictions_that_fit_are_copied() -> None:
    found = np.array([[1], [0]], dtype=np.uint8)
    kept = checked_predictions("mine", found, 2, 1)
    np.testing.assert_array_equal(kept, found)
    found[:] = 7
    assert kept.max() == 1
    checked_predictions("mine", np.full((2, 1), 255, np.uint8), 2, 8)
