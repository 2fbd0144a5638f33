"""Casts -> robots and groups, with their sensors, controllers and failsafes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.assembly.entries import Cast
from twin.clock import NS
from twin.errors import PluginError, ScenarioError, TwinError, located
from twin.link import Radio
from twin.numerics.draws import generator
from twin.physics.bodies import BodyGroup
from twin.project import plugins
from twin.project.project import Project
from twin.protocols import Controller, Failsafe, Gauged, Host, RobotSpec
from twin.robots.group import Group
from twin.robots.robot import Robot
from twin.robots.service import make_service_time
from twin.sensors.field import Setting
from twin.sensors.lidar import outline
from twin.sensors.make import make_sensor, make_streams
from twin.specs.scenario import Scenario
from twin.twin import Twin
from twin.world.environment import Environment
from twin.world.world import World


def make_robots(twin: Twin, casts: Sequence[Cast]) -> list[Robot]:
    """Return all robots in node order."""
    robots: list[Robot] = []
    for c in casts:
        agent = plugins.load_object(c.kind.agent, c.home(c.kind.agent))
        c.sources.append(agent)
        robots += [agent.value(twin, spec, c.first_node + spec.row) for spec in c.specs]
    return robots


def _controllers(c: Cast, seed: int) -> list[Controller]:
    """Make one controller per robot; each has its own random stream, named after its robot."""
    if c.controller is None:
        return []
    made = [_started(c.controller, spec, generator(seed, "controller", spec.name)) for spec in c.specs]
    if hasattr(c.controller, "meet"):
        c.controller.meet(made)
    return made


def _failsafes(c: Cast, seed: int) -> list[Failsafe]:
    link = getattr(c.controller, "link", None)
    may_fall_silent = c.on_edge or (link is not None and link.spec.on_failure == "failsafe")
    if c.kind.failsafe is None:
        return []
    loaded = plugins.load_class(c.kind.failsafe, Failsafe, c.home(c.kind.failsafe))
    if not may_fall_silent and not getattr(loaded.value, "always", False):
        return []
    c.sources.append(loaded)
    return [_started(loaded.value, spec, generator(seed, "failsafe", spec.name)) for spec in c.specs]


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
    world: World,
    environment: Environment,
    casts: Sequence[Cast],
    bodies: Sequence[BodyGroup],
    robots: Sequence[Robot],
    radios: Sequence[Radio],
) -> list[Group]:
    """Return one group per entry whose robots have bodies; `bodies` are those of `casts`; robots and radios are all."""
    rows = {c.name: np.arange(c.first_body, c.first_body + len(c.specs)) for c in casts}
    outlines = np.array([outline(c.kind) for c in casts for _ in c.specs]).reshape(-1, 6)
    return [
        _group(c, Setting([spec.name for spec in c.specs], c.kind, g.dynamics, world, scenario.seed, rows, outlines,
                          environment, np.arange(c.first_node, c.first_node + len(c.specs)), radios), scenario, robots)
        for c, g in zip(casts, bodies, strict=True)
    ]  # fmt: skip


def _group(c: Cast, setting: Setting, scenario: Scenario, robots: Sequence[Robot]) -> Group:
    with located(key=f"robots.{c.name}.spec"):
        sensor = make_sensor(setting, remote=c.edge_node is not None)
        streams = make_streams(setting) if c.edge_node is not None else []
    control = c.entry.control or c.kind.control
    return Group(
        c.name,
        robots[c.first_node : c.first_node + len(c.specs)],
        np.arange(c.first_body, c.first_body + len(c.specs)),
        sensor,
        scenario.rates.physics // control,
        c.phase,
        c.send_offset,
        controllers=[] if c.on_edge else _controllers(c, scenario.seed),
        failsafes=_failsafes(c, scenario.seed),
        edge=c.edge_node,
        log_sensors=c.entry.log_sensors,
        streams=streams,
        tick=NS // scenario.rates.physics,
        telemetry_size=getattr(c.controller, "telemetry_size", None),
        gauged=setting.dynamics if isinstance(setting.dynamics, Gauged) else None,
    )


def host_controllers(scenario: Scenario, project: Project, casts: Sequence[Cast], robots: Sequence[Robot]) -> int:
    """Bring the controllers that run at the edge to their servers; return the least time to any answer [ns].

    Other nodes without a body that react may answer at once.
    """
    least = [0 for robot in robots if type(robot).react is not Robot.react and not isinstance(robot, Host)]
    for c in casts:
        if c.edge_node is None:
            continue
        host = robots[c.edge_node]
        if not isinstance(host, Host):
            raise ScenarioError(f"{c.entry.edge} can't host controllers", key=f"robots.{c.name}.edge")
        for spec, controller in zip(c.specs, _controllers(c, scenario.seed), strict=True):
            service_time = make_service_time(c.service_time, scenario.seed, spec.name, project)
            least.append(service_time.least)
            host.host(spec, c.first_node + spec.row, controller, service_time, c.trigger_rate)
    return min(least, default=0)
