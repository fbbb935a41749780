import json

import pytest

from emulator.cli import main
from emulator.scenario import schema_text


def test_schema_prints_what_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    shown = capsys.readouterr().out
    assert shown == schema_text()
    assert json.loads(shown)["properties"]["qpu"]
