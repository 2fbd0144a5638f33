"""What waves meet at each carrier: the materials of faces, gas and rain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from twin.channel.fields.atmosphere import gas_db_km, rain_coefficients
from twin.channel.fields.fields import slab_transmission
from twin.channel.fields.scattering import TABLE, balance
from twin.errors import ScenarioError, nearest
from twin.link import SPEED_OF_LIGHT
from twin.specs import RayTracingSpec, SurfaceSpec
from twin.state import C128, F64, Bool

Permittivity = Callable[[str, float], complex]
"""(material, frequency [Hz]) -> relative permittivity eps' - j eps''."""


class Media(NamedTuple):
    """What C carriers meet: S surfaces, gas and rain."""

    permittivity: C128  # (C, S) relative, eps' - j eps''
    thickness: F64  # (S,) m, inf for a half-space
    roughness: F64  # (S,) m, standard deviation of height
    scattering: F64  # (S,) part of the reflected amplitude that is scattered
    alpha_r: F64  # (S,) exponent of the lobe
    k_x: F64  # (S,) part of the scattered power in the other polarisation
    balance: F64  # (C, S, 2, n) by `scattering.balance`; 0 where nothing is scattered
    gas: F64  # (C,) dB/m
    rain: F64  # (C, 4) kH, alpha_H, kV, alpha_V
    rain_rate: float  # mm/h


def make_media(
    materials: Sequence[str],
    thickness: Sequence[float],
    faces: int,
    carriers: F64,
    spec: RayTracingSpec,
    permittivity: Permittivity,
) -> Media:
    """Return what is made of `materials` of a `thickness` [m] each; only those of faces, the first, scatter.

    Raises:
        ScenarioError: a surface of `spec` can't be.
    """
    surfaces = _surfaces(materials, spec)
    depth = [own if s.thickness is None else s.thickness for s, own in zip(surfaces, thickness, strict=True)]
    for name, surface, metres in zip(materials, surfaces, depth, strict=True):
        if surface.transparent and np.isinf(metres):
            raise ScenarioError(
                "a transparent surface needs a thickness, here or in world.toml", key=f"surfaces.{name}"
            )
    media = Media(
        np.array([[permittivity(name, f) for name in materials] for f in carriers], dtype=np.complex128),
        np.array(depth, dtype=float),
        np.array([s.roughness for s in surfaces]),
        np.array([s.scattering if k < faces else 0.0 for k, s in enumerate(surfaces)]),
        np.array([float(s.alpha_r) for s in surfaces]),
        np.array([s.k_x for s in surfaces]),
        np.zeros((len(carriers), len(materials), 2, TABLE)),
        np.array([gas_db_km(spec.atmosphere, f) / 1000.0 for f in carriers]),
        np.array([rain_coefficients(f) for f in carriers]),
        spec.atmosphere.rain,
    )
    _keep_balance(media, carriers)
    return media


def wall_loss(media: Media, carriers: F64, transparent: Bool) -> F64:
    """Return what passing each surface takes at normal incidence [dB], (S,), at the carrier that it takes least from.

    inf for one that isn't transparent.
    """
    loss = np.full(len(media.thickness), np.inf)
    for s in np.flatnonzero(transparent).tolist():
        depth, passed = float(media.thickness[s]), 1e-30
        for c, f in enumerate(carriers.tolist()):
            material = complex(media.permittivity[c, s])
            passed = max(passed, abs(slab_transmission(1.0, material, depth, SPEED_OF_LIGHT / f)[0]))
        loss[s] = max(0.0, -20.0 * np.log10(passed))
    return loss


def _surfaces(materials: Sequence[str], spec: RayTracingSpec) -> list[SurfaceSpec]:
    for name in spec.surfaces:
        if name not in materials:
            close = nearest(name, materials)
            raise ScenarioError(
                f"no face is made of it; allowed: {', '.join(dict.fromkeys(materials))}{close}", key=f"surfaces.{name}"
            )
    return [spec.surfaces.get(name, SurfaceSpec()) for name in materials]


def _keep_balance(media: Media, carriers: F64) -> None:
    for s in np.flatnonzero(media.scattering).tolist():
        for c, frequency in enumerate(carriers.tolist()):
            media.balance[c, s] = balance(
                complex(media.permittivity[c, s]), float(media.thickness[s]), SPEED_OF_LIGHT / frequency,
                int(media.alpha_r[s]), float(media.k_x[s]),
            )  # fmt: skip
