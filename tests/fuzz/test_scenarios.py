"""Every scenario that can be drawn ends in a verdict that holds, or in a sentence that helps."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.command import Ended, prepare_folder, run_case
from tests.fuzz.consistency import problems
from tests.fuzz.scenarios import Case, scenarios
from tests.fuzz.smaller import kind_of, smaller

PART = 50  # scenarios a test

pytestmark = pytest.mark.usefixtures("both_engines")

OUR_SETTINGS = settings(
    max_examples=PART,
    database=None,
    deadline=None,  # processor time is limited in run_case
    phases=(Phase.generate,),  # `smaller` knows which parts of a scenario are whole
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fuzz")
    prepare_folder(place)
    return place


def fuzz(part: int, folder: Path) -> Counter[int | None]:
    """Run the scenarios of one part; returns how often each exit code came."""
    codes: Counter[int | None] = Counter()
    failed: list[tuple[Case, list[str]]] = []

    @seed(part)
    @OUR_SETTINGS
    @given(scenarios())
    def check(case: Case) -> None:
        if failed:
            return
        code, found = attempt(case, folder)
        codes[code] += 1
        if found:
            failed.append((case, found))

    check()
    if failed:
        pytest.fail(explanation(*failed[0], folder), pytrace=False)
    return codes


def attempt(case: Case, folder: Path) -> tuple[int | None, list[str]]:
    """Run a case; returns its exit code and what is wrong with how it ended."""
    ended = run_case(case, folder)
    return ended.code, problems(ended) or differences(case, ended, folder)


def explanation(case: Case, problems_seen: list[str], folder: Path) -> str:
    """The failing scenario without what does not matter, and what is wrong with it."""
    if not attempt(case, folder)[1]:
        return "\n".join(["not every time:", *problems_seen, repr(case)])
    kind = kind_of(problems_seen)

    def fails(simpler: Case) -> bool:
        found = attempt(simpler, folder)[1]
        return bool(found) and kind_of(found) == kind

    least = smaller(case, fails)
    return "\n".join([*problems_seen, *attempt(least, folder)[1], repr(least)])


def differences(case: Case, ended: Ended, folder: Path) -> list[str]:
    """Run some of the cases again: the same seed gives the same bytes, at any chunk size."""
    if ended.code not in {0, 1, 4} or not case.again or _is_measured(ended):
        return []
    again = run_case(case, folder, "again")
    if (again.folder / "result.json").read_bytes() != (ended.folder / "result.json").read_bytes():
        return ["the same seed gives another result"]
    chunked = run_case(case, folder, "again", "run.chunk_shots=3")
    results = [run.result() or {} for run in (ended, chunked)]
    numbers = [{k: r[k] for k in ("verdict", "stages", "rounds")} for r in results]
    return [] if numbers[0] == numbers[1] else ["another chunk size gives another result"]


def _is_measured(ended: Ended) -> bool:
    scenario = (ended.result() or {})["scenario"]
    network = scenario["predecoder"] if scenario["predecoder"]["kind"] == "onnx" else {}
    return "measured" in (scenario["decoder"]["timing"], network.get("timing"))


@pytest.mark.parametrize("part", range(4))
def test_a_scenario_ends_in_a_verdict_or_a_sentence(part: int, folder: Path) -> None:
    codes = fuzz(part, folder)
    # neither all refused nor all of one outcome, or it would show nothing
    assert codes[2] <= 0.7 * sum(codes.values())
    assert len(codes) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("part", range(100, 140))
def test_two_thousand_scenarios_end_in_a_verdict_or_a_sentence(part: int, folder: Path) -> None:
    fuzz(part, folder)
