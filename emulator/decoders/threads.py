"""One thread for decoders: what is timed is one processor core's work."""

import os

__all__ = ["limit_threads"]

_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def limit_threads() -> None:
    """Ask OpenMP, BLAS and Rayon libraries that are loaded from now on for one thread each.

    They read these variables when they are loaded, so this comes before a decoder is imported.
    What the user has set stays. ONNX Runtime is given its number of threads directly.
    """
    for name in _LIMITS:
        os.environ.setdefault(name, "1")
