"""Train a pre-decoder, or go on where a training was stopped.

    make train MODEL=nano MINUTES=2
    python -m models.training.train nano --minutes 2

The state lies in one file and is safe at any moment: an interrupted training goes on from it, with
the learning rate it had. Beside it lies the learning curve. Only training counts as minutes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from emulator.syndromes.rotated_patch import ORIENTATIONS
from models.command import run
from models.training.networks import ARCHITECTURES, TrainingError, architecture, require_torch

__all__ = ["main"]

_MODELS = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 after a mistake, 3 without PyTorch."""
    asked = _parser().parse_args(arguments)
    return run("train", lambda: _train(asked))


def _train(asked: argparse.Namespace) -> None:
    architecture(asked.model)
    if not 0 < asked.p <= 0.1:
        raise TrainingError(f"--p: {asked.p} is no noise to train at; give one in (0, 0.1].")
    if asked.check is not None and not asked.check > 0:
        raise TrainingError(f"--check: {asked.check} is no time to measure; give more than 0.")
    require_torch()
    import torch  # noqa: PLC0415 - only after the check

    from models.training.checkpoint import Progress  # noqa: PLC0415 - ditto
    from models.training.loop import Limits, Training, start, train  # noqa: PLC0415 - ditto

    cuda = torch.cuda.is_available()
    if asked.device == "cuda" and not cuda:
        raise TrainingError('--device: "cuda" is not to be found here; give cpu.')
    if asked.threads is not None:
        if asked.threads < 1:
            raise TrainingError(f"--threads: {asked.threads} is too few; give at least 1.")
        torch.set_num_threads(asked.threads)
    limits = Limits(asked.minutes, asked.steps, asked.plan, asked.shots, asked.every)
    fresh = Progress(
        asked.model, asked.distance, asked.rounds, asked.orientation, asked.p, asked.seed
    )
    path = asked.checkpoint or _MODELS / f"{asked.model}.safetensors"
    device = torch.device(asked.device or ("cuda" if cuda else "cpu"))
    training = Training(start(path, fresh, limits), device, bf16=asked.bf16)
    if asked.check is not None:
        from models.training.throughput import throughput  # noqa: PLC0415 - ditto

        print(throughput(training, asked.check).text())
        return
    train(training, limits, path, asked.curve or path.with_suffix(".csv"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.training.train", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", metavar="MODEL", help=", ".join(ARCHITECTURES))
    parser.add_argument("--minutes", type=float, default=2.0, help="stop after so long (2)")
    parser.add_argument("--plan", type=float, help="minutes until the rate is zero (--minutes)")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps instead")
    parser.add_argument("--checkpoint", type=Path, help="state (models/MODEL.safetensors)")
    parser.add_argument("--curve", type=Path, help="learning curve (beside the state, .csv)")
    parser.add_argument("--shots", type=int, default=10000, help="of a point, 0 for none (10000)")
    parser.add_argument("--every", type=float, default=10, help="seconds between lines (10)")
    parser.add_argument("--distance", type=int, default=9, help="of a new training (9)")
    parser.add_argument("--rounds", type=int, default=9, help="ditto: T (9)")
    parser.add_argument("--orientation", choices=ORIENTATIONS, default="XV", help="ditto (XV)")
    parser.add_argument("--p", type=float, default=0.006, help="ditto: noise (0.006)")
    parser.add_argument("--seed", type=int, default=1, help="ditto (1)")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="(cuda where there is one)")
    parser.add_argument("--threads", type=int, help="CPU threads (what PyTorch takes)")
    parser.add_argument(
        "--check", type=float, metavar="SECONDS", help="measure the speed, train nothing"
    )
    parser.add_argument("--bf16", action="store_true", help="convolve in BF16 on a CPU, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
