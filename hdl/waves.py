"""Waves of a run's stimulus: ``python -m hdl.waves STIMULUS.jsonl [--out FOLDER]``.

Plays what ``roundtrip trace stimulus`` wrote through ``packetiser_top`` and writes waves.vcd, every
signal of it, and waves.gtkw, with which GTKWave shows the streams, requests and corrections. Clock
edges are where the emulator has them, so that time zero and every picosecond are those of the
Perfetto timeline of the same run.
Exit code 0; 2: the file cannot be used; 3: a tool is missing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from emulator.errors import RoundtripError
from hdl.check import play, read
from hdl.toolchain import ROOT

__all__ = ["main", "save_file"]

_TOP = "packetiser_top"
_GROUPS = {
    "readout": ("rd_clk", "s_axis_tvalid", "s_axis_tready", "s_axis_tlast", "s_axis_tdata"),
    "messages": (
        "up.message_tvalid",
        "up.message_tready",
        "up.message_tlast",
        "up.come",
        "up.req_valid",
        "up.req_id",
    ),
    "frames to the MAC": (
        "clk",
        "tx_axis_tvalid",
        "tx_axis_tready",
        "tx_axis_tlast",
        "tx_axis_tkeep",
        "tx_axis_tdata",
    ),
    "frames from the MAC": (
        "rx_axis_tvalid",
        "rx_axis_tready",
        "rx_axis_tlast",
        "rx_axis_tdata",
    ),
    "corrections": ("m_corr_valid", "m_corr_patch", "m_corr_id", "m_corr_bits"),
    "losses": ("stat_round_dropped", "stat_message_bad", "stat_bad_icrc", "stat_unknown"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the waves of one stimulus, say where, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hdl.waves", description=__doc__)
    parser.add_argument("file", type=Path, help="what roundtrip trace stimulus wrote")
    parser.add_argument("--out", type=Path, help="folder; default that of the file")
    options = parser.parse_args(arguments)
    folder = options.out or options.file.parent
    try:
        header, expected = read(options.file)
        folder.mkdir(parents=True, exist_ok=True)
        waves = folder / "waves.vcd"
        play(options.file, header, build_dir=ROOT / "sim_build", waves=waves)
    except RoundtripError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{folder} cannot be written ({error.strerror}); name another with --out")
        return 2
    save = folder / "waves.gtkw"
    edges, span_ps = header["clock"]["edges"], header["clock"]["span_ps"]
    first_ps = min(entry["cycle"] for entry in expected["round"]) * span_ps // edges
    save.write_text(save_file(waves, header, first_ps), encoding="utf-8")
    print(f"{waves}: {len(expected['frame'])} frames; gtkwave {save} shows them")
    return 0


def save_file(waves: Path, header: dict[str, int], marker_ps: int) -> str:
    """Text of a GTKWave save file that opens ``waves`` with a marker at ``marker_ps``."""
    widths = {
        "s_axis_tdata": header["patches"] * header["in_w"],
        "tx_axis_tdata": header["data_w"],
        "rx_axis_tdata": header["data_w"],
        "tx_axis_tkeep": header["data_w"] // 8,
        "m_corr_patch": 8,
        "m_corr_id": 32,
        "m_corr_bits": 256,
        "up.req_id": 32,
    }
    by_patch = ("s_axis_t", "up.message_t", "up.come", "stat_round", "stat_message")
    lines = [f'[dumpfile] "{waves.name}"', f"*-20.0 {marker_ps}", f"[treeopen] TOP.{_TOP}."]
    for group, signals in _GROUPS.items():
        lines += ["@200", f"-{group}"]
        for signal in signals:
            patches = header["patches"] if signal.startswith(by_patch) else 1
            width = widths.get(signal, patches)
            lines.append("@22" if width > 1 else "@28")
            lines.append(f"TOP.{_TOP}.{signal}" + (f"[{width - 1}:0]" if width > 1 else ""))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
