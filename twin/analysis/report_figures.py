"""The figures of a report; two runs lie over one another, told apart by colour."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure as Picture
from plotly.subplots import make_subplots

from twin.analysis.events import EVENT_WORDS, event_words
from twin.analysis.plan import draw_plan
from twin.analysis.report_run import Run
from twin.clock import NS
from twin.state import F64, Event
from twin.world.geometry import Geometry

INK, MUTED, GRID, PAPER = "#1c2128", "#59636e", "#e4e8ec", "#ffffff"
SHADE, CLEAR = "#3d444d", "rgba(0,0,0,0)"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that colour-blind eyes tell apart (Okabe and Ito 2008), without the yellow that vanishes on paper."""
RUN_COLOURS, RUN_DASHES = {"A": COLOURS[0], "B": COLOURS[1]}, {"A": "solid", "B": "dash"}
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "x", "diamond", "square", "triangle-up", "cross", "star")
GAINS = "Cividis"
MOST_ROBOTS = 12
"""Robots drawn in one panel; of more, those with the largest error are."""
MOST_EVENTS = 400
"""Events of one kind drawn; more are thinned out evenly."""
MOST_POINTS = 5000
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def time_line(runs: Sequence[Run]) -> go.Figure:
    """Draw events, tracking errors if anybody tracks anything, and round trips over one axis of time, runs overlaid."""
    lanes = [(run, robot) for robot in _all_drawn(runs) for run in runs if robot in _drawn(run, len(runs))]
    tracking = ["tracking error (m)"] if any(run.errors for run in runs) else []
    labels = ["", *tracking, "round trip (ms)"]
    last = len(labels)
    figure = _panels(labels, [0.10 + 0.03 * min(len(lanes), 12), *[0.42] * (last - 1)])
    explained: set[str] = set()  # what the legend has already
    for trace in (*_lanes(lanes), *_events(lanes)):
        trace.showlegend = trace.legendgroup is not None and trace.legendgroup not in explained
        explained.add(trace.legendgroup)
        figure.add_trace(trace, row=1, col=1)
    for run in runs:
        tracks = {track.robot: track for track in run.tracks}
        for i, robot in enumerate(_drawn(run, len(runs))):
            name = f"{run.label}: {escape(run.name)}" if run.label else escape(robot)
            shared = {"name": name, "legendgroup": name, "mode": "lines", "line": _look(run, i),
                      "hovertext": escape(robot)}  # fmt: skip
            legend = {"showlegend": name not in explained}
            explained.add(name)
            if robot in run.errors:
                figure.add_trace(_line(run.time, run.errors[robot], "m", **shared, **legend), row=2, col=1)
                legend = {"showlegend": False}
            figure.add_trace(_line(run.time, 1e3 * tracks[robot].round_trip, "ms", **shared, **legend), row=last, col=1)
    ticks = [f"{run.label} {escape(robot)}".strip() for run, robot in lanes]
    figure.update_yaxes(range=[len(lanes) - 0.4, -0.6], tickvals=list(range(len(lanes))), ticktext=ticks,
                        showgrid=False, row=1)  # fmt: skip
    figure.update_xaxes(title_text="time (s)", row=last)
    errors = [float(error.max(initial=0.0)) for run in runs for error in run.errors.values()]
    trips = [1e3 * float(np.nanmax(track.round_trip)) for run in runs for track in run.tracks
             if np.isfinite(track.round_trip).any()]  # fmt: skip
    for row, values in ((2, errors), (last, trips)):
        figure.update_yaxes(range=[0, 1.05 * max(values, default=1.0) or 1.0], row=row)
    figure.update_xaxes(range=[0, max(run.duration for run in runs) or 1])
    return figure.update_layout(height=140 + 210 * (last - 1) + 18 * min(len(lanes), 24))


