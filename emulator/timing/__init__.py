"""How long a stage takes, as data: delay models, published curves, recorded times."""

from emulator.timing.build import build
from emulator.timing.context import TimingContext
from emulator.timing.durations import Durations, Losses
from emulator.timing.profile import Profile, read_profile, write_profile
from emulator.timing.service import UNSTATED, Fixed, Reader, Recorded, Service
from emulator.timing.stream import Stream, Streams

__all__ = [
    "UNSTATED",
    "Durations",
    "Fixed",
    "Losses",
    "Profile",
    "Reader",
    "Recorded",
    "Service",
    "Stream",
    "Streams",
    "TimingContext",
    "build",
    "read_profile",
    "write_profile",
]
