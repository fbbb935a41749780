"""The Verilog packetiser of ``hdl/rtl`` as Python objects that run it, cycle for cycle."""

from emulator.rtl.downlink import Corrections, Downlink
from emulator.rtl.uplink import Sent, Uplink, UpSettings

__all__ = ["Corrections", "Downlink", "Sent", "UpSettings", "Uplink"]
