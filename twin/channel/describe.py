"""The paths of a link as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.channel.search.images import DIFFRACTION, MOVING, REFLECTION, SCATTERING, TRANSMISSION
from twin.errors import ScenarioError, nearest
from twin.link import Radio
from twin.state import TracedLinks
from twin.world.geometry import GROUND, Geometry

_WORDS = {
    REFLECTION: "off",
    TRANSMISSION: "through",
    DIFFRACTION: "round edge",
    MOVING: "off moving face",
    SCATTERING: "scattered by",
}


def ends_of(radios: Sequence[Radio], names: Sequence[str], source: str, target: str) -> list[Radio]:
    """Return the first two radios of the named nodes that share a carrier, numbered 0 and 1.

    Raises:
        ScenarioError: no such node, a node without a radio, or no carrier in common.
    """
    owned = {name: [r for r in radios if names[r.owner] == name] for name in (source, target)}
    for name, own in owned.items():
        if name not in names:
            raise ScenarioError(f"found no {name!r}; allowed: {', '.join(names)}{nearest(name, names)}")
        if not own:
            raise ScenarioError(f"{name} has no radio")
    for a in owned[source]:
        for b in owned[target]:
            if a.carrier == b.carrier and a.owner != b.owner:
                return [replace(a, index=0), replace(b, index=1)]
    raise ScenarioError(f"{source} and {target} have no carrier in common")


def rows_of(links: TracedLinks, link: int, geometry: Geometry) -> list[dict[str, object]]:
    """Return gain, delay, Doppler and way of each path of a link, in order of delay."""
    return [
        {
            "gain_db": float(20 * np.log10(abs(links.path_amplitude[p]))),
            "delay_ns": float(links.path_delay[p] * 1e9),
            "doppler_hz": float(links.path_doppler[p]),
            "way": _way(links, p, geometry),
            "points_m": links.path_vertex[p, : links.path_length[p]].tolist(),
        }
        for p in range(links.path_offset[link], links.path_offset[link + 1])
    ]


def _way(links: TracedLinks, p: int, geometry: Geometry) -> str:
    """Return such as "off tower (glass), off the ground (wet_ground)"."""
    words = []
    for kind, face in zip(links.path_kind[p].tolist(), links.path_face[p].tolist(), strict=True):
        if kind in (REFLECTION, TRANSMISSION, SCATTERING):
            thing = geometry.face_object[face]
            name = "the ground" if thing == GROUND else geometry.objects[thing]
            words.append(f"{_WORDS[kind]} {name} ({geometry.materials[geometry.face_material[face]]})")
        elif kind >= 0:
            words.append(f"{_WORDS[kind]} {face}")
    return ", ".join(words) or "direct"
