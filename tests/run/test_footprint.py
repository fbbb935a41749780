import pytest

from emulator.errors import ScenarioError
from emulator.run import prepare
from emulator.run.footprint import check_run_size, check_source_size
from tests.run.examples import resolved


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.run.footprint.available_bytes", lambda: 10**9)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("code.rounds=100000000",), r"^code\.rounds: 100000000 rounds of distance 3 need about"),
        (
            ("code.distance=1001",),
            r"^code\.distance: 6 rounds of distance 1001 need about .* GB of",
        ),
        (("run.shots=1000000000",), r"^run\.shots: 1000000000 shots of 1 windows and 1 messages"),
        (
            ("qpu.patches=1000000000", "run.shots=9"),
            r"^qpu\.patches: 9000000000 shots of 1 windows",
        ),
    ],
)
def test_runs_beyond_the_memory_are_refused_before_they_start(
    overrides: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ScenarioError, match=sentence) as error:
        prepare(resolved(*overrides))
    assert "this machine has 1.0 GB to spare" in str(error.value)


def test_windows_need_less_than_whole_shots() -> None:
    windows = ("window.kind=sliding", "window.commit=5", "window.buffer=5")
    long = ("code.task=repetition_code:memory", "code.rounds=1000000")
    check_source_size(resolved(*long, *windows).scenario)
    with pytest.raises(ScenarioError, match=r"need about 15 GB"):
        check_source_size(resolved(*long).scenario)


def test_what_fits_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    check_run_size(resolved("run.shots=900000").scenario, 1, 1)
    with pytest.raises(ScenarioError):
        check_run_size(resolved("run.shots=1000000").scenario, 1, 1)
    monkeypatch.setattr("emulator.run.footprint.available_bytes", lambda: None)
    check_run_size(resolved("run.shots=1000000").scenario, 1, 1)
