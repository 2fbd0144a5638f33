"""A map of a world: ground and walls by material, roofs by height, radio sites, scale and north."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from twin.analysis.placed import Placed
from twin.analysis.plan import (
    FRAME,
    GROUND_COLOURS,
    INK,
    MUTED,
    PAPER,
    draw_grid,
    draw_plan,
    draw_scale_and_north,
    make_sheet,
)
from twin.state import F64, I32, Bool
from twin.world.describe import object_tops
from twin.world.geometry import Geometry, with_faces
from twin.world.rules import surface_kinds
from twin.world.world import World

WALL_COLOURS = {
    "concrete": "#57606a", "brick": "#a0522d", "glass": "#1f7fb8", "metal": "#7a4fa3", "wood": "#8a6d1d",
    "plasterboard": "#c98fb0", "chipboard": "#c2843c", "plywood": "#c2843c", "marble": "#3d8a7d",
}  # fmt: skip
"""Colour of walls by material; any other is drawn in ink."""
_FEW = 8
"""Things: with fewer, nothing is taken for a roof."""
_WIDE = 0.25
"""Share of all things that lie under a face of such a roof."""
WIDTH, TITLE, KEYS, MARGIN = 8.4, 0.95, 1.6, 0.55
"""Inches: of the map, of the bands above and below it, and round it."""
ROUTE = "#0072B2"


def draw_map(
    world: World, below: float | None = None, sites: Sequence[F64] = (), placed: Sequence[Placed] = ()
) -> Figure:
    """Draw a world seen from above; only what begins lower than z = `below` [m], sites (3,) m, and what is placed.

    Without `below`, a roof over most things is left out.
    """
    geometry = world.geometry
    below = roof(geometry) if below is None else below
    if below is not None:
        geometry = with_faces(geometry, begins_below(geometry, below))
    low, high = (corner[:2] for corner in world.geometry.bounds())
    figure, axes = make_sheet(low, high, (WIDTH, TITLE, KEYS, MARGIN))
    heights = draw_plan(axes, geometry, low, high)
    walls = _draw_walls(axes, geometry)
    for x, y, _ in sites:
        axes.plot(x, y, "^", markersize=9, color=INK, markeredgecolor=PAPER, zorder=5)
    for one in placed:
        _draw_placed(axes, one)
    tall = axes.get_position().height * figure.get_figheight()  # inches
    _draw_legend(axes, geometry, walls, bool(sites) or any(one.site for one in placed), -0.3 / tall)
    draw_grid(axes, low, high)
    draw_scale_and_north(axes, low, high)
    if heights is not None:
        _draw_heights(figure, heights)
    _draw_title(figure, world, below)
    return figure


def _draw_placed(axes: Axes, one: Placed) -> None:
    """Draw a site or a robot with its name, and the way of a course with an arrow along it."""
    x, y = one.way[:, :2].T
    halo = [withStroke(linewidth=2.5, foreground=PAPER)]
    if len(one.way) > 1:
        axes.plot(x, y, color=ROUTE, linewidth=1.4, path_effects=halo, zorder=4)
        k = len(x) // 3
        arrow = {"arrowstyle": "-|>", "color": ROUTE, "linewidth": 1.4}
        axes.annotate("", (x[k + 1], y[k + 1]), (x[k], y[k]), arrowprops=arrow, zorder=5)
    look: dict[str, Any] = {"marker": "o", "markersize": 6, "markerfacecolor": PAPER}
    if one.site:
        look = {"marker": "^", "markersize": 9}
    axes.plot(x[:1], y[:1], linestyle="none", color=INK, path_effects=halo, zorder=5, **look)
    axes.annotate(one.name, (x[0], y[0]), (6, 4), textcoords="offset points", fontsize=7.5, color=INK,
                  path_effects=halo, zorder=6)  # fmt: skip


def radio_sites(folder: Path | None) -> list[F64]:
    """Return the places (3,) m of all base stations in the scenarios of a world's folder."""
    places = {}
    for file in sorted(folder.glob("scenarios/*.toml")) if folder else ():
        for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("robots", {}).values():
            if entry.get("kind") == "base_station":
                places.update({tuple(place): np.array(place, dtype=float) for place in entry.get("positions", ())})
    return list(places.values())


def begins_below(geometry: Geometry, height: float) -> Bool:
    """Tell for each face (F,) whether some of it lies below z = `height` [m]."""
    return _boxes(geometry, geometry.triangle_face, len(geometry.face_normal))[0][:, 2] < height


