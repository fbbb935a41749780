"""Scenario files: physical models, presets merged in, and where every value came from."""

from emulator.scenario.layers import Origin
from emulator.scenario.load import Resolved, load_scenario, resolve
from emulator.scenario.presets import PRESET_KINDS, Preset, preset_names, read_preset
from emulator.scenario.scenario import Scenario, dump
from emulator.scenario.schema import json_schema, schema_text
from emulator.scenario.shipped import find_scenario, scenario_names

__all__ = [
    "PRESET_KINDS",
    "Origin",
    "Preset",
    "Resolved",
    "Scenario",
    "dump",
    "find_scenario",
    "json_schema",
    "load_scenario",
    "preset_names",
    "read_preset",
    "resolve",
    "scenario_names",
    "schema_text",
]
