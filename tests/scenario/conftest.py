"""A small preset library of its own, so that no test depends on the figures of the real one."""

from pathlib import Path

import pytest

from emulator.scenario import presets

PRESETS = {
    "qpu/fast": """
title = "A fast processor"
source = "arXiv 1"
confidence = "published"
[values]
round_period = "1 us"
readout = { kind = "lognormal", median = "400 ns", sigma = 0.1 }
[sources."readout.median"]
source = "arXiv 2"
confidence = "derived"
""",
    "qpu/slow": """
title = "A slow processor"
source = "arXiv 3"
confidence = "assumed"
[values]
round_period = "1 ms"
reaction_limit = "2 ms"
""",
    "link/cable": """
title = "A cable"
source = "data sheet"
confidence = "measured"
notes = "One hop."
[values]
rate = "100 Gbit/s"
latency = { kind = "constant", value = "2 us" }
[sources.latency]
confidence = "derived"
""",
    "link/broken": "title = ",
    "decoder/vouched": """
title = "A decoder"
source = "a talk"
confidence = "assumed"
[values]
timing = { kind = "constant", value = "9 us", source = "a paper", confidence = "published" }
""",
}


@pytest.fixture
def preset_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "presets"
    for name, text in PRESETS.items():
        file = folder / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(presets, "library", lambda: folder)
    return folder
