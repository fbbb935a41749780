"""The mutation check itself: which mistakes it makes, and that it tells who survived."""

from pathlib import Path

import pytest

from tests.mutation.__main__ import chosen, main
from tests.mutation.mutants import mutants_of, package_mutants
from tests.mutation.trials import UnsoundError, ordered_tests, trials


def edits(source: str) -> set[str]:
    """The changed lines of all mutants of a source, stripped."""
    found = set()
    for mutant in mutants_of(source, Path("emulator/x/y.py")):
        pairs = zip(mutant.before.splitlines(), mutant.after.splitlines(), strict=True)
        [line] = [after.strip() for before, after in pairs if before != after]
        found.add(line)
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = (a <= b)"}),
        ("x = a >= b", {"x = (a > b)"}),
        ("x = a is None", {"x = (a is not None)"}),
        ("x = a + b", {"x = (a - b)"}),
        ("x = a // b", {"x = (a * b)"}),
        ("x = a and b", {"x = (a or b)"}),
        ("x = -a", {"x = a"}),
        ("x = not a", {"x = a"}),
        ("x = 7", {"x = 8", "x = 6"}),
        ("x = 0", {"x = 1", "x = (-1)"}),
        ("x = 0.5", {"x = 1.0"}),
        ("x = True", {"x = False"}),
        ("x = f(a, b)", {"x = f(b, a)"}),
        ("x = max(a, b)", {"x = a", "x = b"}),
        ("x = np.minimum(a, b)", {"x = a", "x = b"}),
        ("x += a", {"x -= a", "pass"}),
        ("if a: x = b", {"if (not a): x = b"}),
        ("x = b if a else c", {"x = b if (not a) else c"}),
        ("self.x = a", {"pass"}),
        ("del x[a]", {"pass"}),
        ("f(a)", {"pass"}),
        ("raise ValueError(f'{a + b} is 7')", {"pass"}),
        ("s = 'µ – ✓'; x = a * b", {"s = 'µ – ✓'; x = (a // b)"}),
        ("x = (a + b) * c", {"x = ((a - b)) * c", "x = ((a + b) // c)"}),
    ],
)
def test_small_mistakes(source: str, expected: set[str]) -> None:
    assert edits(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""Text of 7 words."""',
        "__all__ = ['a', 'b']",
        "x: tuple[Literal[1], int]",
        "def f(x: Annotated[int, 3]) -> Literal[2]: return x",
        "@dataclass(frozen=True, slots=True)\nclass C: x: int",
        "if TYPE_CHECKING:\n    f(a, 3)",
        "import a",
        "x = f'{a + 1}'",
        "x = f(a, strict=True)",
        "x = f(a, a)",
        "x = f(*a, b)",
        "x = gcd(a, b)",
        "x = min(a)",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert edits(source) == set()


def test_a_mutant_tells_its_place_and_its_diff() -> None:
    [mutant] = mutants_of("a = b\nc = d < e\n", Path("emulator/x/y.py"))
    assert (mutant.line, mutant.kind) == (2, "comparison flipped")
    assert mutant.diff().splitlines()[-2:] == ["-c = d < e", "+c = (d <= e)"]


CALC = '''\
def larger(a, b):
    """Return the larger of two."""
    return a if a > b else b

def double(a):
    return a + a
'''

ENDLESS = """\
def count(n):
    done = 0
    while done < n:
        done += 1
    return done
"""

TESTS = """\
from emulator.tiny.calc import double, larger

def test_larger():
    assert larger(2, 1) == 2
    assert larger(1, 2) == 2

def test_double():
    assert double(3) == 6
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of one package, one of whose mistakes makes no difference."""
    root = tmp_path / "checkout"
    for folder in ("emulator/tiny", "tests/tiny"):
        (root / folder).mkdir(parents=True)
    for folder in ("emulator", "emulator/tiny", "tests", "tests/tiny"):
        (root / folder / "__init__.py").touch()
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["slow: no"]\n')
    (root / "emulator/tiny/calc.py").write_text(CALC)
    (root / "tests/tiny/test_calc.py").write_text(TESTS)
    (root / "tests/tiny/test_other.py").write_text("def test_nothing():\n    assert True\n")
    return root


def test_mutants_live_or_die_as_the_tests_say(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    before = {path: path.read_bytes() for path in checkout.rglob("*.*")}
    mutants = package_mutants(checkout, "tiny")
    fates = {
        (trial.mutant.line, trial.mutant.kind, trial.fate)
        for trial in trials(mutants, checkout, tmp_path / "place")
    }
    assert fates == {
        (3, "comparison flipped", "survived"),  # equal numbers are equal
        (6, "operator swapped", "killed"),
    }
    assert before == {path: path.read_bytes() for path in checkout.rglob("*.*")}


@pytest.mark.slow
def test_a_mutant_without_end_dies_of_the_time_limit(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (checkout / "emulator/tiny/calc.py").write_text(ENDLESS)
    (checkout / "tests/tiny/test_calc.py").write_text(
        "from emulator.tiny.calc import count\n\ndef test_count():\n    assert count(3) == 3\n"
    )
    mutants = package_mutants(checkout, "tiny")
    [endless] = [mutant for mutant in mutants if mutant.kind == "operator swapped"]
    [trial] = trials([endless], checkout, tmp_path / "place", limit_s=20)
    assert trial.fate == "timeout"


def test_what_is_printed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "emulator/tiny/calc.py").write_text("def untested(a):\n    return a < 1 - 0.5\n")
    (checkout / "tests/tiny/test_calc.py").unlink()
    options = ["--package", "tiny", "--root", str(checkout), "--count", "1", "--at-least", "0.5"]
    assert main(options) == 1
    out = capsys.readouterr().out
    assert out.startswith("1 mutants of tiny, seed 0\nsurvived emulator/tiny/calc.py:2: ")
    assert "\n0 of 1 killed (0%), 0 of them by the time limit\n\nsurvived: " in out
    assert "-    return a < 1 - 0.5\n+    return" in out


def test_mutants_are_drawn_by_the_seed(checkout: Path) -> None:
    (checkout / "emulator/tiny/calc.py").write_text("x = [1, 2, 3, 4, 5]\n")
    first, again, other = (chosen(checkout, ["tiny"], 5, seed) for seed in (0, 0, 1))
    assert first == again != other
    every = package_mutants(checkout, "tiny")
    assert [every.index(mutant) for mutant in first] == sorted(map(every.index, first))
    assert len(chosen(checkout, ["tiny"], 1000, 0)) == len(every) == 10


def test_tests_that_fail_without_a_mutant_tell_nothing(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "tests/tiny/test_other.py").write_text("def test_it():\n    assert False\n")
    assert main(["--package", "tiny", "--root", str(checkout)]) == 2
    assert "tests/tiny do not pass as they are" in capsys.readouterr().err
    for file in (checkout / "tests/tiny").glob("test_*.py"):
        file.unlink()
    (tmp_path / "place").mkdir()
    with pytest.raises(UnsoundError, match="has no tests"):
        list(trials(package_mutants(checkout, "tiny"), checkout, tmp_path / "place"))


def test_the_tests_of_a_module_come_first(checkout: Path) -> None:
    folder = checkout / "tests/tiny"
    (folder / "test_a.py").touch()
    (folder / "test_uses.py").write_text("import emulator.tiny.calc")
    found = ordered_tests(checkout, Path("emulator/tiny/calc.py"))
    names = ["test_calc.py", "test_uses.py", "test_a.py", "test_other.py"]
    assert found == [f"tests/tiny/{name}" for name in names]
