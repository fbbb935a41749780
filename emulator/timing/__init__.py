"""How long a stage takes: delay models, published curves, recorded times."""

from emulator.timing.build import UNSTATED, build
from emulator.timing.context import TimingContext
from emulator.timing.profile import Profile, read_profile, write_profile
from emulator.timing.service import Recorded, Service

__all__ = [
    "UNSTATED",
    "Profile",
    "Recorded",
    "Service",
    "TimingContext",
    "build",
    "read_profile",
    "write_profile",
]
