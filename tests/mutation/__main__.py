"""``python -m tests.mutation``: which share of small mistakes the tests of a package notice."""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import Mutant, package_mutants
from tests.mutation.trials import Trial, UnsoundError, trials

__all__ = ["chosen", "main"]

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the fate of each mutant, the share killed, and the survivors; 1 if too few died."""
    options = _options(arguments)
    mutants = chosen(options.root, options.package, options.count, options.seed)
    print(f"{len(mutants)} mutants of {', '.join(options.package)}, seed {options.seed}")
    done = []
    try:
        with tempfile.TemporaryDirectory() as place:
            for trial in trials(mutants, options.root, Path(place), jobs=options.jobs):
                done.append(trial)
                mutant = trial.mutant
                print(f"{trial.fate:8} {mutant.path}:{mutant.line}: {mutant.kind}", flush=True)
    except UnsoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    share = _summary(done)
    return int(share < options.at_least)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--package", action="append", required=True, help="may be repeated")
    parser.add_argument("--count", type=int, default=100, help="mutants of all packages together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs of the tests side by side")
    parser.add_argument("--at-least", type=float, default=0.0, help="share that must be killed")
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout; it is not changed")
    return parser.parse_args(arguments)


def chosen(root: Path, packages: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Draw mutants from those of all packages together, and put them in order again."""
    every = [mutant for package in packages for mutant in package_mutants(root, package)]
    numbers = random.Random(seed).sample(range(len(every)), min(count, len(every)))
    return [every[number] for number in sorted(numbers)]


def _summary(done: Sequence[Trial]) -> float:
    timeouts = [trial for trial in done if trial.fate == "timeout"]
    survivors = [trial for trial in done if trial.fate == "survived"]
    killed = len(done) - len(survivors)
    share = killed / len(done) if done else 0.0
    print(
        f"\n{killed} of {len(done)} killed ({share:.0%}), {len(timeouts)} of them by the time limit"
    )
    for trial in survivors:
        print(f"\nsurvived: {trial.mutant.kind}\n{trial.mutant.diff()}", end="")
    return share


if __name__ == "__main__":
    sys.exit(main())
