"""A forest plot: how the figures of settings differ from those of the first, pair by pair, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from twin.analysis.paired import Comparison, Difference, shown
from twin.analysis.picture import WIDTH
from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.analysis.signal_picture import COLOURS
from twin.errors import RecordingError
from twin.specs.figures import FIGURES

_LINE, _AROUND = 0.24, 1.35
"""Inches: height of a line, and above and below all of them."""
_LEFT, _RIGHT = 0.24, 0.66
"""Where the axes begin and end, of the width; words stand at both sides."""


def draw_forest(comparisons: Sequence[Comparison]) -> Figure:
    """Draw the mean difference of each figure that differs anywhere, as a share of the larger of both means.

    Raises:
        RecordingError: no figure differs.
    """
    names = [name for name in FIGURES if any(one.mean or one.more for all_ in comparisons for one in all_.differences
                                             if one.figure == name)]  # fmt: skip
    if not names:
        raise RecordingError("no figure differs in any pair of runs: there is nothing to draw")
    lines = len(names) * (len(comparisons) + 0.5)
    height = _AROUND + _LINE * lines
    figure = Figure(figsize=(WIDTH, height), facecolor=PAPER)
    axes = figure.add_axes((_LEFT, 0.62 / height, _RIGHT - _LEFT, _LINE * lines / height))
    axes.axvline(0.0, color=INK, linewidth=0.8)
    y = 0.25
    for name in names:
        _label(axes, -0.02, y + (len(comparisons) - 1) / 2, FIGURES[name].label.strip(), "right", INK)
        for i, one in enumerate(comparisons):
            for found in one.differences:
                if found.figure == name:
                    _draw_line(axes, y, found, COLOURS(i))
            y += 1.0
        y += 0.5
    axes.set_ylim(lines - 0.25, -0.5)
    _finish(figure, axes, comparisons)
    return figure


def _draw_line(axes: Axes, y: float, found: Difference, colour: object) -> None:
    """Draw a mean difference with its interval, and say it beside."""
    scale = max(abs(found.first), abs(found.second)) or 1.0
    middle, low, high = (value / scale for value in (found.mean, found.interval.lower, found.interval.upper))
    if isfinite(low):
        axes.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot([middle], [y], marker="s", markersize=4.5, color=colour)
    _label(axes, 1.02, y, shown(found), "left", MUTED)


def _label(axes: Axes, x: float, y: float, text: str, side: str, colour: str) -> None:
    axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha=side, va="center", fontsize=8, color=colour)


def _finish(figure: Figure, axes: Axes, comparisons: Sequence[Comparison]) -> None:
    first = comparisons[0].first
    axes.set_yticks([])
    axes.grid(axis="x", color=FRAME, linewidth=0.5)
    axes.tick_params(labelsize=8, colors=MUTED)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.set_xlabel(f"difference from {first}, as a share of the larger of both means", fontsize=8, color=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FRAME)
    title = f"Difference from {first}, pair by pair, with 95 % intervals"
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.22 / height, title, fontsize=11, fontweight="bold", color=INK, va="center")
    for i, one in enumerate(comparisons):
        words = f"■ {one.second}, {one.pairs} pairs"
        figure.text(0.01 + 0.33 * i, 1 - 0.5 / height, words, fontsize=8, color=COLOURS(i), va="center")
