"""The machine that times were measured on, in a few facts that cost about a millisecond to read."""

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Machine", "machine_facts"]

_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_CPUINFO = Path("/proc/cpuinfo")
_DMI = Path("/sys/class/dmi/id")
_HYPERVISOR = Path("/sys/hypervisor/type")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the times of a measurement depend on; None for what the system does not tell.

    ``model``: maker and product as the firmware names them. ``hypervisor``: its name, or "yes"
    where only its presence is known. ``processor``: its model name. ``cores``: those that this
    process may use. ``clock``: the kernel's clock source, such as "tsc". ``load``: load average of
    the last minute when the facts were read, and ``date`` that moment, in UTC, to the second
    (ISO 8601). ``system``: kernel and its release.
    """

    model: str | None
    hypervisor: str | None
    processor: str
    cores: int
    clock: str | None
    load: float | None
    date: str
    system: str

    def words(self) -> dict[str, str]:
        """All known facts as text, by name."""
        found = {name: value for name, value in asdict(self).items() if value is not None}
        return {
            name: f"{value:.2f}" if isinstance(value, float) else str(value)
            for name, value in found.items()
        }


def machine_facts() -> Machine:
    """Read the facts of this machine now."""
    cpuinfo = _first_processor()
    vendor, product = (_text(_DMI / name) for name in ("sys_vendor", "product_name"))
    present = "yes" if " hypervisor" in cpuinfo.get("flags", "") else None
    return Machine(
        model=" ".join(filter(None, (vendor, product))) or None,
        hypervisor=_text(_HYPERVISOR) or present,
        processor=cpuinfo.get("model name") or platform.processor() or platform.machine(),
        cores=_cores(),
        clock=_text(_CLOCK_SOURCE),
        load=_load(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        system=f"{platform.system()} {platform.release()}",
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def _first_processor() -> dict[str, str]:
    """Fields of the first processor; the whole file is long where there are many."""
    try:
        with _CPUINFO.open("rb") as file:
            head = file.read(8192).decode("utf-8", errors="replace")
    except OSError:
        return {}
    found = {}
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            break
        found[name.strip()] = value.strip()
    return found
