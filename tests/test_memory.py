import resource
import sys
from pathlib import Path

import pytest

from emulator.memory import available_bytes, check_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_what_is_left_under_a_limit_must_be_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    used = 4096 * int(Path("/proc/self/statm").read_text().split()[0])
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 10**9, -1))
    monkeypatch.setattr("os.sysconf", lambda _: 4096)
    check_memory(9 * 10**8)
    with pytest.raises(MemoryError, match="MB are left of the 1100 MB needed"):
        check_memory(11 * 10**8)


def test_without_a_limit_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    check_memory(2**70)


def test_the_least_of_what_is_left_is_available(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    5000 kB\n")
    monkeypatch.setattr("emulator.memory._MEMINFO", meminfo)
    monkeypatch.setattr("emulator.memory._CGROUP", tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert available_bytes() == 5000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    assert available_bytes() == 5000 * 1024
    (tmp_path / "memory.max").write_text("1000\n")
    assert available_bytes() == 300
    used = 4096 * int(Path("/proc/self/statm").read_text().split()[0])
    monkeypatch.setattr("os.sysconf", lambda _: 4096)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 10**12, -1))
    assert available_bytes() == 300


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_MEMINFO", "_CGROUP"):
        monkeypatch.setattr(f"emulator.memory.{name}", tmp_path / "none")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert available_bytes() is None
