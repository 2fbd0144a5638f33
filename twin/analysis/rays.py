"""Pictures of what rays found: a map over the plan of a site, and the paths of a link."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from twin.analysis.plan import INK, MUTED, PAPER, draw_grid, draw_plan, draw_scale_and_north, make_sheet
from twin.state import F64, TracedLinks
from twin.world.geometry import Geometry

WIDTH, TITLE, KEYS, MARGIN = 8.4, 0.8, 0.6, 0.85
"""Inches: of a map of coverage, of the bands above and below it, and of the margins beside it."""


def draw_map(
    x: F64, y: F64, values: F64, label: str, marks: Sequence[tuple[str, F64]], geometry: Geometry, path: Path,
    title: Sequence[str] = (),
) -> None:  # fmt: skip
    """Draw `values` (ny, nx) over the plan of a site; `marks` are names and points (3,) m, `title` a line or two."""
    half = 0.5 * (x[1] - x[0]) if len(x) > 1 else 0.5
    low, high = np.array([x[0] - half, y[0] - half]), np.array([x[-1] + half, y[-1] + half])
    figure, axes = make_sheet(low, high, (WIDTH, TITLE if title else 0.3, KEYS, MARGIN))
    draw_plan(axes, geometry, low, high)
    mesh = axes.pcolormesh(x, y, np.ma.masked_invalid(values), cmap="viridis", shading="nearest", zorder=2)
    draw_grid(axes, low, high)
    draw_scale_and_north(axes, low, high)
    place = axes.get_position()
    bar = figure.add_axes((place.x1 + 0.12 / WIDTH, place.y0, 0.15 / WIDTH, place.height))
    figure.colorbar(mesh, cax=bar)
    bar.tick_params(labelsize=8, colors=MUTED, length=2, pad=2)
    bar.set_ylabel(label.replace("[", "(").replace("]", ")"), fontsize=8, color=INK)
    halo = [withStroke(linewidth=2.5, foreground=PAPER)]
    for name, point in marks:
        axes.plot(point[0], point[1], "^", markersize=9, color=INK, path_effects=halo, zorder=6)
        axes.annotate(name, (point[0], point[1]), (7, 5), textcoords="offset points", fontsize=8, color=INK,
                      path_effects=halo, zorder=6)  # fmt: skip
    height = figure.get_figheight()
    figure.text(place.x0, 0.12 / height, "Without colour: inside of something, or no path arrives.", fontsize=8,
                color=MUTED)  # fmt: skip
    for i, line in enumerate(title):
        look: dict[str, Any] = {"fontsize": 8.5, "color": MUTED}
        if not i:
            look = {"fontsize": 12, "fontweight": "bold", "color": INK}
        figure.text(place.x0, 1 - (0.30 + 0.25 * i) / height, line, va="center", **look)
    figure.savefig(path, dpi=150)


def draw_paths(
    links: TracedLinks, link: int, ends: tuple[F64, F64], names: Sequence[str], geometry: Geometry, path: Path
) -> None:
    """Draw the paths of one link seen from above, the stronger the darker."""
    rows = range(links.path_offset[link], links.path_offset[link + 1])
    power = 20 * np.log10(np.abs(links.path_amplitude[rows.start : rows.stop]))
    top = power.max(initial=-np.inf)
    ways = [np.vstack([ends[0], links.path_vertex[p, : links.path_length[p]], ends[1]]) for p in rows]
    points = np.vstack([*ends, *ways])[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * float((high - low).max()) + 5.0
    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    axes = figure.add_subplot()
    _plan(axes, geometry, low - margin, high + margin)
    for k in np.argsort(power):
        shade = float(np.clip(1.0 + (power[k] - top) / 50.0, 0.15, 1.0))
        axes.plot(ways[k][:, 0], ways[k][:, 1], "-", color="darkblue", alpha=shade, linewidth=1.2)
    for name, end in zip(names, ends, strict=True):
        axes.plot(end[0], end[1], "o", color="crimson")
        axes.annotate(name, (end[0], end[1]), xytext=(4, 4), textcoords="offset points")
    figure.savefig(path, dpi=150)


def _plan(axes: Axes, geometry: Geometry, low: F64, high: F64) -> None:
    draw_plan(axes, geometry, low, high)
    axes.set_aspect("equal")
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel("x, east [m]")
    axes.set_ylabel("y, north [m]")
