"""``python -m emulator.cli`` is ``roundtrip``."""

import sys

from emulator.cli import entry

sys.exit(entry())
