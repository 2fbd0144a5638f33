"""The ray-traced channel: paths between all radio pairs, found rarely and checked at every trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from twin.channel.coefficients import Carried, Routes, StoredPaths, copied, evaluate
from twin.channel.fields.antennas import antenna_arrays
from twin.channel.fields.links import Pairing
from twin.channel.fields.media import Permittivity, make_media, wall_loss
from twin.channel.fields.sea import SEA_WATER, OverSea, SeaSurface, no_sea
from twin.channel.fields.transfer import Mirrors
from twin.channel.radios import Radios
from twin.channel.search import hulls as moving
from twin.channel.search.detours import SearchSpace
from twin.channel.search.diffraction import make_detours
from twin.channel.search.edges import find_edges, no_edges
from twin.channel.search.hulls import Hull
from twin.channel.search.images import CROSSINGS, WALLS, Walls, make_work
from twin.channel.search.obstacles import Pairs, meet_hulls
from twin.channel.search.paths import Paths, interactions, make_paths, rank
from twin.channel.search.shared import scene_of
from twin.channel.search.source import make_sources, rays_for
from twin.channel.search.tiles import look, make_sight, make_tiles, scatter
from twin.errors import RunError
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import RayTracingSpec
from twin.state import F64, BodyState, TracedLinks
from twin.world.geometry import Geometry
from twin.world.materials import default_thickness, permittivity

_FIRST_CAPACITY = 32


class RayTracer:
    """Paths between all pairs of radios in a static site with moving hulls."""

    def __init__(
        self,
        geometry: Geometry,
        radios: Sequence[Radio],
        spec: RayTracingSpec | None = None,
        hulls: Sequence[Hull] = (),
        permittivity: Permittivity = permittivity,
        sea: SeaSurface | None = None,
    ) -> None:
        """Prepare; the search itself happens at the first trace.

        Raises:
            ScenarioError: a radio, or a surface of `spec`, can't be.
            WorldError: the geometry or a hull can't be used.
        """
        self.spec = spec or RayTracingSpec()
        self.radios = Radios(radios, self.spec.peers)
        self._antennas = antenna_arrays([radio.antenna for radio in radios])
        self._carriers, band = np.unique(self.radios.carrier, return_inverse=True)
        self._band = band.astype(np.int32)
        self._sea = sea
        self._take_materials(geometry, hulls, permittivity if sea is None else sea.of_material(permittivity))
        self._place, self._pair, self._first, self._second = self.radios.places()
        self._first_radio = np.unique(self._place, return_index=True)[1]
        self._place_body = self.radios.body[self._first_radio]
        self._amplitude = 10.0 ** (self.radios.gain_db / 20.0)
        self._nearby = moving.make_nearby(len(self._place_body), len(self.hulls.body))
        self._shortest = SPEED_OF_LIGHT / self._carriers.max(initial=1.0)
        flat, self.scene = scene_of(geometry)
        self._face = geometry.triangle_face.astype(np.int32)
        self._edges = find_edges(flat, self.scene) if self.spec.diffraction else no_edges()
        detours = make_detours(self.scene, self._edges, with_reflection=self.spec.order > 0)
        loss = wall_loss(self._media, self._carriers, self._transparent)
        walls = Walls(loss, self.spec.wall_loss, WALLS if self.spec.mode == "kinetic" else 1)
        space = SearchSpace(self.scene, walls, self._edges, detours)
        self._sources = make_sources(space, self.spec, self._place_body, self._first, self._second)
        self._tiles = make_tiles(self.scene, self._media.scattering > 0.0, self.spec.tile)
        self._sight = make_sight(len(self._place_body), self._tiles)
        self._opaque = Walls(np.full(len(loss), np.inf), 0.0, WALLS)
        self._links = Pairing(self.radios.a, self.radios.b, self._pair)
        self._mirrors = Mirrors(self.scene.normal, self.scene.plane, self.scene.surface, self._tiles)
        self._faces_of = self._face, self._face[self._tiles.triangle]  # of triangles and of tiles
        self._work = make_work(max(self.spec.order, 2))
        self._paths = self._room(_FIRST_CAPACITY)
        self._position: F64 | None = None  # (places, 3) at the last trace
        self._step = self._limited = 0
        self._routes: Routes | None = None

    def _take_materials(self, geometry: Geometry, hulls: Sequence[Hull], permittivity: Permittivity) -> None:
        """Number the materials of faces and, after them, those of hulls."""
        extra, faces = sorted({hull.material for hull in hulls}), len(geometry.materials)
        materials = (*geometry.materials, *extra)
        thickness = [*geometry.thickness, *map(default_thickness, extra)]
        arrays = moving.hull_arrays(hulls if self.spec.blockers else (), extra)
        self.hulls = arrays._replace(surface=arrays.surface + np.int32(faces))
        self._media = make_media(materials, thickness, faces, self._carriers, self.spec, permittivity)
        self._materials, self._thickness, self._faces = materials, tuple(map(float, thickness)), faces
        self._permittivity = permittivity
        self._wet = np.array([name == SEA_WATER for name in materials])
        surfaces = self.spec.surfaces
        self._transparent = np.array([name in surfaces and surfaces[name].transparent for name in materials])

    def trace(self, time: int = 0, bodies: BodyState | None = None) -> TracedLinks:
        """Return the links at `time` [ns]; `bodies` may be left out where all radios stand fixed.

        Raises:
            RunError: a radio's position or velocity isn't a finite number.
        """
        bodies = bodies if bodies is not None else _no_bodies()
        radio_position, radio_velocity = self.radios.motion(time, bodies)
        position, velocity = radio_position[self._first_radio], radio_velocity[self._first_radio]
        for source in self._sources:
            source.advance(position, self._step)
        self._look(position)
        moving.place(self.hulls, bodies)
        self._search(position)
        self._step += 1
        self._routes = self._route(time, position, velocity, bodies)
        media, radios = self._media, self.radios
        carried = Carried(media, self._over_sea(time), self._antennas, radios.carrier, self._band, self._amplitude)
        links = evaluate(self._routes, carried, self.spec.max_paths)
        self._limited += int(np.count_nonzero(np.isfinite(links.dropped_db)))
        return links

    def _route(self, time: int, position: F64, velocity: F64, bodies: BodyState) -> Routes:
        return Routes(
            time, self.radios, self._links, self._paths, self._place, position, velocity, bodies,
            self._mirrors, self._edges, self.hulls, self._faces_of,
        )  # fmt: skip

    def stored(self) -> StoredPaths:
        """Return the paths of the last trace, to be evaluated for other materials, antennas or carriers.

        Raises:
            RunError: nothing has been traced yet.
        """
        if self._routes is None:
            raise RunError("no paths to store: trace first")
        time = self._routes.time
        return StoredPaths(
            copied(self._routes), self._materials, self._thickness, self._faces, self.spec, self._permittivity,
            partial(self._sea_at, time),
        )  # fmt: skip

    def _sea_at(self, time: int, carriers: F64) -> OverSea:
        return no_sea() if self._sea is None else self._sea.at(time, carriers, self._wet)

    @property
    def rays(self) -> int:
        """Rays of the first search from a place."""
        return self.spec.rays if self.spec.rays is not None else rays_for(self.scene)

    @property
    def counts(self) -> Mapping[str, int]:
        """What was left out, summed over traces.

        Links with more paths than `max_paths`, of which the weakest were dropped; paths given up at CROSSINGS walls.
        """
        found = {
            "links_beyond_max_paths": self._limited,
            f"paths_beyond_{CROSSINGS}_walls": int(self._work.beyond[0]),
        }
        return {name: count for name, count in found.items() if count}

    def _over_sea(self, time: int) -> OverSea:
        """Return the sea at `time` [ns], and roughen its faces unless the scenario says how rough they are."""
        if self._sea is None:
            return no_sea()
        if SEA_WATER not in self.spec.surfaces:
            self._media.roughness[self._wet] = self._sea.roughness(time)
        return self._sea.at(time, self._carriers, self._wet)

    def _look(self, position: F64) -> None:
        """Bring up to date which tiles are seen from `position` (places, 3)."""
        if not len(self._tiles.area):
            return
        if self._position is not None:
            self._sight.odometer[:] += np.linalg.norm(position - self._position, axis=1)
        self._position = position
        exhaustive = self.spec.mode != "kinetic"
        look(self.scene, self._opaque, self._tiles, position, exhaustive, self._sight, self._work)

    def _search(self, position: F64) -> None:
        """Fill the paths, with more room if they need it."""
        while True:
            paths = self._paths
            paths.found[:] = 0
            self._find(paths)
            if len(self._tiles.area):
                scatter(self._tiles, self._sight, self._first, self._second, paths)
            if len(self.hulls.body):
                pairs = Pairs(position, self._place_body, self._first, self._second)
                moving.list_nearby(self.hulls, self._shortest, position, self._nearby)
                meet_hulls(self.scene, self.hulls, self._nearby, self._shortest, pairs, np.empty(3), paths)
            needed = int(paths.found.max(initial=0))
            if needed <= paths.length.shape[1]:
                rank(paths, position, self._first, self._second, len(self._tiles.area) > 0)
                return
            self._paths = self._room(2 * needed)

    def _find(self, paths: Paths) -> None:
        for source in self._sources:
            source.find(self._step, self._work, paths)
        if any([source.ask(self._step) for source in self._sources]):
            paths.found[:] = 0
            for source in self._sources:
                source.find(self._step, self._work, paths)

    def _room(self, capacity: int) -> Paths:
        count = interactions(max(self.spec.order, 2 if self.spec.diffraction else 1), bool(self._transparent.any()))
        return make_paths(len(self._first), capacity, count)


def _no_bodies() -> BodyState:
    return BodyState(
        np.zeros((0, 3)), np.zeros((0, 4)), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0),
        np.zeros(1, dtype=np.int64),
    )  # fmt: skip
