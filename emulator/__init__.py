"""FPGA-in-the-loop latency emulator for quantum error correction."""

__all__ = ["__version__"]

__version__ = "0.1.0"
