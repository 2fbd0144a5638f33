"""What a report shows of one recorded run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from twin.analysis.energy import work_of_drives
from twin.analysis.flows import Flow, flows
from twin.analysis.held import held_by, joined
from twin.analysis.metrics import Metrics
from twin.analysis.planned import Planned, planned_by
from twin.analysis.tracks import RadioSite, Track, sites, tracks
from twin.clock import NS
from twin.protocols import Course
from twin.recording.reader import Recording
from twin.recording.schema import Header
from twin.specs import TaskSpec
from twin.state import F64, Bool, Event
from twin.tasks.make import make_task, needs_world
from twin.tasks.site import TaskContext
from twin.units import parse_quantity
from twin.world.geometry import Geometry

MOST_TRACES = 1500
"""Traces of the channel that the map of link quality is made of; more are thinned out evenly."""
_TASK: TypeAdapter[Any] = TypeAdapter(TaskSpec)


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Where a robot was, and the gain of its best link there."""

    robot: str
    position: F64  # (n, 3) m
    gain_db: F64  # (n,) -inf without a path


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run, taken apart."""

    label: str  # "A" or "B" where two are compared
    name: str  # of its file
    header: Header
    scenario: Mapping[str, Any]
    summary: Mapping[str, Any]
    complete: bool
    reason: str
    duration: float  # s
    delay_budget: int  # ns
    time: F64  # (n,) s, of the points of the tracks
    stride: int  # frames from one point to the next
    tracks: list[Track]
    errors: dict[str, F64]  # robot with a task -> (n,) m
    sites: list[RadioSite]
    flows: list[Flow]
    events: list[Event]
    quality: list[Quality]
    work: dict[str, float]  # of the drives, robot with joints -> J
    geometry: Geometry | None
    plans: list[Planned]


def take_apart(
    recording: Recording, geometry: Geometry | None, label: str = "", place: TaskContext | None = None
) -> Run:
    """Read what a report needs of a run.

    `geometry` is the plan of its world, None if it isn't there; `place` is where missions were flown, None if that
    isn't known: then their robots have no tracking error over time.
    """
    scenario = tomllib.loads(recording.scenario_text)
    flown = tracks(recording)
    points = len(flown[0].position) if flown else 0
    stride = max(1, -(-recording.rows["state"] // max(points, 1)))
    time = recording["state/time"][::stride] / NS
    budget = budget_of(scenario)
    return Run(
        label=label,
        name=recording.path.name,
        header=recording.header,
        scenario=scenario,
        summary=joined(recording.summary, held_by(recording)),
        complete=recording.complete,
        reason=recording.reason,
        duration=recording.duration / NS,
        delay_budget=budget,
        time=time,
        stride=stride,
        tracks=flown,
        errors=_errors(recording, scenario, time, flown, place),
        sites=sites(recording),
        flows=flows(recording, budget),
        events=sorted(recording.events(), key=lambda event: event.time),
        quality=_quality(recording),
        work=work_of_drives(recording),
        geometry=geometry,
        plans=planned_by(recording),
    )


def budget_of(scenario: Mapping[str, Any]) -> int:
    """Return the delay budget of a resolved scenario's network [ns]; 0 without one."""
    return round(parse_quantity(scenario.get("network", {}).get("delay_budget", 0), "time") * NS)


def summary_until(recording: Recording, until: int, place: TaskContext | None = None) -> dict[str, Any]:
    """Return a run's figures of its frames up to a time [ns]; without `place`, none of missions."""
    scenario = tomllib.loads(recording.scenario_text)
    metrics = Metrics(recording.robots, tasks_of(scenario, place), budget_of(scenario))
    for frame in recording.frames(stop=until + 1):
        metrics.take(frame)
    return metrics.summary()


def tasks_of(scenario: Mapping[str, Any], place: TaskContext | None) -> dict[str, Any]:
    """Return the tasks of a resolved scenario's entries; without their `place` not those that need a world."""
    specs = {
        group: (_TASK.validate_python(entry["task"]), entry.get("count", 1))
        for group, entry in scenario.get("robots", {}).items()
        if "task" in entry
    }
    return {
        group: make_task(spec, count, site=place)
        for group, (spec, count) in specs.items()
        if place is not None or not needs_world(spec)
    }


def _errors(
    recording: Recording, scenario: Mapping[str, Any], time: F64, flown: list[Track], place: TaskContext | None
) -> dict[str, F64]:
    """Return the distance of each robot with a course from where it should be."""
    errors = {}
    nodes = {robot.name: robot for robot in recording.robots}
    tasks = tasks_of(scenario, place)
    for track in flown:
        node = nodes[track.robot]
        task = tasks.get(node.group)
        if isinstance(task, Course):
            gaps = [
                place - task.reference(node.row, t).position
                for place, t in zip(track.position, time.tolist(), strict=True)
            ]
            errors[track.robot] = np.linalg.norm(np.reshape(gaps, (-1, 3)), axis=1)
    return errors


def _quality(recording: Recording) -> list[Quality]:
    """Return the best gain of every robot with a body: to sites, or to anyone where there is no site."""
    if "links/path_gain_db" not in recording.columns or not recording.rows["state"]:
        return []
    every = max(1, -(-recording.rows["links"] // MOST_TRACES))
    gain = recording["links/path_gain_db"][::every]
    times = recording["state/time"][:]
    frame = np.searchsorted(times, recording["links/time"][::every], side="right") - 1
    frames = slice(int(frame[0]), int(frame[-1]) + 1)
    position = recording["state/position"][frames][frame - frame[0]]
    owners = np.array([radio.owner for radio in recording.header.radios])[recording.header.layout.pairs]
    bodies = np.array([robot.body for robot in recording.robots])
    found = []
    for node, robot in enumerate(recording.robots):
        links = _links_of(node, owners, bodies)
        if robot.body >= 0 and links.any():
            found.append(Quality(robot.name, position[:, robot.body], gain[:, links].max(axis=1)))
    return found


def _links_of(node: int, owners: Any, bodies: Any) -> Bool:
    """Return which links (L,) join `node` with a site; with anyone if none does."""
    mine: Bool = (owners == node).any(axis=1)
    to_site = mine & (bodies[owners] < 0).any(axis=1)
    return to_site if to_site.any() else mine
