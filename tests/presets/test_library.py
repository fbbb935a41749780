"""Every file of the preset library says where its values come from, and they can be built."""

import pickle
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import emulator
from emulator.scenario.delays import Confidence, Curve, Delay
from emulator.scenario.presets import preset_names, read_preset
from emulator.scenario.quantities import Section
from emulator.scenario.sections import (
    DecoderSection,
    FpgaSection,
    HostSection,
    LinkSection,
    PredecoderSection,
    QpuSection,
)
from emulator.timing import Stream, TimingContext, build

FOLDER = Path(emulator.__file__).parent / "presets"
FILES = sorted(FOLDER.glob("*/*.toml"))
TABLES: dict[str, type[Section]] = {
    "qpu": QpuSection,
    "fpga": FpgaSection,
    "link": LinkSection,
    "host": HostSection,
    "predecoder": PredecoderSection,
    "decoder": DecoderSection,
}
DELAYS = ("readout", "latency", "dispatch", "timing")
EXPECTED = {
    "qpu": "google_willow gidney_rsa ibm_gross sustech_d3 quantinuum_helios ionq_cat "
    "neutral_atoms silicon_spin",
    "fpga": "hsb_512 hsb_64 ideal",
    "link": "nvqlink nvqlink_2026_forward nvqlink_2026_unified nvqlink_gb200_forward "
    "nvqlink_gb200_unified nvqlink_gb200_three_kernel backline_cpu backline_gpu thqlink "
    "udp_kernel dpdk pcie_dma on_fpga ideal",
    "host": "nvqlink_persistent_kernel cudaq_pipeline cudaq_enqueue ideal",
    "predecoder": "ising_fast_gb300_p003 ising_fast_gb300_p006 ising_accurate_gb300_p003 "
    "ising_accurate_gb300_p006 ising_accurate_gb300_t104 ising_fast_gb300_t104 "
    "trt_fp16_gb200_d13_t104 this_machine",
    "decoder": "pymatching_grace_p003 pymatching_grace_p006 pymatching_d13_t104 "
    "pymatching_m1max_p001 pymatching_after_predecoder_gb200 included_in_predecoder "
    "this_machine relay_bp_fpga helios_uf micro_blossom collision_clustering lcd "
    "google_realtime alphaqubit2_rt nv_fusion",
}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")


def content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def keys(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{key}.")


def test_the_library_is_complete() -> None:
    assert {path.parent.name for path in FILES} == set(EXPECTED)
    for kind, names in EXPECTED.items():
        assert set(names.split()) <= {path.stem for path in (FOLDER / kind).glob("*.toml")}


@each_file
def test_a_preset_states_source_and_confidence(path: Path) -> None:
    preset = content(path)
    assert preset["title"].strip()
    for stated in (preset, *preset.get("sources", {}).values()):
        assert stated["source"].strip()
        assert stated["confidence"] in get_args(Confidence)
    assert set(preset.get("sources", {})) <= set(keys(preset["values"]))


@each_file
def test_its_facts_agree_with_its_values(path: Path) -> None:
    preset = read_preset(path.parent.name, path.stem)
    for kind, name in preset.use_with.items():
        assert name in preset_names(kind)
    if preset.stands_in:
        assert preset.values["algorithm"] == "pymatching"
    timing = preset.values.get("timing")
    points = timing.get("points", []) if isinstance(timing, dict) else []
    for key in ("distance", "rounds"):
        listed = {point[key] for point in points if key in point}
        stated = getattr(preset, key)
        assert stated is None or listed <= {stated}
        # what holds for one size only says so
        if key == "distance" and len(listed) == 1:
            assert stated is not None


@each_file
def test_its_values_fit_the_table(path: Path) -> None:
    values = content(path)["values"]
    table = TABLES[path.parent.name].model_validate(values)
    assert table.model_fields_set == set(values)
    assert type(table).model_validate_json(table.model_dump_json()) == table


def stated_delays(path: Path) -> list[Delay]:
    values = content(path)["values"]
    table = TABLES[path.parent.name].model_validate(values)
    found = (getattr(table, key) for key in DELAYS if key in values)
    return [delay for delay in found if not isinstance(delay, str)]


@each_file
def test_its_delays_can_be_built(path: Path) -> None:
    for delay in stated_delays(path):
        contexts = [TimingContext()]
        if isinstance(delay, Curve):
            contexts = [
                TimingContext(point.distance, frozenset({point.rounds or point.distance}), point.p)
                for point in delay.points
            ]
        for context in contexts:
            made = build(delay, context=context, stream=Stream(1, 1))
            assert pickle.loads(pickle.dumps(made)) == made
            read, rounds = made.reader(), max(context.window_rounds, default=0)
            times = [read(i, busy, 1, rounds) for i in range(100) for busy in (1, 5)]
            assert 0 <= min(times) <= max(times) <= made.longest_ps(rounds)
