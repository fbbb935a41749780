"""Figures of a result: functions that take numbers and return a Plotly figure as plain data."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.report.display import (
    server_label,
    show_number,
    show_quantile,
    show_time,
    stage_label,
    time_unit,
)
from emulator.results.result import Logical, PredecoderCounts, Reaction, Stage, Throughput

__all__ = [
    "Figure",
    "backlog_over_time",
    "ccdf",
    "latency_ccdf",
    "logical_error",
    "stage_waterfall",
    "thin_backlog",
    "thinning",
    "utilisation",
]

Figure = dict[str, Any]
"""``{"data": [traces], "layout": {...}}``, as Plotly.newPlot takes it; JSON types only."""

MAX_POINTS = 500

ACCENT, PALE, INK, GRID, LIMIT = "#1d5a8c", "#bcd3e6", "#1f2933", "#e4e8ec", "#b3261e"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


def ccdf(
    values: NDArray[np.int64], max_points: int = MAX_POINTS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Complementary distribution: sorted distinct x and the share of ``values`` that is >= x.

    ``values`` is int64 (n,); both results have k <= ``max_points`` entries. Where there are more
    distinct values, the largest ``max_points // 2`` are all kept, the tail being the point of the
    plot, and the rest is picked evenly in the logarithm of the share.
    """
    x, counts = np.unique(values, return_counts=True)
    share = np.cumsum(counts[::-1])[::-1] / max(1, len(values))
    if len(x) <= max_points:
        return x, share
    tail = max_points // 2
    body = share[: len(x) - tail]
    targets = np.geomspace(body[-1], body[0], max_points - tail)
    picks = len(body) - 1 - np.searchsorted(body[::-1], targets).clip(max=len(body) - 1)
    keep = np.union1d(picks, np.arange(len(x) - tail, len(x)))
    return x[keep], share[keep]


def thin_backlog(backlog: NDArray[np.int64], max_points: int = MAX_POINTS) -> NDArray[np.int64]:
    """At most ``max_points`` rows of ``backlog`` int64 (k, 2), with every stretch's extremes.

    The rows are cut into stretches of equal length; of each the lowest and the highest stay.
    """
    if len(backlog) <= max_points:
        return backlog
    edges = np.linspace(0, len(backlog), max_points // 2 + 1).astype(np.int64)
    keep = {
        int(start + offset)
        for start, stop in pairwise(edges)
        for offset in (backlog[start:stop, 1].argmin(), backlog[start:stop, 1].argmax())
    }
    return backlog[sorted(keep)]


def latency_ccdf(reaction_ps: NDArray[np.int64], reaction: Reaction) -> Figure | None:
    """Share of windows with a reaction time of at least x, on log-log axes.

    ``reaction_ps`` is int64 (n,). The limit is a vertical line; the asked quantile q is a point at
    share 1 - q with its interval. None without windows.
    """
    positive = reaction_ps[reaction_ps > 0]
    if not len(positive):
        return None
    x, share = ccdf(positive)
    unit, scale = time_unit(int(np.median(positive)))
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "windows",
            "x": _scaled(x, scale),
            "y": [float(f"{p:.6g}") for p in share],
            "line": {"shape": "vh", "color": ACCENT, "width": 2},
        }
    ]
    traces += _asked_quantile(reaction, scale)
    layout = _layout(
        _axis(f"reaction time ({unit})", type="log", **_log_ticks(x[0] / scale, x[-1] / scale)),
        _axis("share of windows at least this slow", type="log", exponentformat="power", dtick=1),
        legend=True,
    )
    limit = reaction.limit_ps
    if limit:
        _vertical_line(layout, limit / scale, f"limit {show_time(limit)}", log=True)
    return {"data": traces, "layout": layout}


def _asked_quantile(reaction: Reaction, scale: int) -> list[Figure]:
    value, quantile = reaction.value_ps, reaction.quantile
    if value is None or quantile is None:
        return []
    low, high = reaction.ci_ps or (None, None)
    name = show_quantile(quantile)
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": name if low is None else f"{name} with its interval",
        "x": [value / scale],
        "y": [float(f"{1 - quantile:.6g}")],
        "marker": {"color": INK, "size": 9, "symbol": "diamond"},
    }
    if low is not None and high is not None:
        trace["error_x"] = _error([(high - value) / scale], [(value - low) / scale])
    return [trace]


