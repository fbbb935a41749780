"""The quantile function of the normal distribution."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["normal_quantile"]

Floats = NDArray[np.float64]

# Coefficients of PPND16 (Wichura, Algorithm AS 241, Applied Statistics 37, 477 (1988)), from the
# highest power to the lowest: a relative error of about 1e-16.
_MIDDLE = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.3871328727963666080,
    ),
    (
        5226.4952788528545610,
        28729.085735721942674,
        39307.895800092710610,
        21213.794301586595867,
        5394.1960214247511077,
        687.18700749205790830,
        42.313330701600911252,
        1.0,
    ),
)
_TAIL = (
    (
        7.74545014278341407640e-4,
        0.0227238449892691845833,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.76949722146069140550,
        4.63033784615654529590,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        0.0151986665636164571966,
        0.14810397642748007459,
        0.68976733498510000455,
        1.67638483018380384940,
        2.05319162663775882187,
        1.0,
    ),
)
_FAR_TAIL = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        0.0012426609473880784386,
        0.026532189526576123093,
        0.29656057182850489123,
        1.7848265399172913358,
        5.4637849111641143699,
        6.6579046435011037772,
    ),
    (
        2.04426310338993978564e-15,
        1.4215117583164458887e-7,
        1.8463183175100546818e-5,
        7.868691311456132591e-4,
        0.0148753612908506148525,
        0.13692988092273580531,
        0.59983220655588793769,
        1.0,
    ),
)

_FAR = 5.0  # depth, the square root of -log(tail probability), at which the far tail begins


def normal_quantile(probability: Floats) -> Floats:
    """Value below which a standard normal lies with each ``probability`` in (0, 1), elementwise.

    Written out because SciPy takes longer to import than a short run does to compute.
    """
    offset = probability - 0.5
    found = offset * _ratio(_MIDDLE, 0.180625 - offset * offset)
    tail = np.abs(offset) > 0.425
    distance = np.minimum(probability[tail], 1 - probability[tail])
    depth = np.sqrt(-np.log(distance))
    size = _ratio(_TAIL, depth - 1.6)
    far = depth > _FAR
    size[far] = _ratio(_FAR_TAIL, depth[far] - _FAR)
    found[tail] = np.copysign(size, offset[tail])
    return found


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    above, below = (_polynomial(each, x) for each in coefficients)
    ratio: Floats = above / below
    return ratio


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    """Horner's scheme in place, as np.polyval computes it with two new arrays a step."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value