def latency(runs: Sequence[Run]) -> go.Figure:
    """Draw, for each flow, the share of packets that took longer than a latency."""
    figure = _panels(["share that takes longer"], [1.0])
    slowest = [float(flow.latency[-1]) for run in runs for flow in run.flows if len(flow.latency)]
    right = 1.06 * max([*slowest, *(run.delay_budget / NS for run in runs)], default=1.0)
    for run in runs:
        for i, flow in enumerate(run.flows):
            x, y = flow.tail()
            if flow.lost:  # what never arrives takes longer than anything
                x, y = np.append(x, right), np.append(y, flow.lost / flow.settled)
            figure.add_trace(_tail(run, 1e3 * x, y, flow.name, i))
    for budget in sorted({run.delay_budget for run in runs} - {0}):
        figure.add_vline(1e-6 * budget, line={"color": MUTED, "dash": "dot", "width": 1.5},
                         annotation={"text": "delay budget", "font": {"color": MUTED, "size": 12}},
                         annotation_position="top left")  # fmt: skip
    return _tails(figure, 1e3 * right, "latency (ms)")


def age(runs: Sequence[Run]) -> go.Figure:
    """Draw, for each flow, the share of time in which the newest information is older than an age."""
    figure = _panels(["share of time it is older"], [1.0])
    known = [flow for run in runs for flow in run.flows if flow.age.time > 0]
    right = 1.06 * max((flow.age.peak for flow in known), default=1.0)
    for run in runs:
        for i, flow in enumerate(run.flows):
            if flow.age.time > 0:
                x = np.linspace(flow.age.lowest.min(), flow.age.peak, 400)[:-1]
                figure.add_trace(_tail(run, 1e3 * x, flow.age.share_above(x), flow.name, i).update(line_shape="linear"))
    return _tails(figure, 1e3 * right, "age of information (ms)")


def quality_maps(runs: Sequence[Run]) -> list[go.Figure]:
    """Draw for each run where robots were, coloured by the gain of their best link, over the plan of the world."""
    low, high = _view(runs)
    gains = np.concatenate([spot.gain_db for run in runs for spot in run.quality])
    known = gains[np.isfinite(gains)]
    least, most = (np.floor(known.min()), np.ceil(known.max())) if len(known) else (-1.0, 0.0)
    bar = {"title": {"text": "gain (dB)", "side": "right", "font": {"size": 12}}, "thickness": 12, "outlinewidth": 0,
           "orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom",
           "len": 0.6, "tickangle": 0, "nticks": 5}  # fmt: skip
    key = {"colorscale": GAINS, "cmin": least, "cmax": most, "colorbar": bar}
    found = []
    for run in runs:
        figure = _panels(["north (m)"], [1.0])
        figure.update_layout(coloraxis=key, title={"text": f"{run.label}: {escape(run.name)}" if run.label else ""})
        if run.geometry is not None:
            figure.add_layout_image(source=_plan(run.geometry, low, high), x=low[0], y=high[1], layer="below",
                                    sizex=high[0] - low[0], sizey=high[1] - low[1], sizing="stretch",
                                    xref="x", yref="y")  # fmt: skip
        for trace in (*_spots(run), _sites(run)):
            figure.add_trace(trace)
        figure.update_xaxes(title_text="east (m)", range=[low[0], high[0]], constrain="domain", showgrid=False)
        figure.update_yaxes(range=[low[1], high[1]], constrain="domain", showgrid=False, scaleanchor="x", scaleratio=1)
        figure.update_layout(height=620 if len(runs) == 1 else 460, showlegend=False, margin={"b": 92},
                             meta={"aspect": float((high[1] - low[1]) / (high[0] - low[0]))})  # fmt: skip
        found.append(figure)
    return found


