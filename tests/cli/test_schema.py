import json

import pytest

from emulator.cli import main
from emulator.results import result_schema_text
from emulator.scenario import schema_text


def test_schema_prints_what_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    shown = capsys.readouterr().out
    assert shown == schema_text()
    assert json.loads(shown)["properties"]["qpu"]


def test_the_schema_of_results_is_printed_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "result"]) == 0
    assert capsys.readouterr().out == result_schema_text()
    assert main(["schema", "scenario"]) == 0
    assert capsys.readouterr().out == schema_text()
