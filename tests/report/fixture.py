"""A small run with plausible numbers, made on the spot, for the tests of the reports."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.loop.records import STAGES, TIMESTAMPS
from emulator.results.result import Result

PERIOD_PS = 11_000_000
LIMIT_PS = 40_000_000


def make_windows(count: int = 2000, seed: int = 7) -> dict[str, NDArray[np.int64]]:
    """Windows of 11 rounds through every stage, two pre-decoder streams and three matchers."""
    rng = np.random.default_rng(seed)
    spend = {
        "readout": np.full(count, 120_000),
        "packetise": np.full(count, 236_218),
        "uplink": 1_050_000 + rng.integers(0, 90_000, count),
        "ring": np.zeros(count, np.int64),
        "dispatch": 650_000 + rng.integers(0, 40_000, count),
        "predecode": 9_800_000 + (rng.gamma(2.0, 350_000, count)).astype(np.int64),
        "decode": (6_000_000 * np.exp(rng.normal(0.0, 0.55, count))).astype(np.int64),
        "downlink": 1_020_000 + rng.integers(0, 60_000, count),
        "apply": np.full(count, 96_000),
    }
    now = (np.arange(count, dtype=np.int64) + 1) * PERIOD_PS
    columns = {"emitted_ps": now}
    for stage, stamp in zip(STAGES, TIMESTAMPS[1:], strict=True):
        servers = {"predecode_queue": ("predecode", 2), "decode_queue": ("decode", 3)}.get(stage)
        now = _starts(now, spend[servers[0]], servers[1]) if servers else now + spend[stage]
        columns[stamp] = now
    window = np.arange(count, dtype=np.int64)
    return {
        "window": window,
        "patch": np.zeros(count, np.int64),
        "shot": window // 100,
        "first_round": 11 * (window % 100),
        "last_round": 11 * (window % 100) + 10,
        **columns,
    }


def _starts(
    ready: NDArray[np.int64], service: NDArray[np.int64], servers: int
) -> NDArray[np.int64]:
    free = [0] * servers
    starts = np.empty_like(ready)
    for k, (at, takes) in enumerate(zip(ready.tolist(), service.tolist(), strict=True)):
        server = free.index(min(free))
        starts[k] = max(at, free[server])
        free[server] = int(starts[k]) + takes
    return starts


def make_backlog(windows: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Rounds emitted but not decoded whenever a window is decoded."""
    ends = np.sort(windows["decode_end_ps"])
    emitted = ends // (PERIOD_PS // 11)
    return np.stack([ends, emitted - 11 * np.arange(1, len(ends) + 1)], axis=1)


def changed(result: Result, changes: dict[str, Any]) -> Result:
    """The same result with other values, by dotted key: ``{"verdict.reaction.value_ps": None}``."""
    data = result.model_dump()
    for key, value in changes.items():
        *parents, name = key.split(".")
        table = data
        for parent in parents:
            table = table[parent]
        assert name in table, key
        table[name] = value
    return Result.model_validate(data)


def finding(text: str, outcome: str | None = "met", **rest: Any) -> dict[str, Any]:
    """A finding as plain data."""
    return {"criterion": "x", "outcome": outcome, "text": text, **rest}


STAND_IN = {
    "stage": "decode",
    "answers": "pymatching",
    "times": "an FPGA",
    "text": "answers are those of pymatching, times those of an FPGA",
}
DROPPED = {
    "errors": 1,
    "of": 2,
    "share": 0.5,
    "allowed": 0.5,
    "text": "the decoder did without 1 of 2 errors",
}


