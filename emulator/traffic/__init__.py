"""What crosses the link in a run: messages and their sizes, addresses, frames, responses."""

from emulator.traffic.traffic import Traffic

__all__ = ["Traffic"]