def stage_waterfall(stages: Sequence[Stage]) -> Figure | None:
    """Mean time of each stage, each starting where the one before ends, and its p99 behind it."""
    stages = [stage for stage in stages if stage.mean_ps is not None]
    if not stages:
        return None
    means = [stage.mean_ps or 0 for stage in stages]
    starts = [sum(means[:k]) for k in range(len(means))]
    unit, scale = time_unit(int(sum(means)))
    p99 = [stage.p99_ps for stage in stages]
    names = [stage_label(stage.name) for stage in stages]

    def bars(name: str, lengths: list[Any], color: str, width: float, labels: list[str]) -> Figure:
        return {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "base": [start / scale for start in starts],
            "x": [None if ps is None else ps / scale for ps in lengths],
            "width": width,
            "customdata": labels,
            "hovertemplate": f"%{{y}}: {name} %{{customdata}}<extra></extra>",
            "marker": {"color": color},
        }

    layout = _layout(
        _axis(f"time after the last round ({unit})", rangemode="tozero"),
        _axis("", autorange="reversed", showgrid=False),
        legend=True,
        bottom_up=False,
    )
    layout["barmode"] = "overlay"
    data = [
        bars("p99", p99, PALE, 0.72, [show_time(ps) for ps in p99]),
        bars("mean", means, ACCENT, 0.4, [show_time(ps) for ps in means]),
    ]
    return {"data": data, "layout": layout}


def backlog_over_time(backlog: NDArray[np.int64]) -> Figure | None:
    """Rounds emitted but not yet decoded against time; ``backlog`` is int64 (k, 2)."""
    if not len(backlog):
        return None
    thin = thin_backlog(backlog)
    unit, scale = time_unit(int(thin[-1, 0]))
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "backlog",
        "x": _scaled(thin[:, 0], scale),
        "y": thin[:, 1].tolist(),
        "line": {"shape": "hv", "color": ACCENT, "width": 1.5},
        "hovertemplate": f"%{{x}} {unit}: %{{y}} rounds<extra></extra>",
    }
    layout = _layout(
        _axis(f"time ({unit})"), _axis("rounds not yet decoded", rangemode="tozero"), height=300
    )
    return {"data": [trace], "layout": layout}


def utilisation(throughput: Throughput) -> Figure | None:
    """Share of the time that each stage's servers are busy, and the load offered, against 100 %."""
    busy = throughput.utilisation_by_stage
    if not busy:
        return None
    loads = {name: load.value for name, load in throughput.load_by_stage.items()}
    names = [server_label(name) for name in busy]
    shares = [_percent(share) for share in busy.values()]
    offered = [_percent(loads[name]) if name in loads else None for name in busy]
    known = [*(share for share in shares if share is not None), *(x for x in offered if x)]
    layout = _layout(
        _axis("per cent of what the servers can do", range=[0, max(105.0, 1.1 * max(known))]),
        _axis("", autorange="reversed", showgrid=False),
        height=150 + 34 * len(names),
        legend=True,
        bottom_up=False,
    )
    layout["barmode"] = "overlay"
    _vertical_line(layout, 100, "100 %")
    traces = [
        _bars(names, offered, "%{y}: load %{x} %<extra></extra>", name="load", color=PALE),
        _bars(names, shares, "%{y}: busy %{x} %<extra></extra>", name="busy", width=0.3),
    ]
    return {"data": traces, "layout": layout}


def _percent(share: float | None) -> float | None:
    return None if share is None else float(f"{share * 100:.4g}")


