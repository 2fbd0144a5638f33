"""The plan of a world: ground by its material, roofs by their height."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from twin.state import F64, I32, I64
from twin.world.geometry import GROUND, Geometry

INK, MUTED, FRAME, PAPER = "#1c2128", "#59636e", "#d0d7de", "#ffffff"

GROUND_COLOURS = {"water": "#cfe3ee", "wet_ground": "#dfe9d6", "ground": "#f0ede7", "": "#faf9f7"}
"""Colour of ground whose material's name holds the key; the first that fits."""
HEIGHTS = ListedColormap(colormaps["Greys"](np.linspace(0.16, 0.62, 256)), name="heights")
_LEVEL = 0.2  # least z of a normal that looks up


def make_sheet(low: F64, high: F64, inches: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """Return a figure with a map of what lies between `low` and `high` (2,) m.

    `inches`: width of the figure, of the bands above and below the map, and of the margins beside it.
    """
    width, title, keys, margin = inches
    map_width = width - 2 * margin
    map_height = map_width * float((high[1] - low[1]) / (high[0] - low[0]))
    height = title + map_height + keys
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    axes = figure.add_axes((margin / width, keys / height, map_width / width, map_height / height))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color(FRAME)
    return figure, axes


def draw_plan(axes: Axes, geometry: Geometry, low: F64, high: F64) -> ScalarMappable | None:
    """Draw what lies between `low` and `high` (2,) m, seen from above; return the key of heights [m]."""
    triangle = _seen_from_above(geometry, low, high)
    face = geometry.triangle_face[triangle]
    corners = geometry.vertices[geometry.triangles[triangle]]  # (t, 3, 3)
    owner, material = geometry.face_object[face], geometry.face_material[face]
    colours = np.array([to_rgba(_ground_colour(name)) for name in geometry.materials])[material]
    on_top, key = owner != GROUND, None
    if on_top.any():
        height = corners[..., 2].max(axis=1) - _feet(geometry)[owner]
        key = ScalarMappable(Normalize(0.0, float(height[on_top].max())), HEIGHTS)
        colours[on_top] = key.to_rgba(height[on_top])
    # Edges of their own colour close the seams between triangles.
    fill = PolyCollection(list(corners[..., :2]), facecolors=colours, edgecolors=colours, linewidths=0.7)
    axes.add_collection(fill, autolim=False)
    edges = geometry.vertices[_outline(geometry.triangles[triangle[on_top]], face[on_top])][..., :2]
    axes.add_collection(LineCollection(list(edges), colors="#6e7781", linewidths=0.5), autolim=False)
    return key


def _seen_from_above(geometry: Geometry, low: F64, high: F64) -> I64:
    """Return the triangles that look up and reach into the rectangle, the lowest first."""
    corners = geometry.vertices[geometry.triangles]
    looks_up = geometry.face_normal[geometry.triangle_face, 2] > _LEVEL
    flat = corners[..., :2]
    reaches_in = ((flat.max(axis=1) > low) & (flat.min(axis=1) < high)).all(axis=1)
    triangle = np.flatnonzero(looks_up & reaches_in)
    return triangle[np.argsort(corners[triangle, :, 2].max(axis=1), kind="stable")]


def _ground_colour(material: str) -> str:
    return next(colour for part, colour in GROUND_COLOURS.items() if part in material)


def _feet(geometry: Geometry) -> F64:
    """Return the lowest z [m] of each object, and that of the ground at the end."""
    lowest = np.full(len(geometry.objects) + 1, np.inf)
    owner = geometry.face_object[geometry.triangle_face]
    np.minimum.at(lowest, owner, geometry.vertices[geometry.triangles, 2].min(axis=1))
    return lowest


def _outline(triangles: I32, face: I32) -> I32:
    """Return the edges (e, 2) that only one triangle of a face has: those around it."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    keyed = np.column_stack([edges, np.tile(face, 3)])
    unique, count = np.unique(keyed, axis=0, return_counts=True)
    outline: I32 = unique[count == 1, :2]
    return outline


def draw_grid(axes: Axes, low: F64, high: F64) -> None:
    """Draw lines at round coordinates, and say at the edges which: x to the east, y to the north, in metres."""
    ticks = MaxNLocator(8, steps=[1, 2, 5, 10])
    axes.set_xticks([x for x in ticks.tick_values(low[0], high[0]) if low[0] <= x <= high[0]])
    axes.set_yticks([y for y in ticks.tick_values(low[1], high[1]) if low[1] <= y <= high[1]])
    axes.tick_params(labelsize=8, colors=MUTED, length=2, pad=2)
    axes.grid(color=MUTED, linewidth=0.4, alpha=0.35)
    axes.set_axisbelow(False)
    axes.set_xlabel("x, east (m)", fontsize=8, color=INK, loc="right", labelpad=1)
    axes.set_ylabel("y, north (m)", fontsize=8, color=INK, loc="top", labelpad=1)


def draw_scale_and_north(axes: Axes, low: F64, high: F64) -> None:
    """Draw a scale bar of a round length below left, and north above right."""
    width, halo = float(high[0] - low[0]), [withStroke(linewidth=3.0, foreground=PAPER)]
    lengths = [digit * 10.0**power for power in range(-1, 6) for digit in (1, 2, 5)]
    length = max(step for step in lengths if step <= width / 5)
    x, y = low + 0.03 * width
    axes.plot([x, x + length], [y, y], color=INK, linewidth=2.5, solid_capstyle="butt", path_effects=halo, zorder=6)
    text = axes.annotate(f"{length:g} m", (x, y), (0, 4), textcoords="offset points", fontsize=8, color=INK, zorder=6)
    text.set(path_effects=halo)
    x, y = high - [0.03 * width, 0.05 * width]
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4, "path_effects": halo}
    axes.annotate("", (x, y), (x, y - 0.06 * width), arrowprops=arrow, zorder=6)
    north = axes.annotate("N", (x, y), (0, 1), textcoords="offset points", fontsize=9, color=INK, ha="center",
                          fontweight="bold", zorder=6)  # fmt: skip
    north.set(path_effects=halo)
