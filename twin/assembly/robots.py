"""Entries -> robots and groups, with their sensors, controllers and failsafes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twin.assembly.entries import Entry
from twin.clock import NS
from twin.errors import PluginError, ScenarioError, TwinError, located
from twin.link import Radio
from twin.numerics.seeds import Seeds
from twin.physics.bodies import BodyGroup
from twin.project import plugins
from twin.project.project import Project
from twin.protocols import Controller, Failsafe, Gauged, Host, RobotSpec
from twin.robots.group import Group
from twin.robots.robot import Robot
from twin.robots.service import make_service_time
from twin.sensors.lidar import outline
from twin.sensors.make import make_sensor, make_streams
from twin.sensors.setting import Setting
from twin.specs.scenario import Scenario
from twin.twin import Twin
from twin.world.environment import Environment
from twin.world.world import World


def make_robots(twin: Twin, entries: Sequence[Entry]) -> list[Robot]:
    """Return all robots in node order."""
    robots: list[Robot] = []
    for entry in entries:
        agent = plugins.load_object(entry.kind.agent, entry.home(entry.kind.agent))
        entry.sources.append(agent)
        specs = entry.specs
        if entry.controller is None and hasattr(agent.value, "Parameters"):
            key = f"robots.{entry.name}.parameters"
            values = plugins.parameters(agent.value, entry.stated.parameters, key=key)
            specs = [replace(spec, parameters=values) for spec in specs]
        robots += [agent.value(twin, spec, entry.first_node + spec.row) for spec in specs]
    return robots


def _controllers(entry: Entry, seeds: Seeds) -> list[Controller]:
    """Make one controller per robot; each has its own random stream, named after its robot."""
    if entry.controller is None:
        return []
    made = [_started(entry.controller, spec, seeds.generator("controller", spec.name)) for spec in entry.specs]
    if hasattr(entry.controller, "meet"):
        entry.controller.meet(made)
    return made


def _failsafes(entry: Entry, seeds: Seeds) -> list[Failsafe]:
    link = getattr(entry.controller, "link", None)
    may_fall_silent = entry.on_edge or (link is not None and link.spec.on_failure == "failsafe")
    if entry.kind.failsafe is None:
        return []
    loaded = plugins.load_class(entry.kind.failsafe, Failsafe, entry.home(entry.kind.failsafe))
    if not may_fall_silent and not getattr(loaded.value, "always", False):
        return []
    entry.sources.append(loaded)
    return [_started(loaded.value, spec, seeds.generator("failsafe", spec.name)) for spec in entry.specs]


def _started(kind: Any, spec: RobotSpec, rng: np.random.Generator) -> Any:
    """Make a controller or failsafe of a robot and reset it."""
    try:
        made = kind()
        made.reset(spec, rng)
    except TwinError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{kind.__name__} of {spec.name}, at its start: {type(error).__name__}: {error}") from error
    return made


def make_groups(
    scenario: Scenario,
    seeds: Seeds,
    world: World,
    environment: Environment,
    entries: Sequence[Entry],
    bodies: Sequence[BodyGroup],
    robots: Sequence[Robot],
    radios: Sequence[Radio],
) -> list[Group]:
    """Return one group per entry, all of which have `bodies`; robots and radios are those of the whole twin."""
    rows = {entry.name: np.arange(entry.first_body, entry.first_body + len(entry.specs)) for entry in entries}
    outlines = np.array([outline(entry.kind) for entry in entries for _ in entry.specs]).reshape(-1, 6)
    groups = []
    for entry, body in zip(entries, bodies, strict=True):
        nodes = np.arange(entry.first_node, entry.first_node + len(entry.specs))
        setting = Setting([spec.name for spec in entry.specs], entry.kind, body.dynamics, world, scenario.seed, rows,
                          outlines, environment, nodes, radios)  # fmt: skip
        groups.append(_group(entry, setting, scenario, seeds, robots))
    return groups


def _group(
    entry: Entry, setting: Setting, scenario: Scenario, seeds: Seeds, robots: Sequence[Robot]
) -> Group:
    with located(key=f"robots.{entry.name}.spec"):
        sensor = make_sensor(setting, remote=entry.edge_node is not None)
        streams = make_streams(setting) if entry.edge_node is not None else []
    for one in (sensor, *(stream.sensor for stream in streams)):
        seeds.follow(one)
    control = entry.stated.control or entry.kind.control
    return Group(
        name=entry.name,
        robots=robots[entry.first_node : entry.first_node + len(entry.specs)],
        bodies=np.arange(entry.first_body, entry.first_body + len(entry.specs)),
        sensor=sensor,
        period=scenario.rates.physics // control,
        phase=entry.phase,
        offset=entry.send_offset,
        controllers=[] if entry.on_edge else _controllers(entry, seeds),
        failsafes=_failsafes(entry, seeds),
        edge=entry.edge_node,
        log_sensors=entry.stated.log_sensors,
        streams=streams,
        tick=NS // scenario.rates.physics,
        telemetry_size=getattr(entry.controller, "telemetry_size", None),
        gauged=setting.dynamics if isinstance(setting.dynamics, Gauged) else None,
    )


def host_controllers(seeds: Seeds, project: Project, entries: Sequence[Entry], robots: Sequence[Robot]) -> int:
    """Bring the controllers that run at the edge to their servers; return the least time to any answer [ns].

    Other nodes without a body that react may answer at once.
    """
    least = [0 for robot in robots if type(robot).react is not Robot.react and not isinstance(robot, Host)]
    for entry in entries:
        if entry.edge_node is None:
            continue
        host = robots[entry.edge_node]
        if not isinstance(host, Host):
            raise ScenarioError(f"{entry.stated.edge} can't host controllers", key=f"robots.{entry.name}.edge")
        for spec, controller in zip(entry.specs, _controllers(entry, seeds), strict=True):
            service_time = make_service_time(entry.service_time, seeds.seed, spec.name, project)
            seeds.follow(service_time)
            least.append(service_time.least)
            host.host(spec, entry.first_node + spec.row, controller, service_time, entry.trigger_rate)
    return min(least, default=0)
