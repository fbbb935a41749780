from pathlib import Path

import numpy as np
import pytest

from emulator.errors import ScenarioError
from emulator.timing import Profile, write_profile
from emulator.timing.recording import read_recording
from tests.timing.helpers import draws, service

TIMES = np.array([30, 10, 20, 40, 50], dtype=np.int64)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    write_profile(Profile({}, {}, {"decode": TIMES, "predecode": TIMES + 1}), path)
    return path


def test_a_replay_keeps_the_order_and_starts_over(profile: Path) -> None:
    table = {"kind": "empirical", "file": profile.name, "column": "decode", "order": "replay"}
    made = service(table, base_dir=profile.parent)
    assert draws(made, 10_003).tolist() == [int(TIMES[n % 5]) for n in range(10_003)]
    assert (made.source, made.confidence) == ("recorded in profile.json", "measured")


def test_draws_are_recorded_times_in_equal_parts(profile: Path) -> None:
    table = {"kind": "empirical", "file": profile.name, "column": "predecode"}
    values, counts = np.unique(draws(service(table, base_dir=profile.parent)), return_counts=True)
    assert values.tolist() == [11, 21, 31, 41, 51]
    assert counts / 100_000 == pytest.approx(0.2, abs=0.01)


def test_a_csv_column_has_its_unit_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "latency.csv"
    path.write_text("request_id,delta_ns,total_us\n0,3839.5,4\n1,3900,5.5\n", encoding="utf-8")
    assert read_recording(path, "delta_ns").tolist() == [3_839_500, 3_900_000]
    assert read_recording(path, "total_us").tolist() == [4_000_000, 5_500_000]
    with pytest.raises(ScenarioError, match="set column to one of delta_ns, total_us"):
        read_recording(path)
    with pytest.raises(ScenarioError, match='no column "request_id"'):
        read_recording(path, "request_id")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("delta_ns\n", "has no rows"),
        ("delta_ns\nfast\n", "could not convert"),
        ("delta_ns\n5\n-1\n", 'column "delta_ns", row 2: -1 is negative, not finite or longer'),
        ("delta_ns\nnan\n", "row 1: nan is negative, not finite or longer"),
        ("total_s\n1e300\n", 'bad.csv", column "total_s", row 1: 1e300 is .* longer than 106 days'),
        ("total_s\n1e308\n", "row 1: 1e308 is"),
        ("delta_ps\n9223372036854775808\n", "write times of at least 0 and less than that"),
    ],
)
def test_a_bad_csv_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ScenarioError, match=sentence):
        read_recording(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("none.csv", "none.json"):
        with pytest.raises(ScenarioError, match=f"{name}.* cannot be read"):
            read_recording(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("sample,rtt_µs\n0,1.1\n".encode("latin-1"), "is not UTF-8"),
        (b"sample,rtt_us\n0," + b"1" * 140_000 + b"\n", "is no CSV file"),
        (b"#, usec\n0, 1.1\n", "no column of times: its header says #,  usec,.*one of _ps, _ns"),
        (b"1.0861\n1.0892\n", "no column of times: its header says 1.0861"),
        ("sample,rtt_µs\n0,1.1\n".encode(), "no column of times: its header says sample, rtt_µs"),
    ],
)
def test_a_file_that_is_no_table_of_times_is_refused(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "times.csv"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=sentence):
        read_recording(file)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_bytes(b"\xef\xbb\xbfrtt_us\n1.5\n")
    assert read_recording(file, "rtt_us").tolist() == [1_500_000]
