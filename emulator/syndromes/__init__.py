"""Rounds of detection events and where they come from.

``emulator.syndromes.build`` opens the source that a scenario asks for.
"""

from emulator.syndromes.circuits import generated_source, raw_bits_per_round, source_from_circuit
from emulator.syndromes.cudaq_folder import read_cudaq_folder, write_cudaq_folder
from emulator.syndromes.cut import WindowModel, cut_windows
from emulator.syndromes.ising_memory import memory_circuit
from emulator.syndromes.samples import source_from_samples
from emulator.syndromes.source import Chunk, CodeInfo, SyndromeSource, bits_per_round

__all__ = [
    "Chunk",
    "CodeInfo",
    "SyndromeSource",
    "WindowModel",
    "bits_per_round",
    "cut_windows",
    "generated_source",
    "memory_circuit",
    "raw_bits_per_round",
    "read_cudaq_folder",
    "source_from_circuit",
    "source_from_samples",
    "write_cudaq_folder",
]
