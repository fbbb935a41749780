import resource
import sys
from pathlib import Path

import pytest

from emulator.memory import check_memory

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
