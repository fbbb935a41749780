"""The error of this package: bytes that are not the frame or message they should be."""

from emulator.errors import RoundtripError

__all__ = ["WireError"]


class WireError(RoundtripError):
    """A frame, message, register value or capture that cannot exist or cannot be read."""
