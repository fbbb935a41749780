"""Latency and throughput beside the sensor bridge: ``python -m hdl.cycles`` measures and prints.

The figures of the packetiser in ``hdl/rtl`` are counted in simulation, here and now; those of the
NVIDIA Holoscan Sensor Bridge were recorded in an RTL simulation of
github.com/nvidia-holoscan/holoscan-sensor-bridge, HSB_IP version 0x2606, metadata off.
Exit code 0; 3 without the tools to simulate.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator.errors import RoundtripError
from hdl.toolchain import ROOT, RTL, run_bench

__all__ = ["main", "measure", "table"]

MHZ = {512: 322.265625, 64: 156.25}

# payload bytes: cycles between windows, saturated
BRIDGE_SPACING = {
    512: {64: 48, 128: 48, 256: 48, 512: 48, 1024: 50, 3968: 96},
    64: {64: 50, 128: 60, 256: 74, 512: 108, 1024: 170, 1408: 218},
}
# last beat in to first beat out, for a window of one beat and of several; the way back likewise
BRIDGE_LATENCY = {512: "23 / 22", 64: "22"}
BRIDGE_RECEIVE = {512: "18 / 17, without looking at the ICRC", 64: "-"}


def main() -> int:
    """Measure at both widths, print the table, return the exit code."""
    try:
        figures = {width: measure(width) for width in MHZ}
    except RoundtripError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(table(figures)))
    return 0


def measure(width: int) -> dict[str, Any]:
    """Cycles counted in simulation: ``latency`` and ``spacing`` by payload, ``up``, ``down``."""
    figures: dict[str, Any] = {}
    sizes = ",".join(map(str, BRIDGE_SPACING[width]))
    sources = sorted(path.name for path in RTL.glob("*.v"))
    for top, testcase in (("roce_tx", "transmitter"), ("packetiser_top", "both_ways")):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "cycles.json"
            run_bench(
                top,
                sources,
                "hdl.tb.tb_cycles",
                {"DATA_W": width},
                build_dir=ROOT / "sim_build",
                testcase=testcase,
                extra_env={"CYCLES_OUT": str(out), "CYCLES_SIZES": sizes},
            )
            figures |= json.loads(out.read_text(encoding="utf-8"))
    return figures


def table(figures: Mapping[int, Mapping[str, Any]]) -> Sequence[str]:
    """Rows of a Markdown table for each width, cycles of the packetiser and of the bridge."""
    lines = []
    for width, found in figures.items():
        latency = sorted(set(found["latency"].values()))
        lines += [
            f"{width} bit, {MHZ[width]:g} MHz (one cycle {1000 / MHZ[width]:.3f} ns)",
            "",
            "| cycles | packetiser in hdl/rtl | sensor bridge |",
            "| --- | --- | --- |",
            _row("first beat of a window in to its frame out, cut-through", latency, "-"),
            _row("last beat in to frame out, with crossing", [found["up"]], BRIDGE_LATENCY[width]),
            _row(
                "last beat of a response in to correction out, with crossing",
                [found["down"]],
                BRIDGE_RECEIVE[width],
            ),
        ]
        for size, bridge in BRIDGE_SPACING[width].items():
            mine = found["spacing"][str(size)]
            ratio = f"{bridge}, {bridge / mine:.1f} times as long"
            lines.append(_row(f"between windows of {size} B, saturated", [mine], ratio))
        lines.append("")
    return lines


def _row(what: str, mine: Sequence[float], bridge: str) -> str:
    return f"| {what} | {' / '.join(f'{cycles:g}' for cycles in mine)} | {bridge} |"


if __name__ == "__main__":
    sys.exit(main())
