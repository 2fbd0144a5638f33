"""A map of what base stations saw: detections and tracks over the plan of the world, and what was there."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.analysis.picture import WIDTH
from twin.analysis.plan import INK, MUTED, draw_plan, draw_scale_and_north, make_sheet
from twin.numerics.bistatic import places
from twin.recording.reader import Recording
from twin.scan import Cpi
from twin.state import F64, Frame
from twin.world.geometry import Geometry

TITLE, KEYS, MARGIN, ROOM = 0.5, 0.7, 0.2, 25.0
"""Inches of the bands above and below the map and round it; metres beside what it shows."""


def draw_seen(recording: Recording, geometry: Geometry | None) -> Figure:
    """Draw all detections and tracks of a run that senses."""
    ways: dict[int, list[F64]] = defaultdict(list)
    tracks: dict[tuple[int, str], list[F64]] = defaultdict(list)
    known: dict[tuple[int, str], bool] = {}
    cpis: list[Cpi] = []
    for frame in recording.frames():
        cpis += frame.cpis
        _take_tracks(frame, tracks, known)
        for node in recording.robots:
            if node.body >= 0:
                ways[node.body].append(frame.bodies.position[node.body, :2])
    seen = [places(cpi.scan)[:, :2] for cpi in cpis]
    source = np.concatenate([cpi.source for cpi in cpis]) if cpis else np.zeros(0, dtype=np.int64)
    bounces = np.concatenate([cpi.bounces for cpi in cpis]) if cpis else np.zeros(0, dtype=np.int32)
    sites = np.array([cpi.scan.receiver[:2] for cpi in cpis]).reshape(-1, 2)
    shown = np.concatenate([*(np.array(way) for way in ways.values()), sites])
    low, high = shown.min(axis=0) - ROOM, shown.max(axis=0) + ROOM
    figure, axes = make_sheet(low, high, (WIDTH, TITLE, KEYS, MARGIN))
    if geometry is not None:
        draw_plan(axes, geometry, low, high)
    _draw_detections(axes, np.concatenate(seen) if seen else np.zeros((0, 2)), source, bounces)
    for number, way in enumerate(ways.values()):
        axes.plot(*np.array(way).T, color=INK, linewidth=0.6, label="was flown" if not number else None)
    _draw_tracks(axes, tracks, known)
    axes.plot(*np.unique(sites, axis=0).T, "^", color=INK, markersize=8, label="site", linestyle="none")
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=7, fontsize=8, frameon=False, handletextpad=0.3)
    draw_scale_and_north(axes, low, high)
    figure.text(MARGIN / WIDTH, 1.0 - 0.3 / figure.get_figheight(), f"{recording.path.name}: what base stations saw",
                fontsize=11, fontweight="bold", color=INK)  # fmt: skip
    return figure


def _take_tracks(frame: Frame, tracks: dict[tuple[int, str], list[F64]], known: dict[tuple[int, str], bool]) -> None:
    place: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    for time, node, name, value in frame.logs:
        if name.startswith("track."):
            _, number, what = name.split(".")
            place[node, f"{number} {time}"][what] = value
    for (node, which), values in place.items():
        one = node, which.partition(" ")[0]
        tracks[one].append(np.array([values["x"], values["y"]]))
        known[one] = bool(values["known"])


def _draw_detections(axes: Axes, at: F64, source: np.ndarray, bounces: np.ndarray) -> None:
    echo, ghost = (source >= 0) & (bounces == 0), (source >= 0) & (bounces > 0)
    kinds = ((source < 0, "#8c959f", "noise"), (ghost, "#d4a72c", "echo by a wall"), (echo, "#54aeff", "detection"))
    for chosen, colour, label in kinds:
        axes.plot(*at[chosen].T, ".", color=colour, markersize=2.5, label=label, linestyle="none")


def _draw_tracks(
    axes: Axes, tracks: dict[tuple[int, str], list[F64]], known: dict[tuple[int, str], bool]
) -> None:
    styles = {True: ("#1a7f37", 1.0, "track that reports"), False: ("#cf222e", 1.6, "unknown track")}
    named = set[bool]()
    for one, way in tracks.items():
        colour, width, label = styles[known[one]]
        axes.plot(*np.array(way).T, color=colour, linewidth=width, label=None if known[one] in named else label)
        named.add(known[one])
    if not tracks:
        axes.plot([], [], color=MUTED, label="no track")
