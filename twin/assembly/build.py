"""Scenario -> Twin: everything that a scenario names is made and connected here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from twin.assembly.built import Built
from twin.assembly.channel import make_channel, radios_of, with_peers
from twin.assembly.entries import Entry, read_entries
from twin.assembly.network import Ends, make_network
from twin.assembly.physics import make_physics
from twin.assembly.reseeds import check_reseeds
from twin.assembly.robots import host_controllers, make_groups, make_robots
from twin.assembly.sensing import Stage, make_sensing
from twin.clock import Clock
from twin.errors import Findings, ScenarioError, located
from twin.numerics.seeds import Seeds
from twin.project import plugins
from twin.project.profiles import expanded
from twin.project.project import Project
from twin.specs import MeasuredTime
from twin.specs.scenario import Scenario
from twin.state import F64
from twin.twin import Twin
from twin.world.opening import open_world
from twin.world.world import World


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
    world, entries = _read(scenario, project, controllers)
    for entry in entries:
        if entry.link is not None:
            entry.link.enter(world)
    nodes = [node for entry in entries for node in entry.nodes()]
    embodied = [entry for entry in entries if entry.body is not None]
    environment = world.environment(scenario.seed, scenario.environment)
    physics, sea = make_physics(scenario, world, environment, embodied)
    radios = radios_of(entries)
    channel = make_channel(with_peers(scenario), world, radios, entries, sea)
    seeds = Seeds(scenario.seed, [(change.at, change.seed) for change in scenario.reseed])
    twin = Twin(Clock(scenario.rates.physics), scenario.rates.channel, seeds.generator("mesa"))
    robots = make_robots(twin, entries)
    groups = make_groups(scenario, seeds, world, environment, embodied, physics.groups, robots, radios)
    if not real_time:
        _check_repeats(entries)
    lookahead = host_controllers(seeds, project, entries, robots)
    directory = {node.name: index for index, node in enumerate(nodes)}
    for robot in robots:
        robot.nodes = directory
    network = make_network(scenario.network, Ends(nodes, radios, lookahead, scenario.seed, project))
    seeds.follow(network)
    sensing = make_sensing(Stage(scenario, world, entries, nodes, radios, network, sea))
    seeds.follow(sensing)
    twin.connect(physics, channel, network, robots, groups, seeds, sensing)
    built = Built(twin, world, entries, nodes, radios, physics, sea, project, scenario)
    if scenario.reseed:
        check_reseeds(built)
    return built


def _read(scenario: Scenario, project: Project, controllers: Mapping[str, plugins.Loaded]) -> tuple[World, list[Entry]]:
    """Return world and entries, or everything that is wrong with what the scenario names."""
    findings, world = Findings(), None
    with findings.attempt(), located(key="world"):
        world = open_world(project.world(scenario.world))
    with findings.attempt():
        entries = read_entries(scenario, project, world, controllers)
    with findings.attempt():
        expanded(scenario.requirements, project)
    findings.settle()
    assert world is not None, "otherwise it was found missing"
    _check_places(entries, world)
    return world, entries


def _check_places(entries: Sequence[Entry], world: World) -> None:
    """Refuse robots that start inside of something or where another one starts."""
    taken: dict[tuple[float, ...], str] = {}
    for entry in entries:
        if not entry.body and not entry.kind.radios:
            continue
        for spec, place, thing in zip(entry.specs, entry.position, world.inside(entry.position), strict=True):
            key = f"robots.{entry.name}" + (f".positions[{spec.row}]" if entry.stated.positions else "")
            if thing is not None:
                raise ScenarioError(f"{spec.name} at {_point(place)} is inside of {thing}", key=key)
            other = taken.setdefault(tuple(place.tolist()), spec.name)
            if other != spec.name:
                raise ScenarioError(f"{spec.name} and {other} are both at {_point(place)}", key=key)


def _point(place: F64) -> str:
    return f"({', '.join(f'{x:g}' for x in place)}) m"


def _check_repeats(entries: Sequence[Entry]) -> None:
    """Refuse what gives another run each time."""
    for entry in entries:
        if entry.on_edge and isinstance(entry.service_time, MeasuredTime):
            message = 'found "measured"; allowed: only with `twin run --real-time`, as it is different each time'
            raise ScenarioError(message, key=f"robots.{entry.name}.service_time")
