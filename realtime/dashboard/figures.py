"""Figures, from rows: pure. `layout.meta` says what a figure stands for, for the browser to go on from there."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from realtime.store.chart import CandlesView
from realtime.store.moments import iso
from realtime.store.views import SourceView

Figure = dict[str, Any]
Activity = Sequence[tuple[str, int, str, int]]

# Blue is news, the rest is ink; each is told from its neighbours in light and dark.
KINDS = {"new": "#3f83e8", "changed": "#7d8b92", "corrected": "#b3bfc5", "removed": "#4d5a61"}
LINES = ("#3f83e8", "#7d8b92", "#2c9aa6", "#8a7bd0", "#4d5a61", "#6aa5f5", "#a0adb3", "#5fb7c0")
DASHES = ("solid", "dash", "dot", "dashdot")


def by_kind(rows: Activity, heads: dict[str, int]) -> Figure:
    """Changes a minute, stacked by kind."""
    counts: dict[str, dict[int, int]] = {kind: defaultdict(int) for kind in KINDS}
    for _, minute, kind, count in rows:
        counts[kind][minute] += count
    traces = [
        {
            "type": "bar",
            "name": kind,
            "meta": kind,
            "x": [iso(minute) for minute in sorted(found)],
            "y": [found[minute] for minute in sorted(found)],
            "marker": {"color": KINDS[kind]},
        }
        for kind, found in counts.items()
    ]
    return _figure(traces, {"heads": heads}, barmode="stack")


def by_source(rows: Activity, heads: dict[str, int], titles: dict[str, str]) -> Figure:
    """Changes a minute, a line a source."""
    counts: dict[str, dict[int, int]] = {source: defaultdict(int) for source in titles}
    for source, minute, _, count in rows:
        counts.setdefault(source, defaultdict(int))[minute] += count
    traces = [
        _line(
            number,
            source,
            titles.get(source, source),
            [iso(m) for m in sorted(found)],
            [found[m] for m in sorted(found)],
        )
        for number, (source, found) in enumerate(counts.items())
    ]
    return _figure(traces, {"heads": heads})


def deliveries(sources: Sequence[SourceView], heads: dict[str, int]) -> Figure:
    """A point a delivery: how many changes it brought. Those before the page was opened are of the last runs."""
    traces = []
    for number, source in enumerate(sources):
        runs = [run for run in source.runs if run.finished and not source.quiet]
        points = [run.new + run.changed + run.corrected + run.removed for run in runs]
        trace = _line(number, source.name, source.title, [run.finished or run.started for run in runs], points)
        traces.append({**trace, "mode": "markers", "marker": {"color": LINES[number % len(LINES)], "size": 6}})
    return _figure(traces, {"heads": heads})


def candlesticks(view: CandlesView | None) -> Figure:
    """Candles of one symbol and window."""
    if view is None:
        return _figure([], {}, annotations=[_said("No source makes candles: see docs/candles.md")])
    trace = {
        "type": "candlestick",
        "name": view.symbol or "",
        "x": view.start,
        **{part: [float(price) for price in getattr(view, part)] for part in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": KINDS["new"]}, "fillcolor": KINDS["new"]},
        "decreasing": {"line": {"color": KINDS["changed"]}, "fillcolor": "rgba(0,0,0,0)"},
    }
    meta = {"room": view.room, "offset": view.offset, "epoch": view.epoch, "symbol": view.symbol}
    return _figure([trace], meta, xaxis={"rangeslider": {"visible": False}, "type": "date"}, showlegend=False)


def top(items: Sequence[Any], meta: dict[str, Any]) -> Figure:
    """The top entries by a number, the first above."""
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [float(item.value) for item in items],
        "y": [f"{item.key} " for item in items],
        "text": [named(item.data) or item.key for item in items],
        "textposition": "inside",
        "insidetextanchor": "start",
        "marker": {"color": KINDS["changed"]},
        "hovertemplate": "%{text}<br>%{x}<extra></extra>",
    }
    return _figure(
        [trace], meta, yaxis={"autorange": "reversed", "type": "category", "automargin": True}, showlegend=False
    )


def named(data: dict[str, Any]) -> str | None:
    """How an entry is called: its field `name` or `title`."""
    name = data.get("name") or data.get("title")
    return name if isinstance(name, str) else None


def _line(number: int, source: str, title: str, x: list[str], y: list[int]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",  # the only minute that there is yet is no line
        "name": title,
        "meta": source,
        "x": x,
        "y": y,
        "line": {
            "color": LINES[number % len(LINES)],
            "dash": DASHES[number // len(LINES) % len(DASHES)],
            "width": 1.5,
            "shape": "hv",
        },
        "marker": {"color": LINES[number % len(LINES)], "size": 4},
    }


def _figure(traces: list[dict[str, Any]], meta: dict[str, Any], **layout: Any) -> Figure:
    """A figure in the page's look; what depends on light and dark is in dashboard.css."""
    base: dict[str, Any] = {
        "meta": meta,
        "height": 300,
        "margin": {"l": 48, "r": 12, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "bargap": 0.15,
        "xaxis": {"type": "date"} if not layout.get("yaxis") else {},
        "hovermode": "closest",
        "uirevision": "kept",  # zoom and hidden traces stay when data comes
    }
    return {"data": traces, "layout": {**base, **layout}}


def _said(words: str) -> dict[str, Any]:
    return {"text": words, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
