"""What no loop may exceed, whichever engine runs it."""

from emulator.errors import RoundtripError
from emulator.loop.config import LoopConfig
from emulator.loop.slots import check_slots
from emulator.units import MAX_TIME_PS

__all__ = ["RunTooLongError", "check_loop"]


class RunTooLongError(RoundtripError):
    """A run that goes on for longer than a record holds."""

    def __init__(self, text: str = "") -> None:
        """Say so, if no other text is given."""
        super().__init__(
            text
            or "the run goes on beyond 2^63 ps (106 days), more than a time stamp holds; shorten "
            "the times of its stages, or run fewer shots"
        )


def check_loop(config: LoopConfig) -> None:
    """Raise ValueError for rounds that are emitted for too long, or a ring that is too small.

    Rounds are emitted for up to `MAX_TIME_PS`; for the ring see `slots.check_slots`.
    """
    horizon_ps = config.emission.horizon_ps
    if horizon_ps > MAX_TIME_PS:
        raise ValueError(f"horizon_ps(={horizon_ps}) must be <= {MAX_TIME_PS}, 106 days.")
    check_slots(config)
