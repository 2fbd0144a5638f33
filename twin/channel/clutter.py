"""Static clutter: what the faces of a site send back to a radio that stands still, traced once.

The receiver is a panel of the same antenna a metre above the transmitter: near enough to see the same, and a place of
its own for the tracer. Its direct path is left out, since that is leakage, which isolation and cancelling decide.
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
"""m, of the panel above the transmitter."""
_EVERY = 100_000_000


class Clutter(NamedTuple):
    """P echoes of a site, in order of delay: none of them moves."""

    amplitude: C128  # (P,) between single elements
    delay: F64  # (P,) s
    phase: F64  # (P, 2) rad, between rows and between columns of the site's array


def site_clutter(
    geometry: Geometry,
    radio: Radio,
    spec: RayTracingSpec,
    scattering: float,
    permittivity: Permittivity = of_material,
) -> Clutter:
    """Return the echoes of a site's faces for a fixed `radio`: mirrors at right angles, and every tile in sight.

    Faces of which `spec` doesn't say how they scatter do it with the coefficient `scattering`.
    """
    x, y, z = radio.mount
    sender = replace(radio, index=0, owner=0, body=None, role="cell")
    panel = replace(sender, index=1, owner=1, mount=(x, y, z + APART))
    tracer = RayTracer(geometry, [sender, panel], _rough(spec, geometry, scattering), permittivity=permittivity)
    links = tracer.trace()
    order = np.argsort(links.path_delay, kind="stable")
    order = order[(links.path_length > 0)[order]]
    return Clutter(links.path_element[order], links.path_delay[order], links.path_phase[0, order])


def _rough(spec: RayTracingSpec, geometry: Geometry, scattering: float) -> RayTracingSpec:
    surfaces: dict[str, SurfaceSpec] = {}
    for name in geometry.materials:
        surface = spec.surfaces.get(name, SurfaceSpec())
        stated = "scattering" in surface.model_fields_set
        surfaces[name] = surface if stated else surface.model_copy(update={"scattering": scattering})
    once = {"order": 1, "diffraction": False, "max_paths": _EVERY, "surfaces": surfaces, "peers": None}
    return spec.model_copy(update=once)
