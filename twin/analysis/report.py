"""A report: one page of HTML about one run or two, complete in itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

import twin
from twin.analysis import report_figures as figures
from twin.analysis import report_tables as tables
from twin.analysis.report_run import MOST_TRACES, Run
from twin.analysis.written import written

_CONFIG = {"displaylogo": False, "responsive": True, "scrollZoom": False, "showTips": False, "showSendToCloud": False,
           "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"]}  # fmt: skip


def write_report(runs: Sequence[Run], path: Path, *, force: bool = False) -> None:
    """Write the report of one run, or of two side by side.

    Raises:
        TwinError: the file exists and `force` is off, or can't be written.
    """
    with written(path, force=force) as file:
        file.write(page(runs))


def page(runs: Sequence[Run]) -> str:
    """Return the page: a policy in it forbids the browser to ask for anything."""
    sections = {name: part for name, part in _sections(runs).items() if part}
    contents = "".join(f'<a href="#s{i}">{name}</a>' for i, name in enumerate(sections))
    halves = ("Latency", "Age of information") if len(runs) == 1 else ()
    body = "\n".join(
        f'<section id="s{i}"{" class=half" if name in halves else ""}><h2>{name}</h2>{part}</section>'
        for i, (name, part) in enumerate(sections.items())
    )
    title = " | ".join(dict.fromkeys(str(run.scenario.get("description") or run.name) for run in runs))
    return Template(_asset("report.html")).substitute(
        title=escape(title), style=_asset("report.css"), plotly=get_plotlyjs(), contents=contents,
        heads="".join(map(tables.head, runs)), sections=body, version=escape(twin.__version__),
    )  # fmt: skip


def _sections(runs: Sequence[Run]) -> dict[str, str]:
    """Return the sections by title; those without anything to show are empty."""
    compared = len(runs) > 1
    has_flows = any(run.flows for run in runs)
    return {
        "Summary": ("" if compared else tables.tiles(runs[0])) + tables.summary(runs),
        "What is different": tables.changes(runs) if compared else "",
        "Plan": "".join(map(tables.plans, runs)),
        "Time line": _time_line(runs),
        "Latency": _figure(figures.latency(runs), "Share of packets that took so long or longer; lost packets take "
                           "for ever. 1 % is where p99 is.") if has_flows else "",
        "Age of information": _figure(figures.age(runs), "How old the newest information at the receiver is, by the "
                                      "time of the sensor sample in it.") if has_flows else "",
        "Flows": "".join(map(tables.flow_table, runs)) if has_flows else "",
        "Where the time goes": _time_parts(runs),
        "Link quality": _quality(runs),
        "KPIs": _said("Between the ends of the flows: queues, radio and backhaul are all in them.")
                + tables.kpi_table(runs) if has_flows else "",
        "Robots": "".join(map(tables.robots, runs)),
        "Provenance": "".join(map(tables.provenance, runs)),
    }  # fmt: skip


def _time_line(runs: Sequence[Run]) -> str:
    notes = ["Drag to zoom in on all panels at once, double-click to zoom out."]
    for run in runs:
        of = f" of {run.label}" if run.label else ""
        if run.stride > 1:
            notes.append(f"Curves{of} show every {run.stride}th frame.")
        if len(run.tracks) > (most := figures.MOST_ROBOTS // len(runs)):
            which = "robots with the largest error" if run.errors else "first robots"
            notes.append(f"The {most} {which}{of} are drawn.")
        if hidden := figures.hidden_events(run, len(runs)):
            notes.append(f"{hidden} of {len(run.events)} events{of} are left out of the picture.")
        if not run.events:
            notes.append(f"There were no events{of}.")
    return _figure(figures.time_line(runs), " ".join(notes)) + tables.events(runs)


def _time_parts(runs: Sequence[Run]) -> str:
    parts = "".join(map(tables.time_table, runs))
    note = (
        "Mean over delivered packets. Core is backhaul, hardware, processing and propagation; alignment the wait for "
        "the next occasion for data; grant what a request and its grant, or the wait for the own configured grant, "
        "add; queue the wait behind others. Late packets are counted by their longest part."
    )
    return _said(note) + parts if parts else ""


def _quality(runs: Sequence[Run]) -> str:
    if not any(run.quality for run in runs):
        return ""
    note = f"Path gain of each robot's best link, at up to {MOST_TRACES} instants; triangles are radio sites."
    if any(run.geometry is None for run in runs):
        note += " Drawn without the plan of the world, which is not the one of the run or was not found."
    maps = "".join(f"<div>{_plot(figure)}</div>" for figure in figures.quality_maps(runs))
    return f"{_said(note)}<div class='maps{' two' if len(runs) > 1 else ''}'>{maps}</div>"


def _figure(figure: go.Figure, note: str) -> str:
    return _said(note) + _plot(figure)


def _plot(figure: go.Figure) -> str:
    html: str = figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG)
    return html


def _said(note: str) -> str:
    return f"<p>{escape(note)}</p>"


def _asset(name: str) -> str:
    return (files("twin.analysis") / "templates" / name).read_text(encoding="utf-8")
