"""Pictures of many runs."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.plan import FRAME, INK, MUTED, PAPER
from twin.clock import NS
from twin.specs.requirement import Requirement
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
