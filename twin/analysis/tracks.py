"""Where robots went in a recorded run, and how old the word was that they went by."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import COMMAND, F64, I64, NOMINAL, Bool

MOST_POINTS = 5000
"""Points kept of each track; a longer run is thinned out evenly."""
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The way of one robot; n points in time."""

    robot: str
    position: F64  # (n, 3) m
    round_trip: F64  # (n,) s, longest of the commands since the point before, else of the newest; nan before one
    on_failsafe: Bool  # (n,)


@dataclass(frozen=True, slots=True)
class RadioSite:
    """A radio without a body, where the scenario put it."""

    robot: str
    position: tuple[float, float, float]  # m


def tracks(recording: Recording) -> list[Track]:
    """Return the track of every robot with a body."""
    stride = max(1, -(-len(recording["state/time"]) // MOST_POINTS))
    time: I64 = recording["state/time"][::stride]
    position: F64 = recording["state/position"][::stride]
    modes = recording.strings.decode(recording["state/mode"][::stride])
    destination, arrived, stamp = _commands(recording)
    found = []
    for node, robot in enumerate(recording.robots):
        if robot.body >= 0:
            mine = destination == node
            delays = round_trips(time, arrived[mine], stamp[mine])
            found.append(Track(robot.name, position[:, robot.body], delays, modes[:, node] != NOMINAL))
    return found


def sites(recording: Recording) -> list[RadioSite]:
    """Return the radios without a body, at the places that the scenario names."""
    entries = tomllib.loads(recording.scenario_text)["robots"]
    found: list[RadioSite] = []
    first: dict[str, int] = {}
    for node, robot in enumerate(recording.robots):
        row = node - first.setdefault(robot.group, node)
        places = entries[robot.group].get("positions", ())
        if robot.body < 0 and len(places) > row and any(r.owner == node for r in recording.header.radios):
            x, y, z = places[row]
            found.append(RadioSite(robot.name, (float(x), float(y), float(z))))
    return found


def _commands(recording: Recording) -> tuple[I64, I64, I64]:
    """Return destination, arrival [ns] and stamp [ns] of all commands that arrived, in order of arrival."""
    blocks = []
    for start in range(0, len(recording["packets/kind"]), _BLOCK):
        rows = slice(start, start + _BLOCK)
        kind, fate = (recording.strings.decode(recording[f"packets/{name}"][rows]) for name in ("kind", "fate"))
        chosen = (kind == COMMAND) & (fate == "delivered")
        names = ("destination", "arrived", "stamp")
        blocks.append(np.stack([recording[f"packets/{name}"][rows][chosen].astype(np.int64) for name in names]))
    all_of_them = np.concatenate(blocks, axis=1) if blocks else np.zeros((3, 0), dtype=np.int64)
    destination, arrived, stamp = all_of_them[:, np.argsort(all_of_them[1], kind="stable")]
    return destination, arrived, stamp


def round_trips(time: I64, arrived: I64, stamp: I64) -> F64:
    """Return the round trip at each time (n,) s: the longest since the time before, else the newest, else nan.

    `time` (n,), `arrived` and `stamp` (m,) are in ns and rise.
    """
    delay = (arrived - stamp) / NS
    out = np.full(len(time), -np.inf)
    point = np.searchsorted(time, arrived, side="left")
    seen = point < len(time)
    np.maximum.at(out, point[seen], delay[seen])
    newest = np.searchsorted(arrived, time, side="right") - 1
    held = np.append(delay, np.nan)[newest]  # -1, none yet, is the nan
    return np.where(np.isneginf(out), held, out)
