"""Pictures of plans: where control holds and where it is lost, and what money buys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from twin.analysis.plan import FRAME, INK, MUTED, PAPER, draw_grid, draw_plan, draw_scale_and_north, make_sheet
from twin.siting.judge import Judged
from twin.siting.plans import Front, Plan, sites_of
from twin.siting.study import Study, seconds, share
from twin.state import F64

WIDTH, TITLE, KEYS, MARGIN = 8.4, 0.85, 0.95, 0.55
"""Inches: of a map, of the bands above and below it, and of the margins beside it."""
HELD, GONE, LOST = "#2e8b57", "#b7bec6", "#c62828"
MARKS = ("^", "s", "D", "P", "v", "h")
"""Of kinds of sites, in the order in which they come."""
MOST_NAMES = 24


def draw_map(study: Study, plan: Plan) -> Figure:
    """Draw the mission over the site: green in control, a cross where a robot is lost, grey from there on."""
    places = np.array([study.candidates[site].place for site in sites_of(study, plan.chosen)]).reshape(-1, 3)
    low, high = _view(np.concatenate([study.mission.position.reshape(-1, 3), places])[:, :2])
    figure, axes = make_sheet(low, high, (WIDTH, TITLE, KEYS, MARGIN))
    draw_plan(axes, study.world.geometry, low, high)
    draw_grid(axes, low, high)
    _draw_mission(axes, study, plan)
    _draw_candidates(axes, study, plan)
    _draw_sites(axes, study, plan)
    draw_scale_and_north(axes, low, high)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.03), borderpad=0.3, borderaxespad=0.2, ncols=5, fontsize=8,
                frameon=False, handletextpad=0.4)  # fmt: skip
    _title(figure, _headline(study, plan), _facts(study, plan))
    height = figure.get_figheight()
    note = "Predicted by the link table, in the worst case; street shadows are total: no diffraction, no handover."
    figure.text(MARGIN / WIDTH, 0.10 / height, note, fontsize=8, color=MUTED)
    return figure


def _view(points: F64) -> tuple[F64, F64]:
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2
    half = np.maximum(half + 0.1 * half.max(), 20.0)
    half = np.maximum(half, [half[1] / 1.1, half[0] / 2])
    return middle - half, middle + half


def _draw_mission(axes: Axes, study: Study, plan: Plan) -> None:
    lines: dict[str, list[F64]] = {HELD: [], GONE: []}
    crosses = []
    for robot, step in enumerate(plan.worst.lost):
        way = study.mission.position[:, robot, :2]
        end = len(way) if step is None else step + 1
        lines[HELD].append(way[:end])
        if step is not None:
            lines[GONE].append(way[step:])
            crosses.append(way[step])
    for colour, label, width in ((GONE, "after control is lost", 1.2), (HELD, "in control", 1.6)):
        if lines[colour]:
            axes.add_collection(
                LineCollection(lines[colour], colors=colour, linewidths=width, label=label, zorder=3), autolim=False
            )
    if crosses:
        x, y = np.array(crosses).T
        halo = [withStroke(linewidth=2.5, foreground=PAPER)]
        axes.plot(x, y, "x", color=LOST, markersize=7, markeredgewidth=1.8, label="control is lost", zorder=5,
                  path_effects=halo)  # fmt: skip


def _draw_candidates(axes: Axes, study: Study, plan: Plan) -> None:
    there = set(sites_of(study, plan.chosen))
    others = [one.place[:2] for site, one in enumerate(study.candidates) if site not in there]
    if others:
        x, y = np.array(others).T
        axes.plot(x, y, "o", color=MUTED, markersize=2.5, label="candidate", zorder=4)


def _draw_sites(axes: Axes, study: Study, plan: Plan) -> None:
    kinds = list(dict.fromkeys(one.kind for one in study.candidates))
    halo = [withStroke(linewidth=2.5, foreground=PAPER)]
    there = sites_of(study, plan.chosen)
    for number, kind in enumerate(kinds):
        own = [study.candidates[site] for site in there if study.candidates[site].kind == kind]
        if own:
            x, y = np.array([one.place[:2] for one in own]).T
            axes.plot(x, y, MARKS[number % len(MARKS)], color=INK, markersize=9, linestyle="none", zorder=6,
                      label=f"site: {kind}", path_effects=halo)  # fmt: skip
    for site in there if len(there) <= MOST_NAMES else ():
        one = study.candidates[site]
        axes.annotate(one.name, one.place[:2], (7, 5), textcoords="offset points", fontsize=8, color=INK, zorder=7,
                      path_effects=halo)  # fmt: skip


def _headline(study: Study, plan: Plan) -> str:
    cost = f"{money(plan.cost)} {study.spec.currency} over {study.spec.years:g} years"
    return f"{study.scenario.world}: {plan.name}, {cost}"


def _facts(study: Study, plan: Plan) -> str:
    lost = sum(step is not None for step in plan.worst.lost)
    spectrum = ", ".join(f"{n} {c.bandwidth / 1e6:g} MHz {c.pattern}" for n, c in plan.carriers.items())
    what = f"{lost} of {len(plan.worst.lost)} robots lost, {seconds(study, plan.worst.missed):.1f} s without control"
    return f"{spectrum}  ·  {100 * share(study, plan.worst):.2f} % of the time under control  ·  {what}"


def _title(figure: Figure, first: str, second: str) -> None:
    height = figure.get_figheight()
    figure.text(MARGIN / WIDTH, 1 - 0.30 / height, first, fontsize=12, fontweight="bold", color=INK, va="center")
    figure.text(MARGIN / WIDTH, 1 - 0.57 / height, second, fontsize=8.5, color=MUTED, va="center")


def money(value: float) -> str:
    """Return an amount as people read it: 281 772."""
    return f"{value:,.0f}".replace(",", "\u202f")


def draw_front(study: Study, front: Front, plans: Sequence[Plan], runs: Sequence[Judged]) -> Figure:
    """Draw cost against the share of time under control: the best there is, plans, and what their runs gave."""
    figure = Figure(figsize=(8.0, 4.6), facecolor=PAPER, layout="constrained")
    axes = figure.add_subplot()
    axes.step(front.cost, 100 * np.array(front.share), where="post", color=HELD, linewidth=1.6,
              label="most control for the money, predicted")  # fmt: skip
    axes.plot(front.cost, 100 * np.array(front.share), ".", color=HELD, markersize=5)
    for number, plan in enumerate(plans):
        at = (plan.cost, 100 * share(study, plan.worst))
        axes.plot(*at, "o", color=INK, markersize=6, mfc=PAPER, zorder=4, label="a plan, predicted" * (not number))
        axes.annotate(plan.name, at, (6, 4 - 11 * (number % 3)), textcoords="offset points", fontsize=8, color=INK)
    robots, duration = len(study.mission.names), study.scenario.duration / 1e9
    known = [(one.plan.cost, 100 - 100 * max(one.failsafe) / (robots * duration)) for one in runs
             if not np.isnan(one.failsafe).any()]  # fmt: skip
    if known:
        x, y = np.array(known).T
        axes.plot(x, y, "D", color=LOST, markersize=5, zorder=5, linestyle="none",
                  label="its worst run, not on failsafe")  # fmt: skip
    axes.set_xlabel(f"cost over {study.spec.years:g} years ({study.spec.currency})", fontsize=9, color=INK)
    axes.set_ylabel("time under control (%)", fontsize=9, color=INK)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: money(value)))
    axes.tick_params(colors=MUTED, labelsize=8.5)
    axes.grid(color=FRAME, linewidth=0.5)
    for spine in axes.spines.values():
        spine.set_color(FRAME)
    axes.margins(x=0.1)  # room for names beside the last plan
    figure.legend(fontsize=8.5, frameon=False, loc="outside lower left", ncols=3)
    axes.set_title(f"{study.scenario.world}: what money buys", fontsize=11, fontweight="bold", color=INK, loc="left")
    return figure
