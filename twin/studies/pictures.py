"""Pictures of many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.clock import NS
from twin.specs.requirement import Requirement
from twin.studies.logistic import Likely
from twin.studies.margin import Border
from twin.studies.sensitivity import Influence
from twin.studies.splitting import Leaf

HIT, MISS, COOL = "#c62828", "#8c959f", "#1769aa"
_TREES = 4
"""Trees that are drawn: those with most paths among those with a hit."""
_Lineage = tuple[tuple[int, int], ...]


def make_axes(rows: int = 1, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """Return a figure with `rows` plain axes of `height` inches, one below the other."""
    figure = Figure(figsize=(8.0, height * rows), facecolor=PAPER, layout="constrained")
    made = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for axes in made:
        axes.tick_params(colors=MUTED, labelsize=9)
        for side, spine in axes.spines.items():
            spine.set_color(FRAME)
            spine.set_visible(side in ("left", "bottom"))
    return figure, made


def draw_trees(trees: Sequence[Sequence[Leaf]], event: Requirement) -> Figure:
    """Draw how paths of some trees went: each from where it split off to its end, red where it met the event."""
    some = sorted((tree for tree in trees if any(leaf.hit for leaf in tree)), key=len, reverse=True)[:_TREES]
    some = some or sorted(trees, key=len, reverse=True)[:1]
    figure, made = make_axes(len(some), height=1.6 if len(some) > 1 else 3.0)
    for axes, tree in zip(made, some, strict=True):
        _draw_tree(axes, sorted(tree, key=lambda leaf: leaf.lineage))
    made[0].set_title(f"paths of {len(some)} roots; red: {event.text}", fontsize=10, color=INK, loc="left")
    made[-1].set_xlabel("time [s]", color=MUTED, fontsize=9)
    return figure


def _draw_tree(axes: Axes, tree: Sequence[Leaf]) -> None:
    rows = {leaf.lineage: row for row, leaf in enumerate(tree)}
    for leaf in tree:
        row, start = rows[leaf.lineage], leaf.lineage[-1][0] if leaf.lineage else 0
        colour = HIT if leaf.hit else MISS
        axes.plot([start / NS, leaf.end / NS], [row, row], color=colour, linewidth=1.4, solid_capstyle="butt")
        if leaf.lineage:
            parent = rows.get(leaf.lineage[:-1], row)
            axes.plot([start / NS] * 2, [parent, row], color=MISS, linewidth=0.6)
    axes.set(ylim=(-0.7, len(tree) - 0.3), yticks=[])
    axes.set_xlim(left=0.0)
    axes.set_ylabel(f"{len(tree)} paths", color=MUTED, fontsize=9)


def draw_tornado(names: Sequence[str], figures: Sequence[tuple[str, Sequence[Influence]]]) -> Figure:
    """Draw, figure by figure, the rank correlation of each parameter with its interval, the strongest on top."""
    figure, made = make_axes(len(figures), height=0.9 + 0.4 * len(names))
    for axes, (label, influences) in zip(made, figures, strict=True):
        order = sorted(range(len(names)), key=lambda k: abs(influences[k].value))
        for row, k in enumerate(order):
            one = influences[k]
            axes.barh(row, one.value, height=0.6, color=HIT if one.value > 0 else COOL)
            axes.plot([one.interval.lower, one.interval.upper], [row, row], color=INK, linewidth=1.2)
        axes.axvline(0.0, color=FRAME, linewidth=1.0)
        axes.set(xlim=(-1.05, 1.05), yticks=range(len(names)))
        axes.set_yticklabels([names[k] for k in order], fontsize=9, color=INK)
        axes.set_title(f"{label}: rank correlation", fontsize=10, color=INK, loc="left")
    return figure


def draw_border(key: str, unit: str, seen: Mapping[float, float], border: Border) -> Figure:
    """Draw the worst margin of all requirements at each value that was looked at, as shares of their limits."""
    figure, (axes,) = make_axes(height=3.6)
    places = sorted(seen)
    known = [place for place in places if isfinite(seen[place])]
    axes.axhspan(-1e9, 0.0, color=HIT, alpha=0.06, linewidth=0)
    axes.axvline((border.holds + border.breaks) / 2, color=INK, linewidth=1.0, linestyle="--")
    axes.plot(known, [seen[place] for place in known], color=MISS, linewidth=1.0)
    floor = min([seen[place] for place in known], default=-1.0)
    for place in places:
        good, there = seen[place] >= 0.0, isfinite(seen[place])
        axes.plot([place], [seen[place] if there else floor], "o" if there else "x", color=COOL if good else HIT)
    most = max([abs(seen[place]) for place in known], default=1.0)
    axes.set_ylim(min(floor, 0.0) - 0.08 * most, max([*(seen[place] for place in known), 0.0]) + 0.08 * most)
    _name(axes, key, unit, "worst margin, share of the limit")
    ends = sorted((border.holds, border.breaks))
    axes.set_title(f"requirements break between {ends[0]:.4g} and {ends[1]:.4g} {unit}".strip(), fontsize=10, color=INK,
                   loc="left")  # fmt: skip
    return figure


def draw_likely(key: str, unit: str, found: Likely, probability: float) -> Figure:
    """Draw runs that held and that broke, the curve between them, and where it is at `probability`."""
    figure, (axes,) = make_axes(height=3.6)
    places = np.array([place for place, _ in found.runs])
    broken = np.array([bad for _, bad in found.runs])
    x = np.linspace(places.min(), places.max(), 300)
    sign = 1.0 if found.rises else -1.0
    axes.axvspan(found.interval.lower, found.interval.upper, color=COOL, alpha=0.12, linewidth=0)
    axes.axvline(found.value, color=COOL, linewidth=1.2)
    axes.axhline(probability, color=FRAME, linewidth=1.0)
    axes.plot(x, 1 / (1 + np.exp(-sign * (x - found.even) / found.scale)), color=INK, linewidth=1.2)
    for bad, colour, level in ((False, COOL, 0.0), (True, HIT, 1.0)):
        axes.plot(places[broken == bad], np.full((broken == bad).sum(), level), "|", markersize=11, color=colour)
    axes.set(ylim=(-0.08, 1.08), xlim=(places.min(), places.max()))
    _name(axes, key, unit, "share of runs that break")
    axes.set_title(f"{100 * probability:g} % of runs break at {found.value:.3g} {unit} ({found.interval.lower:.3g} to "
                   f"{found.interval.upper:.3g})", fontsize=10, color=INK, loc="left")  # fmt: skip
    return figure


def _name(axes: Axes, key: str, unit: str, what: str) -> None:
    axes.set_xlabel(f"{key} [{unit}]" if unit else key, color=MUTED, fontsize=9)
    axes.set_ylabel(what, color=MUTED, fontsize=9)
