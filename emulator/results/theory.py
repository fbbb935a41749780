"""Closed forms of queueing theory that a run of the loop is checked against.

Loads are utilisations (service time over time between arrivals). Waits are in the unit of the
times given, and in service times where only a load is given.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["dm1_wait", "lindley_waits", "little", "md1_wait", "mg1_wait", "terhal_wait"]


def lindley_waits(
    service_ps: NDArray[np.int64], interarrival_ps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Waits in a first-come-first-served queue with one server, exact in picoseconds.

    ``service_ps`` has shape (..., n), ``interarrival_ps`` (..., n - 1) with entry k the time
    between arrivals k and k + 1; returns int64 (..., n). The recursion W' = max(0, W + S - A)
    (Lindley, Proc. Camb. Phil. Soc. 48, 277, 1952) is the free walk less its running minimum.
    """
    if service_ps.shape[-1] != interarrival_ps.shape[-1] + 1:
        raise ValueError(
            f"{service_ps.shape[-1]} services need {service_ps.shape[-1] - 1} times between "
            f"arrivals, got {interarrival_ps.shape[-1]}."
        )
    walk = np.zeros(service_ps.shape, dtype=np.int64)
    np.cumsum(service_ps[..., :-1] - interarrival_ps, axis=-1, out=walk[..., 1:])
    waits: NDArray[np.int64] = walk - np.minimum.accumulate(walk, axis=-1)
    return waits


def mg1_wait(arrival_rate: float, service_mean: float, service_second_moment: float) -> float:
    """Mean wait of an M/G/1 queue: lambda E[S^2] / (2 (1 - rho)) (Pollaczek and Khinchine)."""
    load = _load(arrival_rate * service_mean)
    return arrival_rate * service_second_moment / (2 * (1 - load))


def md1_wait(load: float) -> float:
    """Mean wait of an M/D/1 queue in service times: rho / (2 (1 - rho))."""
    return mg1_wait(load, 1.0, 1.0)


def dm1_wait(load: float) -> float:
    """Mean wait of a D/M/1 queue in service times: s / (1 - s), s = exp(-(1 - s) / rho).

    The root below 1 in closed form through the Lambert function:
    s = -rho W(-exp(-1 / rho) / rho) (Kleinrock, Queueing Systems I, section 6.4).
    """
    from scipy.special import lambertw

    _load(load)
    root = float(-load * lambertw(-math.exp(-1 / load) / load).real)
    return root / (1 - root)


def terhal_wait(operation: int, slowdown: float, compute: float) -> float:
    """Wait before operation k >= 1 when decoding lags: w_k = Delta (f^k - 1).

    ``slowdown`` f is decoding time over generation time of a round, ``compute`` Delta the time
    between operations. From w_k = f w_(k-1) + (f - 1) Delta: what piled up while waiting must be
    decoded too (Terhal, Rev. Mod. Phys. 87, 307, 2015). No wait at f <= 1.
    """
    return compute * (max(1.0, slowdown) ** operation - 1)


def little(rate: float, latency: float) -> float:
    """Mean number in a system, L = lambda W (Little, Oper. Res. 9, 383, 1961)."""
    return rate * latency


def _load(load: float) -> float:
    if not 0 < load < 1:
        raise ValueError(f"load(={load}) must be between 0 and 1; beyond, the wait has no mean.")
    return load
