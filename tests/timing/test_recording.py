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
    with pytest.raises(ScenarioError, match='no column "request"'):
        read_recording(path, "request")


def test_a_delay_may_say_the_unit_of_a_column(tmp_path: Path, profile: Path) -> None:
    path = tmp_path / "latency.tsv"
    path.write_text("request\tdelta\n7\t3839.5\n", encoding="utf-8")
    table = {"kind": "empirical", "file": path.name, "column": "delta", "unit": "ns"}
    assert draws(service(table, base_dir=tmp_path), 1).tolist() == [3_839_500]
    with pytest.raises(ScenarioError, match="is a profile, whose times are in ps; delete unit"):
        read_recording(profile, "decode", "ps")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("none.csv", "none.json"):
        with pytest.raises(ScenarioError, match=f"{name}.* cannot be read"):
            read_recording(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_bytes(b"\xef\xbb\xbfrtt_us\n1.5\n")
    assert read_recording(file, "rtt_us").tolist() == [1_500_000]
