"""A response surface: how the figures that requirements ask for go with what a sweep varied, and where they break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.plan import INK, MUTED
from twin.errors import ScenarioError
from twin.specs.figures import FIGURES
from twin.specs.requirement import Requirement, parse_requirement
from twin.state import F64
from twin.studies.pictures import COOL, HIT, make_axes
from twin.studies.plan import parted
from twin.units import UNITS

Row = Mapping[str, Any]
_MOST = 4
"""Requirements that are drawn."""
_PLANE = 4
"""Points from which on a plane is drawn between them."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A key that a sweep varied, and its values."""

    key: str
    unit: str
    values: F64  # (n,) of each run, in that unit

    @property
    def label(self) -> str:
        """Return key and unit."""
        return f"{self.key} [{self.unit}]" if self.unit else self.key


def axes_of(rows: Sequence[Row]) -> list[Axis]:
    """Return the keys of points that have several numbers of one unit."""
    found = []
    for key in dict.fromkeys(key for row in rows for key in row["point"]):
        quantities = [parted(row["point"].get(key, "")) for row in rows]
        units = {unit for _, unit in quantities}
        numbers = {number for number, _ in quantities}
        if None not in numbers and len(units) == 1 and len(numbers) > 1:
            found.append(Axis(key, units.pop(), np.array([number for number, _ in quantities], dtype=float)))
    return found


def can_draw(rows: Sequence[Row]) -> bool:
    """Tell whether there is a surface: numbers that were varied, and figures that were asked for and differ."""
    return bool(axes_of(rows) and _asked(rows))


def _asked(rows: Sequence[Row]) -> list[Requirement]:
    asked = [parse_requirement(text) for text in dict.fromkeys(text for row in rows for text in row["requirements"])]
    return [one for one in asked if not one.scope.family and _varies(one.figure, rows)][:_MOST]


def _varies(figure: str, rows: Sequence[Row]) -> bool:
    return len({row["figures"][figure] for row in rows if figure in row["figures"]}) > 1


def draw_surface(rows: Sequence[Row]) -> Figure:
    """Draw each requirement's figure over the one key, or the first two, that a sweep varied.

    Raises:
        ScenarioError: it varied no number, or asks for no figure of a run.
    """
    keys = axes_of(rows)[:2]
    if not keys:
        raise ScenarioError("the sweep varied no number: there is no surface to draw", key="--picture")
    asked = _asked(rows)
    if not asked:
        why = "no requirement asks for a figure that differs between runs"
        raise ScenarioError(f"{why}: there is no surface to draw", key="--picture")
    figure, made = make_axes(len(asked), height=2.6 if len(keys) == 1 else 3.4)
    for axes, one in zip(made, asked, strict=True):
        scale, unit = _unit(one)
        value = np.array([row["figures"].get(one.figure, np.nan) for row in rows], dtype=float) / scale
        (_curve if len(keys) == 1 else _plane)(axes, keys, value, one.limit / scale)
        label = f"{FIGURES[one.figure].label.strip()}{f' [{unit}]' if unit else ''}"
        axes.set_title(f"{label}: {one.text}", fontsize=10, color=INK, loc="left")
        axes.set_xlabel(keys[0].label, color=MUTED, fontsize=9)
    return figure


def _unit(one: Requirement) -> tuple[float, str]:
    """Return what a figure's SI values are divided by, and the unit that they have then."""
    figure = FIGURES[one.figure]
    return (1.0, "") if figure.dimension is None else (float(UNITS[figure.dimension][figure.unit]), figure.unit)


def _curve(axes: Axes, keys: Sequence[Axis], value: F64, limit: float) -> None:
    """Draw all runs, the mean at each value, and the limit."""
    x = keys[0].values
    places = np.unique(x)
    axes.plot(x, value, ".", color=COOL, markersize=4, alpha=0.5)
    means = [value[(x == place) & np.isfinite(value)] for place in places]
    axes.plot(places, [of.mean() if len(of) else np.nan for of in means], color=INK, linewidth=1.4)
    axes.axhline(limit, color=HIT, linewidth=1.0, linestyle="--")


def _plane(axes: Axes, keys: Sequence[Axis], value: F64, limit: float) -> None:
    """Draw the mean at each point, colours between them, and the line on which it is at the limit."""
    known = np.isfinite(value)
    points, place = np.unique(np.stack([key.values for key in keys], axis=1)[known], axis=0, return_inverse=True)
    place = place.ravel()
    mean = np.bincount(place, value[known]) / np.bincount(place)
    spread = np.ptp(points, axis=0)
    if len(points) >= _PLANE and (spread > 0).all() and np.ptp(mean) > 0:
        axes.figure.colorbar(axes.tricontourf(points[:, 0], points[:, 1], mean, levels=12, cmap="viridis"), ax=axes)
        if mean.min() < limit < mean.max():
            axes.tricontour(points[:, 0], points[:, 1], mean, levels=[limit], colors=HIT, linewidths=1.8)
    else:
        axes.figure.colorbar(axes.scatter(points[:, 0], points[:, 1], c=mean, cmap="viridis", s=40), ax=axes)
    axes.plot(points[:, 0], points[:, 1], ".", color=INK, markersize=2)
    axes.set_ylabel(keys[1].label, color=MUTED, fontsize=9)
