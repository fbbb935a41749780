from pathlib import Path

import pytest

from emulator.errors import MissingToolError
from hdl.toolchain import ROOT, environment


@pytest.fixture(scope="session")
def build_dir() -> Path:
    """Where simulators are kept between runs; skips the test where they cannot be built."""
    try:
        environment()
    except MissingToolError as error:
        pytest.skip(str(error))
    return ROOT / "sim_build"