def roof(geometry: Geometry) -> float | None:
    """Return the z [m] above which a roof hides most things: wide faces higher than half of all tops; None without."""
    if len(geometry.objects) < _FEW:
        return None
    low, high = _boxes(geometry, geometry.triangle_face, len(geometry.face_normal))
    tops = object_tops(geometry)
    level = (np.abs(geometry.face_normal[:, 2]) > 0.5) & (low[:, 2] > np.median(tops))
    first, last = _boxes(geometry, geometry.face_object[geometry.triangle_face], len(geometry.objects))
    middles = (first + last)[:, :2] / 2
    lids, hidden = np.zeros(len(level), dtype=bool), np.zeros(len(middles), dtype=bool)
    for face in np.flatnonzero(level):
        under = ((low[face, :2] < middles) & (middles < high[face, :2])).all(axis=1) & (tops <= low[face, 2])
        if under.mean() > _WIDE:
            lids[face], hidden = True, hidden | under
    return float(low[lids, 2].min()) if hidden.mean() > 0.5 else None


def _boxes(geometry: Geometry, owner: I32, count: int) -> tuple[F64, F64]:
    """Return the corners (count, 3) m of the box of each owner's triangles; owner (T,), negative ones are left out."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    corners = geometry.vertices[geometry.triangles[owner >= 0]]
    np.minimum.at(low, owner[owner >= 0], corners.min(axis=1))
    np.maximum.at(high, owner[owner >= 0], corners.max(axis=1))
    return low, high


def _draw_walls(axes: Axes, geometry: Geometry) -> list[str]:
    """Draw each upright face as a line in its material's colour; return the materials that there are."""
    upright = np.abs(geometry.face_normal[:, 2]) < 1e-3
    east, north = geometry.face_normal[:, 0], geometry.face_normal[:, 1]
    along = np.stack([-north, east], axis=1)
    place = np.einsum("tkj,tj->tk", geometry.vertices[geometry.triangles, :2], along[geometry.triangle_face])
    first, last = np.full(len(upright), np.inf), np.full(len(upright), -np.inf)
    np.minimum.at(first, geometry.triangle_face, place.min(axis=1))
    np.maximum.at(last, geometry.triangle_face, place.max(axis=1))
    foot = geometry.face_offset[:, None] * geometry.face_normal[:, :2]
    lines = np.stack([foot + first[:, None] * along, foot + last[:, None] * along], axis=1)[upright]
    names = [geometry.materials[i] for i in geometry.face_material[upright]]
    colours = [WALL_COLOURS.get(name, INK) for name in names]
    axes.add_collection(LineCollection(list(lines), colors=colours, linewidths=0.7), autolim=False)
    return sorted(set(names))


def _draw_legend(axes: Axes, geometry: Geometry, walls: Sequence[str], with_sites: bool, below: float) -> None:
    """Explain ground, walls and sites, so far `below` the map [its height] that its coordinates have room."""
    on_ground = geometry.face_material[surface_kinds(geometry) == "ground"]
    grounds = dict.fromkeys(geometry.materials[i] for i in np.unique(on_ground))  # in several thicknesses, perhaps
    entries: list[Any] = [
        Patch(facecolor=_ground_colour(name), edgecolor=FRAME, label=_words(name)) for name in grounds
    ]
    entries += [
        Line2D([], [], color=WALL_COLOURS.get(n, INK), linewidth=2, label=f"walls of {_words(n)}") for n in walls
    ]
    if with_sites:
        entries.append(Line2D([], [], marker="^", linestyle="none", color=INK, label="radio site"))
    axes.legend(handles=entries, loc="upper left", bbox_to_anchor=(0, below), borderaxespad=0.4, ncols=4, fontsize=8,
                frameon=False, handlelength=1.4, columnspacing=1.2)  # fmt: skip


def _draw_heights(figure: Figure, heights: Any) -> None:
    height = figure.get_figheight()
    bar = figure.add_axes((MARGIN / WIDTH, 0.42 / height, 3.0 / WIDTH, 0.13 / height))
    figure.colorbar(heights, cax=bar, orientation="horizontal")
    bar.set_xlabel("height (m)", fontsize=8, color=INK, loc="left", labelpad=2)
    bar.tick_params(labelsize=8, colors=MUTED, length=2, pad=2)
    for spine in bar.spines.values():
        spine.set_visible(False)


def _draw_title(figure: Figure, world: World, below: float | None) -> None:
    place, height = world.georeference, figure.get_figheight()
    low, high = world.geometry.bounds()
    facts = [
        f"{high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} m",
        f"{len(world.geometry.objects)} buildings and things",
    ]
    facts.append(f"origin {place.latitude:.5f} N, {place.longitude:.5f} E (WGS 84)" if place else "local metres")
    if below is not None:
        facts.append(f"what begins below {below:g} m")
    lines = (world.description or "no description", "  ·  ".join(facts))
    figure.text(MARGIN / WIDTH, 1 - 0.28 / height, world.name, fontsize=12, fontweight="bold", color=INK, va="center")
    for i, line in enumerate(lines):
        figure.text(MARGIN / WIDTH, 1 - (0.53 + 0.2 * i) / height, line, fontsize=8.5, color=MUTED, va="center")


def _ground_colour(material: str) -> str:
    return next(colour for part, colour in GROUND_COLOURS.items() if part in material)


def _words(material: str) -> str:
    return material.replace("_", " ")
