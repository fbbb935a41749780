import os
import pickle
import platform
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from emulator import machine
from emulator.machine import Machine, machine_facts


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree in the place of what Linux tells."""
    places = ("_CLOCK_SOURCE", "_CPUINFO", "_DMI", "_HYPERVISOR")
    for name in places:
        monkeypatch.setattr(machine, name, tmp_path / name)
    (tmp_path / "_DMI").mkdir()
    return tmp_path


def test_facts_are_read_from_the_system(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "_CLOCK_SOURCE").write_text("tsc\n")
    (files / "_CPUINFO").write_text(
        "processor\t: 0\nmodel name\t: Fast 9000 @ 1 GHz: new\nflags\t\t: fpu hypervisor sse\n\n"
        "processor\t: 1\nmodel name\t: Slow\n" * 1000
    )
    (files / "_DMI" / "sys_vendor").write_text("Maker\n")
    (files / "_DMI" / "product_name").write_text("box.large\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 4}, raising=False)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.256, 2.0, 3.0))
    found = machine_facts()
    assert found.processor == "Fast 9000 @ 1 GHz: new"
    assert (found.model, found.hypervisor) == ("Maker box.large", "yes")
    assert (found.cores, found.clock, found.load) == (3, "tsc", 1.26)
    assert found.system == f"{platform.system()} {platform.release()}"
    (files / "_HYPERVISOR").write_text("xen\n")
    assert machine_facts().hypervisor == "xen"


def test_what_the_system_does_not_tell_is_none(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> tuple[float, float, float]:
        raise OSError

    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "getloadavg", absent)
    found = machine_facts()
    assert (found.model, found.hypervisor, found.clock, found.load) == (None,) * 4
    assert found.cores == os.cpu_count()
    assert found.processor
    assert found.words().keys() == {"processor", "cores", "date", "system"}
    assert (files / "_DMI").exists()


def test_the_date_is_now_in_utc() -> None:
    found = datetime.fromisoformat(machine_facts().date)
    assert found.utcoffset() == timedelta(0)
    assert found.microsecond == 0


def test_facts_are_words_and_pickle() -> None:
    facts = Machine("m", None, "p", 2, "tsc", 0.5, "2026-01-01T00:00:00+00:00", "Linux 6")
    assert facts.words() == {
        "model": "m",
        "processor": "p",
        "cores": "2",
        "clock": "tsc",
        "load": "0.50",
        "date": "2026-01-01T00:00:00+00:00",
        "system": "Linux 6",
    }
    assert pickle.loads(pickle.dumps(facts)) == facts
