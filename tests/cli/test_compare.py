from pathlib import Path

import pytest

from tests.cli.conftest import Call

GOLDEN = """\

                           scenario   decoder.timing.value=2 us
 ──────────────────────────────────────────────────────────────
 decoding time per round     500 ns                      667 ns
 reaction p50               5.04 µs                     5.54 µs
 reaction p99               5.04 µs                     5.54 µs
 throughput                keeps up                    keeps up
 budget                         met                         met
 logical error rate           0.100                       0.100

Speed      scenario decodes 1.33 times as fast;
           its reaction p50 is 0.910 times the other
Logical    40 / 40 errors on the same 400 shots: 1.00 times as good
           (0.893 … 1.12), McNemar p = 1.00
"""


def test_what_a_comparison_prints(call: Call, recorded: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    found = call("compare", recorded, "--against", "decoder.timing.value=2 us")
    assert found == (0, GOLDEN, "")
    assert set(tmp_path.iterdir()) == before


def test_both_arms_have_the_common_values(call: Call, recorded: Path) -> None:
    shared = ("--set", "run.shots=300", "--set", "decoder.workers=2")
    code, out, _ = call("compare", recorded, *shared, "--against", "budget.reaction=5 us")
    assert code == 0
    assert "30 / 30 errors on the same 300 shots" in out
    [budget] = [line.split() for line in out.splitlines() if line.startswith(" budget")]
    assert budget == ["budget", "met", "missed"]


def test_decoders_are_compared_shot_by_shot(call: Call, recorded: Path) -> None:
    code, out, _ = call("compare", recorded, "--against", "decoder.algorithm=vacuous")
    assert code == 0
    # predicting nothing is right on the last of ten, where matching is wrong, and wrong on the
    # sixth, where matching is right
    flipped = 2 * 40 - 40
    assert f"{40 - 40 + flipped} / 40 errors on the same 400 shots" in out


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (["run.shots=5"], "run.shots"),
        (["run.seed=5", "noise.p=0.01"], "noise and run.seed"),
        (["code.distance=5", "qpu.patches=2"], "code and qpu.patches"),
    ],
)
def test_arms_on_other_shots_are_refused(
    call: Call, sampled: Path, change: list[str], keys: str
) -> None:
    options = [option for value in change for option in ("--against", value)]
    code, out, err = call("compare", sampled, *options)
    assert (code, out) == (2, "")
    assert err == (
        f"error: --against changes {keys}, but both arms must decode the same shots; "
        "change it for both with --set\n"
    )


def test_nothing_to_compare_with_is_a_usage_error(call: Call, recorded: Path) -> None:
    code, _, err = call("compare", recorded)
    assert code == 2
    assert err.startswith("error: Missing option '--against'")
