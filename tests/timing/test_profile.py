import json
from pathlib import Path

import numpy as np
import pytest

from emulator.errors import ScenarioError
from emulator.timing import Profile, read_profile, write_profile

STAGES = {"decode": np.array([75_600_000, 2**53 + 1], dtype=np.int64)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_profile(Profile({"cpu": "a CPU"}, {"pymatching": "2.4"}, STAGES), path)
    found = read_profile(path)
    assert found.machine == {"cpu": "a CPU"}
    assert found.versions == {"pymatching": "2.4"}
    assert found.stages.keys() == STAGES.keys()
    assert found.stages["decode"].dtype == np.int64
    assert np.array_equal(found.stages["decode"], STAGES["decode"])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"stages": {"decode": []}}, "stages.decode"),
        ({"stages": {"decode": [-1]}}, "stages.decode.0"),
        ({"stages": {"decode": [1.5]}}, "stages.decode.0"),
        (
            {"stages": {"decode": [1, 2**63]}},
            "stages.decode.1: 9223372036854775808: Input should be",
        ),
        ({"stages": {"decode": [10**400]}}, "stages.decode.0: 1000"),
        ({"machine": None}, "machine"),
        ({"speed": 1}, "speed"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    tmp_path: Path, change: dict[str, object], place: str
) -> None:
    path = tmp_path / "profile.json"
    whole = {"schema_version": 1, "machine": {}, "versions": {}, "stages": {"decode": [1]}}
    path.write_text(json.dumps(whole | change), encoding="utf-8")
    with pytest.raises(ScenarioError, match=place):
        read_profile(path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text("stages: 3", encoding="utf-8")
    with pytest.raises(ScenarioError, match="the file: Invalid JSON"):
        read_profile(path)
