"""The least that a scenario can say, and a way to change it."""

from typing import Any

MINIMAL_TOML = """\
[qpu]
round_period = "1 us"

[code]
task = "surface_code:rotated_memory_x"
distance = 5
rounds = 20

[noise]
model = "si1000"
p = 0.001
"""


def minimal(**tables: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Tables of the same scenario; keys of ``tables`` are added to the table of their name."""
    base: dict[str, dict[str, Any]] = {
        "qpu": {"round_period": "1 us"},
        "code": {"task": "surface_code:rotated_memory_x", "distance": 5, "rounds": 20},
        "noise": {"model": "si1000", "p": 0.001},
    }
    for name, table in tables.items():
        base[name] = {**base.get(name, {}), **table}
    return base
