"""The physics of a scenario: its bodies, and what surrounds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twin.assembly.entries import Entry
from twin.errors import Findings, WorldError
from twin.media import Chargeable, FeelsAir, Floats, OverGround
from twin.physics.air import Air, Flock
from twin.physics.bodies import BodyGroup, Surroundings
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import load_dynamics, make_dynamics
from twin.physics.floor import Floor, Standing
from twin.physics.water import Afloat, Together, Water
from twin.protocols import Recharges
from twin.registry import DYNAMICS
from twin.specs.scenario import Scenario
from twin.world.environment import Environment
from twin.world.sea import Seaway
from twin.world.world import World


def make_physics(
    scenario: Scenario, world: World, environment: Environment, entries: Sequence[Entry]
) -> tuple[BulletPhysics, Seaway | None]:
    """Return what moves the bodies of `entries`, all of which have some, and the sea that they may float in.

    Raises:
        ScenarioError: a dynamics or a URDF is wrong, or they contradict each other.
        WorldError: a body floats, and there is no sea.
    """
    bodies = _body_groups(entries)
    sea = None if environment.spec.sea is None else Seaway(environment, world.folder or Path.cwd(), scenario.seed)
    around = _surroundings(entries, bodies, world, environment, sea)
    rate, mesh = scenario.rates.physics, world.collision_obj()
    return BulletPhysics(rate, bodies, mesh, surroundings=around, bvh=world.solid_bvh), sea


def _body_groups(entries: Sequence[Entry]) -> list[BodyGroup]:
    groups, findings = [], Findings()
    for entry in entries:
        assert entry.body is not None
        with findings.attempt():
            home = entry.home(entry.body.dynamics)
            if entry.body.dynamics not in DYNAMICS:
                entry.sources.append(load_dynamics(entry.body.dynamics, home))
            body, n = entry.body, len(entry.specs)
            dynamics = make_dynamics(body.dynamics, body.parameters, n, home, body.urdf)
            if isinstance(dynamics, Chargeable) and isinstance(entry.task, Recharges):
                dynamics.stations = entry.task.stations
            names = [spec.name for spec in entry.specs]
            groups.append(BodyGroup(entry.name, entry.body, dynamics, entry.position, entry.orientation, names))
    findings.settle()
    return groups


def _surroundings(
    entries: Sequence[Entry], groups: Sequence[BodyGroup], world: World, environment: Environment, sea: Seaway | None
) -> Together:
    """Return the ground, the air and the water round those bodies that feel them.

    Raises:
        WorldError: a body floats, and there is no sea.
    """
    first = [(group.dynamics, entry.first_body) for entry, group in zip(entries, groups, strict=True)]
    standing = [Standing(dynamics, row) for dynamics, row in first if isinstance(dynamics, OverGround)]
    flocks = [Flock(dynamics, row) for dynamics, row in first if isinstance(dynamics, FeelsAir)]
    afloat = [
        Afloat(dynamics, row, group.position)
        for (dynamics, row), group in zip(first, groups, strict=True)
        if isinstance(dynamics, Floats)
    ]
    parts: list[Surroundings] = []
    if standing:
        parts.append(Floor(standing, world))
    if flocks:
        parts.append(Air(flocks, environment.wind))
    if afloat:
        if sea is None:
            raise WorldError("this world has no sea: give world.toml a table [environment.sea]")
        parts.append(Water(afloat, sea, environment.wind))
    return Together(parts)