def _panels(labels: Sequence[str], heights: Sequence[float]) -> go.Figure:
    figure = make_subplots(rows=len(labels), cols=1, shared_xaxes="all", vertical_spacing=0.05,
                           row_heights=list(heights))  # fmt: skip
    figure.update_layout(
        template="none", font={"family": _FONT, "size": 13, "color": INK}, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR,
        margin={"l": 62, "r": 16, "t": 32, "b": 48}, hovermode="closest",
        modebar={"bgcolor": CLEAR, "color": MUTED, "activecolor": INK},
        legend={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top"},
    )  # fmt: skip
    axis = {"gridcolor": GRID, "linecolor": GRID, "zeroline": False, "tickcolor": GRID, "showline": True,
            "tickfont": {"size": 12, "color": MUTED}, "title": {"font": {"size": 13}}, "automargin": True}  # fmt: skip
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    for row, label in enumerate(labels, 1):
        figure.update_yaxes(title_text=label, row=row, col=1)
    return figure


def _look(run: Run, i: int) -> dict[str, Any]:
    """Return how the line of robot `i` looks: its own colour, or its run's where two are compared."""
    if run.label:
        return {"color": RUN_COLOURS[run.label], "width": 1.4, "dash": RUN_DASHES[run.label]}
    return {"color": COLOURS[i % len(COLOURS)], "width": 1.4, "dash": DASHES[i // len(COLOURS) % 4]}


def _line(x: F64, y: F64, unit: str, **look: Any) -> go.Scatter:
    hover = f"%{{x:.2f}} s: %{{y:.4g}} {unit}, %{{hovertext}}<extra>%{{fullData.name}}</extra>"
    return go.Scatter(x=np.round(x, 6), y=y.astype(np.float32), hovertemplate=hover, **look)


def _drawn(run: Run, of: int = 1) -> list[str]:
    """Return the robots drawn, in their order; of several runs fewer each."""
    names = [track.robot for track in run.tracks]
    worst = sorted(names, key=lambda name: -float(run.errors[name].max(initial=0.0)) if name in run.errors else 0.0)
    kept = set(worst[: MOST_ROBOTS // of])
    return [name for name in names if name in kept]


def _all_drawn(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(robot for run in runs for robot in _drawn(run, len(runs))))


def _lanes(lanes: Sequence[tuple[Run, str]]) -> list[go.Scatter]:
    """Draw a lane for each robot, black where it is on failsafe."""
    traces = []
    for lane, (run, robot) in enumerate(lanes):
        track = next(track for track in run.tracks if track.robot == robot)
        step = 1 if len(run.time) < 2 else float(run.time[1] - run.time[0])
        edges = np.flatnonzero(np.diff(track.on_failsafe, prepend=False, append=False))
        spans = run.time[np.minimum(edges, len(run.time) - 1)].reshape(-1, 2)
        x: list[float | None] = [point for a, b in spans.tolist() for point in (a, max(b, a + step), None)]
        traces.append(go.Scatter(x=[0, run.duration], y=[lane, lane], mode="lines", hoverinfo="skip",
                                 line={"color": GRID, "width": 12}))  # fmt: skip
        if x:
            traces.append(go.Scatter(x=x, y=[lane] * len(x), mode="lines", name=EVENT_WORDS["on failsafe"],
                                     legendgroup="failsafe", line={"color": SHADE, "width": 12},
                                     hovertemplate=f"on failsafe<extra>{escape(robot)}</extra>"))  # fmt: skip
    return traces


def _events(lanes: Sequence[tuple[Run, str]]) -> list[go.Scatter]:
    """Draw the events of each lane; kinds lie beside each other, so that none hides another."""
    rows = {(run.label, robot): lane for lane, (run, robot) in enumerate(lanes)}
    kinds: dict[str, list[tuple[int, Event]]] = {}
    for run in {id(run): run for run, _ in lanes}.values():
        for event in run.events:
            if (lane := rows.get((run.label, event.robot))) is not None:
                kinds.setdefault(event.kind, []).append((lane, event))
    traces = []
    for i, (kind, all_of_them) in enumerate(sorted(kinds.items())):
        shown = all_of_them[:: -(-len(all_of_them) // MOST_EVENTS)]
        texts = [escape(f"{event.detail} {event.value:.4g}" if event.value else event.detail) for _, event in shown]
        beside = 0.0 if len(kinds) == 1 else 0.5 * (i / (len(kinds) - 1) - 0.5)  # of a lane
        traces.append(go.Scatter(
            x=[event.time / NS for _, event in shown], y=[lane + beside for lane, _ in shown], text=texts,
            mode="markers", name=escape(event_words(kind)), legendgroup=f"event {kind}",
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9 if len(shown) < 60 else 5,
                    "color": COLOURS[(i + 1) % len(COLOURS)], "line": {"width": 0.5, "color": PAPER}},
            hovertemplate="%{x:.3f} s: %{text}<extra>%{fullData.name}</extra>",
        ))  # fmt: skip
    return traces


def hidden_events(run: Run, of: int = 1) -> int:
    """Return how many events the time line leaves out."""
    counts = Counter(event.kind for event in run.events if event.robot in _drawn(run, of))
    shown = sum(-(-n // -(-n // MOST_EVENTS)) for n in counts.values())
    return len(run.events) - shown


def _tail(run: Run, x: F64, y: F64, flow: str, i: int) -> go.Scatter:
    colour = RUN_COLOURS[run.label] if run.label else COLOURS[i % len(COLOURS)]
    look = {"color": colour, "width": 2, "shape": "vh", "dash": DASHES[i % 4]}
    name = f"{run.label}: {flow}" if run.label else flow
    return go.Scatter(x=x, y=y, mode="lines+markers" if len(x) < 3 else "lines", name=escape(name), line=look,
                      showlegend=True,
                      hovertemplate="%{y:.3%} take %{x:.3f} ms or longer<extra>%{fullData.name}</extra>")  # fmt: skip


def _tails(figure: go.Figure, right: float, label: str) -> go.Figure:
    figure.update_yaxes(type="log", dtick=1, tickformat="~%", range=[-4, 0.08])
    figure.update_xaxes(title_text=label, range=[0, right])
    return figure.update_layout(height=400, legend_y=-0.2)


def _spots(run: Run) -> list[go.Scatter]:
    """Draw all robots as one cloud of points, grey where no path was found."""
    if not run.quality:
        return []
    every = -(-sum(len(spot.gain_db) for spot in run.quality) // MOST_POINTS)
    place = np.concatenate([spot.position[::every] for spot in run.quality])
    gain = np.concatenate([spot.gain_db[::every] for spot in run.quality])
    names = [escape(spot.robot) for spot in run.quality for _ in spot.gain_db[::every]]
    known = np.isfinite(gain)
    hover = "%{marker.color:.1f} dB at %{x:.0f}, %{y:.0f} m<extra>%{text}</extra>"
    traces = [go.Scatter(x=place[known, 0], y=place[known, 1], mode="markers", text=np.array(names)[known],
                         marker={"color": gain[known], "coloraxis": "coloraxis", "size": 6},
                         hovertemplate=hover)]  # fmt: skip
    if not known.all():
        traces.append(go.Scatter(x=place[~known, 0], y=place[~known, 1], mode="markers", name="no path",
                                 marker={"color": COLOURS[1], "symbol": "x", "size": 6}))  # fmt: skip
    return traces


def _sites(run: Run) -> go.Scatter:
    return go.Scatter(
        x=[site.position[0] for site in run.sites], y=[site.position[1] for site in run.sites],
        text=[escape(site.robot) for site in run.sites], mode="markers+text", textposition="top center",
        marker={"symbol": "triangle-up", "size": 13, "color": INK, "line": {"color": PAPER, "width": 1.5}},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _view(runs: Sequence[Run]) -> tuple[F64, F64]:
    """Return the south-west and north-east corner (2,) m of all that is shown, with a margin."""
    points = np.concatenate([
        *(spot.position[:, :2] for run in runs for spot in run.quality),
        *(np.array([site.position[:2]]) for run in runs for site in run.sites),
        np.zeros((0, 2)),
    ])  # fmt: skip
    if not len(points):
        points = np.zeros((1, 2))
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2
    half = np.maximum(half + 0.12 * half.max(), 10.0)
    shape = np.array([1.6, 1.0] if len(runs) == 1 else [1.0, 1.0])  # of a panel
    half = shape * float((half / shape).max())
    return middle - half, middle + half


def _plan(geometry: Geometry, low: F64, high: F64) -> str:
    """Return the plan of a world as a PNG in a data URI."""
    width, height = 9.0 * (high - low) / (high - low).max()
    picture = Picture(figsize=(width, height))
    axes = picture.add_axes((0, 0, 1, 1), xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.axis("off")
    draw_plan(axes, geometry, low, high)
    data = BytesIO()
    picture.savefig(data, format="png", dpi=120, facecolor=PAPER)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
