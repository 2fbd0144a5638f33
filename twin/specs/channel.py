"""`[channel]` of a scenario: free space or ray tracing, surfaces, air."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twin.registry import CHANNELS
from twin.specs.base import Spec
from twin.specs.kinds import Open
from twin.units import GainDb, Kelvin, Metres, Pascal, RainRate


class OverSeaSpec(Spec):
    """What a channel makes of the sea of its world: water, waves in the way of rays, and the air's refraction."""

    waves: bool = True  # they roughen reflections and cut rays
    temperature: Kelvin = Field(default=293.15, gt=0)  # of the water
    salinity: float = Field(default=35.0, ge=0, le=40)  # g/kg
    earth_factor: float = Field(default=4 / 3, gt=0)  # effective over true radius of the Earth
    duct_height: Metres = Field(default=0.0, ge=0, le=40)  # of the evaporation duct; 0: none


class FreeSpaceSpec(Spec):
    """Free space with line of sight through the world; a blocked path loses `blockage_loss`."""

    kind: Literal["freespace"] = "freespace"
    blockage_loss: GainDb = Field(default=25.0, ge=0)
    peers: bool | None = None  # links of two terminals; None: on carriers without a cell, or for a sidelink
    sea: OverSeaSpec | Literal[False] = False  # what cuts rays over the sea; without reflections


class SurfaceSpec(Spec):
    """How the faces of one material meet a wave, besides their permittivity."""

    thickness: Metres | None = Field(default=None, gt=0)  # of the slab, instead of the world's
    transparent: bool = False  # paths pass through; needs a thickness, here or in the world
    roughness: Metres = Field(default=0.0, ge=0)  # standard deviation of height, for the specular part
    scattering: float = Field(default=0.0, ge=0, le=1)  # S: part of the reflected amplitude that is diffuse
    alpha_r: int = Field(default=4, ge=0, le=20)  # exponent of the scattered lobe; 0 is the widest, Lambert's
    k_x: float = Field(default=0.0, ge=0, le=0.5)  # part of the scattered power in the other polarisation


class AtmosphereSpec(Spec):
    """Air and rain; the default is the reference atmosphere at sea level without rain."""

    pressure: Pascal = Field(default=101_325.0, gt=0)  # total: of dry air and vapour together
    temperature: Kelvin = Field(default=288.15, gt=0)
    vapour: float = Field(default=7.5, ge=0)  # g/m3
    rain: RainRate = Field(default=0.0, ge=0)


class RayTracingSpec(Spec):
    """Paths found by rays and images, with reflections up to `order`."""

    kind: Literal["raytracing"] = "raytracing"
    order: int = Field(default=3, ge=0, le=8)
    diffraction: bool = False  # on edges, also with one reflection before or after
    mode: Literal["kinetic", "exhaustive", "sweep"] = "kinetic"  # sweep: for many places at once, kept for no time
    rays: int | None = Field(default=None, ge=0)  # for the first search from a place; None: by the size of the site
    rays_per_metre: int = Field(default=150_000, ge=0)  # of a moving source
    max_paths: int = Field(default=64, ge=1)
    wall_loss: GainDb = Field(default=100.0, ge=0)  # that a path may lose to walls, each met at right angles
    tile: Metres = Field(default=5.0, gt=0)  # longest edge of the triangles that scatter as a whole
    blockers: bool = True  # robots block and reflect
    peers: bool | None = None  # links of two terminals; None: on carriers without a cell, or for a sidelink
    surfaces: dict[str, SurfaceSpec] = {}
    atmosphere: AtmosphereSpec = AtmosphereSpec()
    sea: OverSeaSpec | Literal[False] = OverSeaSpec()  # where the world has one


ChannelSpec = Annotated[FreeSpaceSpec | RayTracingSpec, Field(discriminator="kind"), Open(CHANNELS)]
