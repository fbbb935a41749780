"""A colour code of one's own, as a circuit file, decoded by Chromobius."""

from pathlib import Path

import pytest
import stim

from emulator.run import run_experiment
from emulator.scenario import resolve

# red, green and blue plaquette of the distance-3 triangular colour code (Steane's)
PLAQUETTES = ((0, 1, 2, 3), (1, 2, 4, 5), (2, 3, 5, 6))
ROUNDS = 4


def memory(p: float) -> stim.Circuit:
    """Z-basis memory with measured plaquettes; 4th coordinate 3 + colour, as Chromobius wants."""
    lines = ["R 0 1 2 3 4 5 6"]
    for t in range(ROUNDS):
        lines.append(f"X_ERROR({p}) 0 1 2 3 4 5 6")
        products = " ".join("*".join(f"Z{q}" for q in plaquette) for plaquette in PLAQUETTES)
        lines.append(f"MPP({p}) {products}")
        for colour in range(3):
            back = f" rec[{colour - 6}]" if t else ""
            lines.append(f"DETECTOR({colour}, 0, {t}, {3 + colour}) rec[{colour - 3}]{back}")
    lines.append("M 0 1 2 3 4 5 6")
    for colour, plaquette in enumerate(PLAQUETTES):
        records = " ".join(f"rec[{q - 7}]" for q in plaquette)
        where = f"{colour}, 0, {ROUNDS}, {3 + colour}"
        lines.append(f"DETECTOR({where}) {records} rec[{colour - 10}]")
    lines.append("OBSERVABLE_INCLUDE(0) " + " ".join(f"rec[{q - 7}]" for q in range(7)))
    return stim.Circuit("\n".join(lines))


def test_chromobius_decodes_a_colour_code_in_the_loop(tmp_path: Path) -> None:
    pytest.importorskip("chromobius")
    path = tmp_path / "steane.stim"
    errors = []
    for p in (0.002, 0.02):
        memory(p).to_file(path)
        scenario = {
            "qpu": {"round_period": "1 us"},
            "code": {"source": "circuit", "circuit": str(path), "rounds": ROUNDS},
            "host": {"on_full": "wait"},
            "decoder": {"algorithm": "chromobius"},
            "budget": {"reaction": "1 s"},
            "run": {"shots": 3000},
        }
        result = run_experiment(resolve(scenario)).result
        assert result.rounds.decoded == 3000 * ROUNDS
        errors.append(result.verdict.logical.decoder_errors or 0)
    # one plaquette round flips the logical with 7 * 4 * p single faults if nothing is decoded
    undecoded = 3000 * (1 - (1 - 2 * 0.02) ** (7 * ROUNDS)) / 2
    assert errors[0] < errors[1] < undecoded / 2
