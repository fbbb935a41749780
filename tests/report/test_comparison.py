import io
from copy import deepcopy
from typing import Any

from rich.console import Console

from emulator.report.comparison import print_comparison


def arm(scale: int, *, stable: bool | None, meets: bool, rate: float | None) -> dict[str, Any]:
    return {
        "meets_budget": meets,
        "decoding_ps_per_round": 250_000.0 * scale,
        "reaction_p50_ps": 5_000_000 * scale,
        "reaction": {"quantile": 0.999, "value_ps": 9_000_000 * scale},
        "stable": stable,
        "logical": {"rate": rate},
    }


COMPARISON: dict[str, Any] = {
    "arms": [
        arm(1, stable=True, meets=True, rate=0.00155),
        arm(4, stable=False, meets=False, rate=0.0031),
    ],
    "speedup": 4.0,
    "reaction_ratio": 4.0,
    "logical": {
        "errors": [31, 62],
        "only_first": 10,
        "only_second": 41,
        "shots": 20_000,
        "ratio": 2.0,
        "ratio_ci": (1.41, 2.72),
        "p_value": 1.2e-5,
    },
}

GOLDEN = """\

                           scenario   predecoder.kind=none
 ─────────────────────────────────────────────────────────
 decoding time per round     250 ns                1.00 µs
 reaction p50               5.00 µs                20.0 µs
 reaction p99.9             9.00 µs                36.0 µs
 throughput                keeps up           falls behind
 budget                         met                 missed
 logical error rate         0.00155                0.00310

Speed      scenario decodes 4.00 times as fast;
           its reaction p50 is 0.250 times the other
Logical    62 / 31 errors on the same 20,000 shots: 2.00 times as good
           (1.41 … 2.72), McNemar p = 1.20 × 10⁻⁵
"""


def printed(comparison: dict[str, Any], second: str = "predecoder.kind=none") -> str:
    stream = io.StringIO()
    print_comparison(comparison, second, Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def changed(**values: Any) -> dict[str, Any]:
    return {**deepcopy(COMPARISON), **values}


def test_what_is_printed() -> None:
    assert printed(COMPARISON) == GOLDEN


def test_what_is_not_known_is_said() -> None:
    unknown = arm(1, stable=None, meets=True, rate=None)
    unknown |= {"decoding_ps_per_round": None, "reaction_p50_ps": None}
    unknown["reaction"] = {"quantile": 0.999, "value_ps": None}
    text = printed(changed(arms=[unknown, unknown], speedup=None, logical=None))
    assert "undecided" in text
    assert "decoding time per round           –" in text
    assert "Speed      – (an arm took no time to decode)" in text
    assert "Logical    – (true observables are not known)" in text


def test_no_errors_give_counts_and_no_ratio() -> None:
    logical = {**COMPARISON["logical"], "errors": [0, 5], "ratio": None, "ratio_ci": None}
    text = printed(changed(logical=logical))
    assert "Logical    0 against 5 errors on the same 20,000 shots\n" in text


def test_an_open_interval_has_a_dash() -> None:
    logical = {**COMPARISON["logical"], "ratio_ci": (1.41, None)}
    assert "(1.41 … –), McNemar" in printed(changed(logical=logical))


def test_long_changes_are_folded_and_brackets_are_text() -> None:
    text = printed(COMPARISON, 'decoder.timing={kind = "[red]", value = "100 us"}, window.commit=5')
    assert "[red]" in text
