"""Scenario -> Twin: the only file that chooses implementations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from twin.assembly.built import Built
from twin.assembly.entries import Cast, cast
from twin.assembly.robots import host_controllers, make_groups, make_robots
from twin.channel.fields.antennas import rotation
from twin.channel.fields.sea import SeaSurface, Tidal, sea_area
from twin.channel.freespace import FreeSpace
from twin.channel.search.hulls import Hull
from twin.channel.tracer import RayTracer
from twin.clock import Clock
from twin.errors import Findings, ScenarioError, WorldError, located
from twin.link import Radio
from twin.mechanism.urdf import collision_points
from twin.network.fixed import FixedNetwork
from twin.network.ideal import IdealNetwork
from twin.network.nr.network import NrNetwork
from twin.network.nr.sidelink import Sidelink
from twin.network.nr.with_sidelink import WithSidelink
from twin.network.recorded import RecordedNetwork
from twin.network.simple import SimpleNetwork
from twin.network.trace import TraceNetwork
from twin.numerics.draws import generator
from twin.physics.air import Air, Flock
from twin.physics.bodies import BodyGroup, Surroundings
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.hydrodynamics import Hydrodynamics
from twin.physics.dynamics.registry import BUILT_IN, load_dynamics, make_dynamics
from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.physics.dynamics.wheels import Wheels
from twin.physics.floor import Floor, Rolling
from twin.physics.water import Floats, Together, Water
from twin.project import plugins
from twin.project.project import Project
from twin.protocols import Channel, Network
from twin.recording.fates import packet_fates
from twin.specs import (
    ChannelSpec,
    FixedSpec,
    FreeSpaceSpec,
    IdealSpec,
    MeasuredTime,
    NrSpec,
    RecordedSpec,
    SimpleSpec,
    TraceSpec,
)
from twin.specs.scenario import Scenario
from twin.state import F64, Node
from twin.tasks.rounds import Rounds
from twin.twin import Twin
from twin.world.environment import Environment
from twin.world.geometry import Geometry
from twin.world.sea import Seaway
from twin.world.world import World, open_world


def build(
    scenario: Scenario,
    project: Project,
    *,
    real_time: bool = False,
    controllers: Mapping[str, plugins.Loaded] = MappingProxyType({}),
) -> Built:
    """Make everything a scenario names; only a run in real time may measure service times.

    `controllers` take the place, group by group, of those that the scenario names.

    Raises:
        ScenarioError: entries don't fit together.
        PluginError: code that the scenario names can't be loaded.
        WorldError: the world can't be opened.
    """
    findings, world = Findings(), None
    with findings.attempt(), located(key="world"):
        world = open_world(project.world(scenario.world))
    with findings.attempt():
        casts = cast(scenario, project, world, controllers)
    findings.settle()
    assert world is not None, "otherwise it was found missing"
    _check_places(casts, world)
    for c in casts:
        if c.link is not None:
            c.link.enter(world)
    nodes = [node for c in casts for node in c.nodes()]
    embodied = [c for c in casts if c.body is not None]
    bodies = _body_groups(embodied)
    environment = world.environment(scenario.seed, scenario.environment)
    sea = None if environment.spec.sea is None else Seaway(environment, world.folder or Path.cwd(), scenario.seed)
    surroundings = _surroundings(embodied, bodies, world, environment, sea)
    physics = BulletPhysics(
        scenario.rates.physics, bodies, world.collision_obj(), surroundings=surroundings, bvh=world.solid_bvh
    )
    radios = _radios(casts)
    channel = make_channel(_with_peers(scenario), world, radios, casts, sea)
    twin = Twin(Clock(scenario.rates.physics), scenario.rates.channel, generator(scenario.seed, "mesa"))
    robots = make_robots(twin, casts)
    groups = make_groups(scenario, world, environment, embodied, bodies, robots, radios)
    if not real_time:
        _check_repeats(casts)
    lookahead = host_controllers(scenario, project, casts, robots)
    directory = {node.name: index for index, node in enumerate(nodes)}
    for robot in robots:
        robot.nodes = directory
    twin.connect(physics, channel, _network(scenario, project, nodes, radios, lookahead), robots, groups)
    return Built(twin, world, casts, nodes, radios, physics, sea, project, scenario)


def _check_places(casts: Sequence[Cast], world: World) -> None:
    """Refuse robots that start inside of something or where another one starts."""
    taken: dict[tuple[float, ...], str] = {}
    for c in casts:
        if not c.body and not c.kind.radios:
            continue
        for spec, place, thing in zip(c.specs, c.position, world.inside(c.position), strict=True):
            key = f"robots.{c.name}" + (f".positions[{spec.row}]" if c.entry.positions else "")
            if thing is not None:
                raise ScenarioError(f"{spec.name} at {_point(place)} is inside of {thing}", key=key)
            other = taken.setdefault(tuple(place.tolist()), spec.name)
            if other != spec.name:
                raise ScenarioError(f"{spec.name} and {other} are both at {_point(place)}", key=key)


def _point(place: F64) -> str:
    return f"({', '.join(f'{x:g}' for x in place)}) m"


def _check_repeats(casts: Sequence[Cast]) -> None:
    """Refuse what gives another run each time."""
    for c in casts:
        if c.on_edge and isinstance(c.service_time, MeasuredTime):
            message = 'found "measured"; allowed: only with `twin run --real-time`, as it is different each time'
            raise ScenarioError(message, key=f"robots.{c.name}.service_time")


def _network(
    scenario: Scenario, project: Project, nodes: Sequence[Node], radios: Sequence[Radio], lookahead: int
) -> Network:
    spec, network = scenario.network, _infrastructure(scenario, project, nodes, radios, lookahead)
    if not isinstance(spec, SimpleSpec | NrSpec) or spec.sidelink is None:
        return network
    return WithSidelink(network, Sidelink(spec.sidelink, scenario.seed, [node.name for node in nodes], radios))


def _infrastructure(
    scenario: Scenario, project: Project, nodes: Sequence[Node], radios: Sequence[Radio], lookahead: int
) -> Network:
    names, embodied = [node.name for node in nodes], [node.body >= 0 for node in nodes]
    match scenario.network:
        case FixedSpec() as spec:
            return FixedNetwork(spec, scenario.seed, names, embodied, lookahead)
        case SimpleSpec() as spec:
            return SimpleNetwork(spec, names, embodied, radios, lookahead)
        case NrSpec() as spec:
            return NrNetwork(spec, scenario.seed, names, embodied, radios, lookahead)
        case TraceSpec() as spec:
            there = spec.model_copy(update={"file": project.file(spec.file)})
            return TraceNetwork(there, names, embodied, lookahead)
        case RecordedSpec(recording=recording):
            return RecordedNetwork(packet_fates(project.file(recording)), names, embodied, lookahead)
        case IdealSpec():
            return IdealNetwork(names, embodied, lookahead)


def _body_groups(casts: Sequence[Cast]) -> list[BodyGroup]:
    groups, findings = [], Findings()
    for c in casts:
        assert c.body is not None
        with findings.attempt():
            home = c.home(c.body.dynamics)
            if c.body.dynamics not in BUILT_IN:
                c.sources.append(load_dynamics(c.body.dynamics, home))
            dynamics = make_dynamics(c.body.dynamics, c.body.parameters, len(c.specs), home, c.body.urdf)
            names = [spec.name for spec in c.specs]
            groups.append(BodyGroup(c.name, c.body, dynamics, c.position, c.orientation, names))
    findings.settle()
    return groups


def _surroundings(
    casts: Sequence[Cast], groups: Sequence[BodyGroup], world: World, environment: Environment, sea: Seaway | None
) -> Together:
    """Return the floor under wheels, the air round multirotors and the water round floating bodies, if there are any.

    Raises:
        WorldError: a body floats, and there is no sea.
    """
    pairs = list(zip(casts, groups, strict=True))
    flocks = [Flock(g.dynamics, c.first_body) for c, g in pairs if isinstance(g.dynamics, Rotorcraft)]
    floats = [Floats(g.dynamics, c.first_body, g.position) for c, g in pairs if isinstance(g.dynamics, Hydrodynamics)]
    rolling = [Rolling(g.dynamics, c.first_body) for c, g in pairs if isinstance(g.dynamics, Wheels)]
    for c, g in pairs:
        if isinstance(g.dynamics, Wheels) and isinstance(c.task, Rounds):
            g.dynamics.stations = c.task.stations
    parts: list[Surroundings] = []
    if rolling:
        parts.append(Floor(rolling, world))
    if flocks:
        parts.append(Air(flocks, world, environment.wind))
    if floats:
        if sea is None:
            raise WorldError("this world has no sea: give world.toml a table [environment.sea]")
        parts.append(Water(floats, sea, environment.wind))
    return Together(parts)


def make_channel(
    spec: ChannelSpec, world: World, radios: Sequence[Radio], casts: Sequence[Cast], sea: Seaway | None
) -> Channel:
    """Return the channel between `radios`, in the way of which are the bodies of `casts`.

    Raises:
        ScenarioError: the channel is over a sea, and there is none; or a radio or a surface can't be.
    """
    over = spec.sea
    if over and sea is None and over != type(spec).model_fields["sea"].default:
        raise ScenarioError("this world has no sea: world.toml has no table [environment.sea]", key="channel.sea")
    surface = SeaSurface(sea, over, sea_area(world.geometry)) if sea is not None and over else None
    if isinstance(spec, FreeSpaceSpec):
        return FreeSpace(radios, world.bvh, spec.blockage_loss, surface, spec.peers)
    traced, hulls = spec, _hulls(casts)

    def make(geometry: Geometry) -> RayTracer:
        return RayTracer(geometry, radios, traced, hulls, sea=surface)

    return make(world.geometry) if surface is None else Tidal(make, world.geometry, surface.sea)


def _with_peers(scenario: Scenario) -> ChannelSpec:
    """Return the channel of a scenario, with the links between radios that both move where a sidelink needs them."""
    if getattr(scenario.network, "sidelink", None) is None:
        return scenario.channel
    if scenario.channel.peers is False:
        raise ScenarioError("found false, which leaves the sidelink without links", key="channel.peers")
    return scenario.channel.model_copy(update={"peers": True})


def _hulls(casts: Sequence[Cast]) -> list[Hull]:
    """Return what each robot's body puts into the way of waves: the convex hull of its root link."""
    hulls = []
    for c in casts:
        if c.body is None:
            continue
        points = collision_points(c.body.urdf)
        hulls += [Hull(c.first_body + spec.row, points) for spec in c.specs if len(points)]
    return hulls


def _radios(casts: Sequence[Cast]) -> list[Radio]:
    radios: list[Radio] = []
    for c in casts:
        for row in range(len(c.specs)):
            for spec in c.kind.radios:
                body = None if c.body is None else c.first_body + row
                mount, antenna = np.array(spec.mount), spec.antenna
                if body is None:
                    yaw = 2.0 * np.arctan2(c.orientation[row, 2], c.orientation[row, 3])
                    mount = rotation(yaw, 0.0, 0.0) @ mount + c.position[row]
                    antenna = antenna.model_copy(update={"azimuth": antenna.azimuth + float(yaw)})
                radios.append(
                    Radio(
                        len(radios),
                        c.first_node + row,
                        body,
                        tuple(mount.tolist()),
                        spec.carrier,
                        spec.gain,
                        spec.power,
                        spec.noise_figure,
                        antenna,
                        spec.role,
                    )
                )
    return radios
