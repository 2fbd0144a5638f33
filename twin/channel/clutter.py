"""Static clutter: what the faces of a site send from one fixed radio to another, traced once.

A radio hears its own echoes by a panel of the same antenna a metre above it: near enough to see the same, and a place
of its own for the tracer. The direct path to the panel is left out, since it is leakage, which isolation and
cancelling decide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from twin.channel.fields.media import Permittivity
from twin.channel.tracer import RayTracer
from twin.link import Radio
from twin.specs import RayTracingSpec, SurfaceSpec
from twin.state import C128, F64
from twin.world.geometry import Geometry
from twin.world.materials import permittivity as of_material

APART = 1.0
"""m, of the panel above its radio."""
_EVERY = 100_000_000


class Clutter(NamedTuple):
    """P echoes of a site, in order of delay: none of them moves."""

    amplitude: C128  # (P,) between single elements
    delay: F64  # (P,) s
    phase: F64  # (2, P, 2) rad, between rows and between columns of the sender's and the receiver's array


def site_clutter(
    geometry: Geometry,
    radios: tuple[Radio, Radio],
    spec: RayTracingSpec,
    scattering: float,
    permittivity: Permittivity = of_material,
) -> Clutter:
    """Return the echoes of a site's faces from one fixed radio to another, or to itself.

    Mirrors, and every tile in sight of both. Faces of which `spec` doesn't say how they scatter do it with the
    coefficient `scattering`.
    """
    sender, receiver = radios
    alone = sender.mount == receiver.mount
    x, y, z = receiver.mount
    ends = [
        replace(sender, index=0, owner=0, body=None, role="cell"),
        replace(receiver, index=1, owner=1, body=None, role="cell", mount=(x, y, z + APART * alone)),
    ]
    links = RayTracer(geometry, ends, _rough(spec, geometry, scattering), permittivity=permittivity).trace()
    order = np.argsort(links.path_delay, kind="stable")
    if alone:
        order = order[(links.path_length > 0)[order]]
    return Clutter(links.path_element[order], links.path_delay[order], links.path_phase[:, order])


def _rough(spec: RayTracingSpec, geometry: Geometry, scattering: float) -> RayTracingSpec:
    surfaces: dict[str, SurfaceSpec] = {}
    for name in geometry.materials:
        surface = spec.surfaces.get(name, SurfaceSpec())
        stated = "scattering" in surface.model_fields_set
        surfaces[name] = surface if stated else surface.model_copy(update={"scattering": scattering})
    once = {"order": 1, "diffraction": False, "max_paths": _EVERY, "surfaces": surfaces, "peers": None}
    return spec.model_copy(update=once)
