"""The channel of a scenario: the radios of its robots, and what their waves meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.assembly.entries import Entry
from twin.channel.fields.antennas import rotation
from twin.channel.fields.sea import SeaSurface, Tidal, sea_area
from twin.channel.freespace import FreeSpace
from twin.channel.search.hulls import Hull
from twin.channel.tracer import RayTracer
from twin.errors import ScenarioError
from twin.link import Radio
from twin.mechanism.urdf import collision_points
from twin.protocols import Channel
from twin.registry import CHANNELS
from twin.specs import ChannelSpec, FreeSpaceSpec, RayTracingSpec
from twin.specs.scenario import Scenario
from twin.world.geometry import Geometry
from twin.world.sea import Seaway
from twin.world.world import World


@dataclass(frozen=True, slots=True)
class Air:
    """What lies between radios."""

    world: World
    hulls: Sequence[Hull]  # robot bodies, as obstacles
    surface: SeaSurface | None  # of the sea, where the channel is over one


def make_channel(
    spec: ChannelSpec, world: World, radios: Sequence[Radio], entries: Sequence[Entry], sea: Seaway | None
) -> Channel:
    """Return the channel between `radios`, with robot bodies as obstacles.

    Raises:
        ScenarioError: the channel is over a sea, and there is none; or a radio or a surface is invalid.
        PluginError: a package brings it, and it can't be imported.
    """
    over = getattr(spec, "sea", None)
    if over and sea is None and over != type(spec).model_fields["sea"].default:
        raise ScenarioError("this world has no sea: world.toml has no table [environment.sea]", key="channel.sea")
    surface = SeaSurface(sea, over, sea_area(world.geometry)) if sea is not None and over else None
    channel: Channel = CHANNELS[spec.kind](spec, radios, Air(world, _hulls(entries), surface))
    return channel


def free_space(spec: FreeSpaceSpec, radios: Sequence[Radio], air: Air) -> Channel:
    """Return the channel of straight ways."""
    return FreeSpace(radios, air.world.bvh, spec.blockage_loss, air.surface, spec.peers)


def ray_tracer(spec: RayTracingSpec, radios: Sequence[Radio], air: Air) -> Channel:
    """Return the channel of traced paths."""

    def make(geometry: Geometry) -> RayTracer:
        return RayTracer(geometry, radios, spec, air.hulls, sea=air.surface)

    world, surface = air.world, air.surface
    return make(world.geometry) if surface is None else Tidal(make, world.geometry, surface.sea)


def with_peers(scenario: Scenario) -> ChannelSpec:
    """Return the channel of a scenario, with the links between terminals where a sidelink needs them."""
    if getattr(scenario.network, "sidelink", None) is None:
        return scenario.channel
    if scenario.channel.peers is False:
        raise ScenarioError("found false, which leaves the sidelink without links", key="channel.peers")
    return scenario.channel.model_copy(update={"peers": True})


def radios_of(entries: Sequence[Entry]) -> list[Radio]:
    """Return all radios, in the order of their nodes: rigid on bodies, or fixed where their entry puts them."""
    radios: list[Radio] = []
    for entry in entries:
        for row in range(len(entry.specs)):
            for spec in entry.kind.radios:
                body = None if entry.body is None else entry.first_body + row
                mount, antenna = np.array(spec.mount), spec.antenna
                if body is None:
                    yaw = 2.0 * np.arctan2(entry.orientation[row, 2], entry.orientation[row, 3])
                    mount = rotation(yaw, 0.0, 0.0) @ mount + entry.position[row]
                    antenna = antenna.model_copy(update={"azimuth": antenna.azimuth + float(yaw)})
                radio = Radio(
                    len(radios), entry.first_node + row, body, tuple(mount.tolist()), spec.carrier,
                    spec.gain, spec.power, spec.noise_figure, antenna, spec.role,
                )  # fmt: skip
                radios.append(radio)
    return radios


def _hulls(entries: Sequence[Entry]) -> list[Hull]:
    """Return what each robot's body puts into the way of waves: the convex hull of its root link."""
    hulls = []
    for entry in entries:
        if entry.body is None:
            continue
        points = collision_points(entry.body.urdf)
        hulls += [Hull(entry.first_body + spec.row, points) for spec in entry.specs if len(points)]
    return hulls