def logical_error(logical: Logical) -> Figure | None:
    """Rate of failed shots with its interval, and that of the decoder alone."""
    if logical.rate is None or logical.decoder_rate is None:
        return None
    names = ["wrong, late or lost", "decoded wrong"]
    rates = [logical.rate, logical.decoder_rate]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": rates,
        "y": names,
        "marker": {"color": ACCENT, "size": 11, "symbol": ["diamond", "circle"]},
        "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
    }
    intervals = [logical.ci, logical.decoder_ci]
    ends = [end or (p, p) for p, end in zip(rates, intervals, strict=True)]
    trace["error_x"] = _error(
        [high - p for p, (_, high) in zip(rates, ends, strict=True)],
        [p - low for p, (low, _) in zip(rates, ends, strict=True)],
    )
    layout = _layout(
        _axis("failed shots, share of all", rangemode="tozero", exponentformat="power"),
        _axis("", autorange="reversed", showgrid=False),
        height=200,
    )
    if logical.limit:
        _vertical_line(layout, logical.limit, f"limit {show_number(logical.limit)}")
    return {"data": [trace], "layout": layout}


def thinning(predecoder: PredecoderCounts) -> Figure | None:
    """Share of detectors that fire before and after the pre-decoder."""
    densities = [predecoder.density_in, predecoder.density_out]
    if None in densities:
        return None
    percent = [float(f"{density * 100:.4g}") for density in densities if density is not None]
    names = ["before the pre-decoder", "after it"]
    layout = _layout(
        _axis("detectors that fire (%)", rangemode="tozero"),
        _axis("", autorange="reversed", showgrid=False),
        height=190,
    )
    return {"data": [_bars(names, percent, "%{y}: %{x} %<extra></extra>")], "layout": layout}


def _bars(
    names: list[str],
    lengths: Sequence[float | None],
    hover: str,
    *,
    name: str = "",
    color: str = ACCENT,
    width: float = 0.5,
) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": names,
        "x": list(lengths),
        "width": width,
        "marker": {"color": color},
        "hovertemplate": hover,
    }


def _error(above: list[float], below: list[float]) -> Figure:
    bar = {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
    return {**bar, "color": INK, "thickness": 2, "width": 6}


def _scaled(values_ps: NDArray[np.int64], scale: int) -> list[float]:
    return [value / scale for value in values_ps.tolist()]


def _log_ticks(low: float, high: float) -> Figure:
    """Labelled round numbers from ``low`` to ``high``; the more, the fewer decades there are."""
    mantissas: tuple[float, ...] = (1, 2, 5) if high <= 1000 * low else (1,)
    if high < 10 * low:
        mantissas = (1, 1.5, 2, 3, 4, 5, 6, 8)
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [float(m * 10.0**k) for k in decades for m in mantissas]
    return {"tickvals": ticks, "ticktext": [f"{tick:,.12g}" for tick in ticks]}


def _axis(title: str, **options: Any) -> Figure:
    line = {"showline": True, "linecolor": INK, "ticks": "outside", "tickcolor": INK}
    label = {"text": title, "standoff": 10, "font": {"size": 13}}
    base = {"title": label, "gridcolor": GRID, "zeroline": False, "automargin": True}
    return {**base, **line, **options}


def _layout(
    xaxis: Figure, yaxis: Figure, *, height: int = 380, legend: bool = False, bottom_up: bool = True
) -> Figure:
    return {
        "xaxis": xaxis,
        "yaxis": yaxis,
        "height": height,
        "margin": {"l": 64, "r": 24, "t": 56 if legend else 28, "b": 56},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.08,
            "yanchor": "bottom",
            "traceorder": "normal" if bottom_up else "reversed",
        },
        "hoverlabel": {"font": {"family": FONT}},
        "dragmode": False,
    }


def _vertical_line(layout: Figure, x: float, text: str, *, log: bool = False) -> None:
    """Draw a labelled line over the whole height; Plotly places notes on log axes by log10 x."""
    line = {"color": LIMIT, "width": 2, "dash": "dash"}
    layout["shapes"] = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    ]
    layout["annotations"] = [
        {
            "x": float(np.log10(x)) if log else x,
            "y": 1,
            "yref": "paper",
            "text": text,
            "showarrow": False,
            "xanchor": "right",
            "yanchor": "bottom",
            "font": {"color": LIMIT},
        }
    ]
