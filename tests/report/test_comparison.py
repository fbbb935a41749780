import io
from dataclasses import replace

from rich.console import Console

from emulator.report.comparison import print_comparison
from emulator.results.comparison import ArmSummary, Comparison, PairedErrors
from emulator.results.result import Outcome
from tests.report.fixture import STAND_IN, changed, make_result, make_windows

RESULT = make_result(make_windows(200))


def arm(scale: int, *, stable: bool | None, outcome: Outcome, rate: float | None) -> ArmSummary:
    changes = {
        "verdict.outcome": outcome,
        "verdict.reaction.quantile": 0.999,
        "verdict.reaction.value_ps": 9_000_000 * scale,
        "verdict.throughput.stable": stable,
        "verdict.logical.rate": rate,
    }
    return ArmSummary(changed(RESULT, changes).verdict, 250_000.0 * scale, 5_000_000 * scale)


PAIRED = PairedErrors(
    errors=(31, 62),
    only_first=10,
    only_second=41,
    shots=20_000,
    ratio=2.0,
    ratio_ci=(1.41, 2.72),
    p_value=1.2e-5,
)
COMPARISON = Comparison(
    arms=(
        arm(1, stable=True, outcome="met", rate=0.00155),
        arm(4, stable=False, outcome="missed", rate=0.0031),
    ),
    speedup=4.0,
    reaction_ratio=4.0,
    logical=PAIRED,
)

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


def printed(
    comparison: Comparison, second: str = "predecoder.kind=none", encoding: str = "utf-8"
) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_comparison(comparison, second, Console(file=stream, width=80))
    stream.seek(0)
    lines = stream.read().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def test_what_is_printed() -> None:
    assert printed(COMPARISON) == GOLDEN


def test_a_terminal_without_the_characters_gets_others() -> None:
    text = printed(COMPARISON, encoding="ascii")
    assert "decoding time per round" in text
    assert "1.00 us" in text
    assert "(1.41 .. 2.72), McNemar p = 1.20 x 10^-5" in text


def test_what_is_not_known_is_said() -> None:
    unknown = arm(1, stable=None, outcome="undecided", rate=None)
    unknown = replace(unknown, decoding_ps_per_round=None, reaction_p50_ps=None)
    text = printed(Comparison((unknown, unknown), None, None, None))
    assert text.count("undecided") == 4
    assert "decoding time per round           –" in text
    assert "Speed      – (an arm took no time to decode)" in text
    assert "Logical    – (true observables are not known)" in text


def test_no_errors_give_counts_and_no_ratio() -> None:
    logical = replace(PAIRED, errors=(0, 5), ratio=None, ratio_ci=None)
    text = printed(replace(COMPARISON, logical=logical))
    assert "Logical    0 against 5 errors on the same 20,000 shots\n" in text


def test_an_open_interval_has_a_dash() -> None:
    logical = replace(PAIRED, ratio_ci=(1.41, None))
    assert "(1.41 … –), McNemar" in printed(replace(COMPARISON, logical=logical))


def test_long_changes_are_folded_and_brackets_are_text() -> None:
    text = printed(COMPARISON, 'decoder.timing={kind = "[red]", value = "100 us"}, window.commit=5')
    assert "[red]" in text


def test_each_arm_says_what_its_answers_do_not_stand_for() -> None:
    first, second = COMPARISON.arms
    verdict = changed(RESULT, {"verdict.stand_ins": [STAND_IN]}).verdict
    arms = (first, replace(second, verdict=verdict))
    text = printed(replace(COMPARISON, arms=arms))
    assert "Other arm: answers are those of pymatching, times those of an FPGA\n" in text
    assert "Scenario: " not in text