def make_result(windows: dict[str, NDArray[np.int64]]) -> Result:
    """A result that belongs to ``windows``."""
    count = len(windows["window"])
    reaction = windows["applied_ps"] - windows["emitted_ps"]
    misses = int((reaction > LIMIT_PS).sum())
    p99 = int(np.quantile(reaction, 0.99))
    rounds = 11 * count
    data = {
        "schema_version": 2,
        "scenario": SCENARIO,
        "sources": SOURCES,
        "versions": {"roundtrip-emulator": "0.1.0", "numpy": "2.4.6", "stim": "1.15.0"},
        "seed": 20260,
        "engine": "batch",
        "machine": MACHINE,
        "repeatable": True,
        "verdict": {
            "outcome": "met",
            "decide": None,
            "confidence": 0.95,
            "warmup_windows": 0,
            "text": "budget met: p99 reaction 34.1 us within the limit of 40 us",
            "reasons": [item["text"] for item in FINDINGS],
            "findings": FINDINGS,
            "throughput": {
                "utilisation_by_stage": {"uplink": 0.031, "predecode": 0.478, "decode": 0.214},
                "load_by_stage": {
                    "uplink": {"value": 0.031, "ci": [0.031, 0.031]},
                    "predecode": {"value": 0.482, "ci": [0.479, 0.485]},
                    "decode": {"value": None, "ci": None},
                },
                "backlog_slope_rounds_per_s": 12.5,
                "ci": [-310.0, 335.0],
                "stable": True,
                "bottleneck": "predecode",
                "lost_share": 0.0,
            },
            "reaction": {
                "quantile": 0.99,
                "value_ps": p99,
                "ci_ps": [p99 - 900_000, p99 + 1_400_000],
                "limit_ps": LIMIT_PS,
                "samples": count,
                "autocorrelation_windows": 1.8,
                "method": "batch means",
                "note": None,
            },
            "logical": {
                "errors": 38,
                "shots": 20_000,
                "rate": 0.0019,
                "ci": [0.00134, 0.00261],
                "decoder_errors": 31,
                "decoder_rate": 0.00155,
                "decoder_ci": [0.00108, 0.00216],
                "decoder_ci_likelihood_1000": [0.0007, 0.003],
                "decoder_per_round": 1.41e-6,
                "decoder_per_round_ci": [9.82e-7, 1.97e-6],
                "late": 6,
                "lost": 1,
                "unfinished": 0,
                "limit": None,
            },
            "deadline": {
                "limit_ps": LIMIT_PS,
                "misses": misses,
                "lost": 0,
                "samples": count,
                "rate": misses / count,
                "ci": [0.0002, 0.0036],
            },
            "idle": None,
            "disturbed": None,
        },
        "predecoder": {
            "density_in": 0.0213,
            "density_out": 0.00391,
            "factor": 5.45,
            "windows": count,
            "detectors": 1000 * count,
            "events_in": 213 * count // 10,
            "events_out": 391 * count // 100,
            "emptied": 3,
        },
        "stages": [_stage(name, windows, reaction) for name in STAGES],
        "rounds": {
            "emitted": rounds + 33,
            "decoded": rounds,
            "in_flight": 22,
            "lost": 11,
            "lost_by_cause": {"ring_full": 11, "link": 0},
        },
    }
    return Result.model_validate(data)


MACHINE = {"model": "bench", "processor": "EPYC", "cores": 2, "clock": "tsc"}
MACHINE |= {"load": 0.12, "date": "2026-01-02T03:04:05Z"}

FINDINGS = [
    finding("p99 reaction 34.1 us within the limit of 40 us"),
    finding("keeps up: stage predecode is the busiest, load 0.482"),
    finding("logical error rate 0.0019 per shot, no limit asked", None),
]


def _stage(
    name: str, windows: dict[str, NDArray[np.int64]], reaction: NDArray[np.int64]
) -> dict[str, Any]:
    k = STAGES.index(name)
    spent = windows[TIMESTAMPS[k + 1]] - windows[TIMESTAMPS[k]]
    source, confidence = TIMING.get(name, ("waiting", "derived"))
    return {
        "name": name,
        "timing_source": source,
        "timing_confidence": confidence,
        "mean_ps": int(spent.mean()),
        "p50_ps": int(np.quantile(spent, 0.5)),
        "p99_ps": int(np.quantile(spent, 0.99)),
        "p999_ps": None,
        "max_ps": int(spent.max()),
        "share": float(spent.mean() / reaction.mean()),
    }


TIMING = {
    "readout": ("constant", "assumed"),
    "packetise": ("rtl cycles", "derived"),
    "uplink": ("constant", "published"),
    "dispatch": ("lognormal", "assumed"),
    "predecode": ("profile", "measured"),
    "decode": ("profile", "measured"),
    "downlink": ("constant", "published"),
    "apply": ("rtl cycles", "derived"),
}

SCENARIO = {
    "run": {"title": "Surface code d = 11 behind 100 Gbit/s", "seed": 20260},
    "qpu": {"round_period": "1 us", "distance": 11, "readout": {"kind": "constant"}},
    "link": {"up": {"rate": "100 Gbit/s", "latency": "1 us"}, "loss": 0.0},
    "host": {"slots": 64, "dispatch": "650 ns"},
    "predecoder": {"streams": 2, "batch": 1},
    "decoder": {"name": "pymatching", "workers": 3},
    "budget": {"reaction": "40 us", "quantile": 0.99},
}


def _source(kind: str, where: str, source: str | None, confidence: str | None) -> dict[str, Any]:
    return {"kind": kind, "where": where, "source": source, "confidence": confidence}


SOURCES = {
    "link.up.rate": _source("file", "surface_d11.toml:12", None, None),
    "link.up.latency": _source("preset", "link/roce_100g", "arXiv 2203.16895", "published"),
    "link.loss": _source("default", "built-in", None, None),
    "host.slots": _source("preset", "host/server", "queue depth of the adapter", "derived"),
    "host.dispatch": _source("preset", "host/server", None, "assumed"),
    "qpu.round_period": _source("preset", "qpu/transmon", "arXiv 2408.13687", "published"),
    "decoder.workers": _source("command line", "--set decoder.workers=3", None, None),
    "predecoder.streams": _source("preset", "predecoder/small", "profile of 2 streams", "measured"),
}
