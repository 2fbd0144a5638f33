"""What paths carry, apart from where they go: links of paths already found, again and again without a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twin.channel.fields.antennas import Antennas, antenna_arrays
from twin.channel.fields.links import Ends, Pairing, assemble, make_output, scratch
from twin.channel.fields.media import Media, Permittivity, make_media
from twin.channel.fields.sea import OverSea
from twin.channel.fields.transfer import Matter, Mirrors
from twin.channel.output import traced_links
from twin.channel.radios import Radios
from twin.channel.search.edges import Edges
from twin.channel.search.hulls import Hulls, rotate
from twin.channel.search.paths import Paths
from twin.errors import RunError
from twin.numerics.kernels import kernel
from twin.specs import AntennaSpec, RayTracingSpec
from twin.state import C128, F64, I32, BodyState, TracedLinks

_ALL = 1_000_000_000


class Routes(NamedTuple):
    """Where the paths of one trace go: of all carriers and antennas the same."""

    time: int  # ns
    radios: Radios
    links: Pairing
    paths: Paths
    place: I32  # (R,) place of each radio
    position: F64  # (places, 3) m
    velocity: F64  # (places, 3) m/s
    bodies: BodyState
    mirrors: Mirrors
    edges: Edges
    hulls: Hulls
    faces: tuple[I32, I32]  # of each triangle, of each tile


class Carried(NamedTuple):
    """What decides on the fields along them."""

    media: Media
    sea: OverSea
    antennas: Antennas
    carrier: F64  # (R,) Hz
    band: I32  # (R,) index of the carrier among those of `media`
    amplitude: F64  # (R,) of the radio, on top of its pattern


def evaluate(routes: Routes, carried: Carried, limit: int) -> TracedLinks:
    """Return the links of `routes`, each with at most `limit` paths."""
    paths, links, bodies = routes.paths, routes.links, routes.bodies
    axes = _antenna_axes(routes.radios.body, carried.antennas.mount, bodies.orientation)
    ends = Ends(
        routes.place, routes.position, routes.velocity, axes, carried.carrier, carried.band, carried.amplitude,
        bodies.position, bodies.velocity, bodies.angular_velocity,
    )  # fmt: skip
    out = make_output(len(links.a), int(paths.found[links.pair].sum()))
    matter = Matter(routes.mirrors, routes.edges, routes.hulls, carried.sea, carried.media)
    assemble(matter, carried.antennas, ends, links, paths, limit, scratch(), out)
    return traced_links(routes.time, links, paths, routes.faces, out)


@dataclass(frozen=True, slots=True, eq=False)
class StoredPaths:
    """The paths of one trace, kept to be evaluated for other materials, antennas or carriers.

    Paths stay where they are and in the same order, so that two evaluations can be compared path by path. All are
    there, whatever `max_paths` is.
    """

    routes: Routes
    materials: tuple[str, ...]
    thickness: tuple[float, ...]
    faces: int  # materials of the site; those after them are of hulls
    spec: RayTracingSpec
    permittivity: Permittivity
    sea: Callable[[F64], OverSea]

    def links(
        self,
        *,
        spec: RayTracingSpec | None = None,
        permittivity: Permittivity | None = None,
        antennas: Sequence[AntennaSpec] | None = None,
        carriers: Sequence[float] | None = None,
    ) -> TracedLinks:
        """Return the links; `spec` for other surfaces and air, `antennas` and `carriers` [Hz] one a radio.

        Raises:
            RunError: there are fewer or more of them than radios.
            ScenarioError: a surface can't be.
        """
        radios = self.routes.radios.radios
        antennas = [radio.antenna for radio in radios] if antennas is None else antennas
        carrier = np.array([radio.carrier for radio in radios] if carriers is None else carriers, dtype=float)
        for what, given in (("antennas", antennas), ("carriers", carrier)):
            if len(given) != len(radios):
                raise RunError(f"stored paths: found {len(given)} {what}, expected one a radio: {len(radios)}")
        bands, band = np.unique(carrier, return_inverse=True)
        media = make_media(
            self.materials, self.thickness, self.faces, bands, spec or self.spec, permittivity or self.permittivity
        )
        carried = Carried(
            media, self.sea(bands), antenna_arrays(antennas), carrier, band.reshape(-1).astype(np.int32),
            10.0 ** (self.routes.radios.gain_db / 20.0),
        )  # fmt: skip
        return evaluate(self.routes, carried, _ALL)


def derivative(amplitudes: Callable[[float], C128], at: float, step: float) -> C128:
    """Return how path amplitudes (P,) change with a parameter, at its value `at`; `step` is a small change of it.

    By five points: the error falls with step^4. `amplitudes` is such as
    `lambda x: stored.links(permittivity=lambda name, f: x - 0.1j).path_amplitude`.
    """
    near = amplitudes(at + step) - amplitudes(at - step)
    far = amplitudes(at + 2.0 * step) - amplitudes(at - 2.0 * step)
    return np.asarray((8.0 * near - far) / (12.0 * step))


def copied(routes: Routes) -> Routes:
    """Return routes that the next trace doesn't change."""
    return routes._replace(
        paths=routes.paths._replace(**{name: getattr(routes.paths, name).copy() for name in Paths._fields}),
        hulls=routes.hulls._replace(**{name: getattr(routes.hulls, name).copy() for name in Hulls._fields}),
    )


@kernel
def _antenna_axes(body: I32, mount: F64, orientation: F64) -> F64:
    """Return the antenna axes (R, 3, 3) in the world: the columns of `mount`, turned by the body."""
    axes = np.empty_like(mount)
    for i in range(len(body)):
        for k in range(3):
            x, y, z = mount[i, 0, k], mount[i, 1, k], mount[i, 2, k]
            if body[i] >= 0:
                x, y, z = rotate(orientation[body[i]], x, y, z)
            axes[i, 0, k], axes[i, 1, k], axes[i, 2, k] = x, y, z
    return axes
