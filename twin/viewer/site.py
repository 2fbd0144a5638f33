"""A world in a page of the browser, without a run: to be walked around in, or as a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from twin.analysis.placed import Placed
from twin.analysis.written import written
from twin.state import F64
from twin.viewer.scene import add_site, add_world, aim
from twin.viewer.server import Page, close_server
from twin.world.bvh import MISS, Bvh, build_bvh, closest_hits
from twin.world.geometry import Geometry

ROUTE = (0, 114, 178)
POLE = 5.0
"""Metres above a roof that are proposed for a mast."""
_FAR = 1e6


class SitePage:
    """Geometry, radio sites (3,) m and what a scenario places, in a viser server; where one clicks is said.

    Bound to loopback unless `host` says otherwise.
    """

    def __init__(
        self, name: str, geometry: Geometry, sites: Sequence[F64] = (), there: Sequence[Placed] = (), *,
        host: str = "127.0.0.1", port: int = 8080,
    ) -> None:  # fmt: skip
        self.server = Page(name, host, port)
        self._closed = False
        self._geometry = geometry
        scene = self.server.scene
        scene.set_up_direction("+z")
        scene.configure_default_lights(cast_shadow=False)
        bounds = _things(geometry)
        extent = float(np.linalg.norm(bounds[1] - bounds[0]))
        aim(self.server, bounds, extent, geometry)
        add_world(self.server, geometry)
        for i, place in enumerate([*sites, *(one.way[0] for one in there)]):
            add_site(self.server, f"/sites/{i}", place, extent)
        for i, one in enumerate(there):
            place = (float(one.way[0, 0]), float(one.way[0, 1]), float(one.way[0, 2]))
            scene.add_label(f"/placed/{i}/name", one.name, position=place)
            if len(one.way) > 1:
                pieces = np.stack([one.way[:-1], one.way[1:]], axis=1).astype(np.float32)
                scene.add_line_segments(f"/placed/{i}/way", pieces, ROUTE, thickness=extent / 700)
        self._told: Any = self.server.gui.add_markdown("Click on a place: its coordinates appear here, to be copied.")
        scene.on_click()(self._clicked)

    def picked(self, origin: Sequence[float], direction: Sequence[float]) -> tuple[F64, float] | None:
        """Return the point (3,) m that a ray meets, and z [m] of the highest surface there; None without one."""
        start, along = np.array([origin], dtype=float), np.array([direction], dtype=float)
        triangle, distance = closest_hits(self._bvh, start, along, 0.0, np.inf)
        if triangle[0] == MISS:
            return None
        point: F64 = start[0] + distance[0] * along[0]
        top = np.array([[point[0], point[1], _FAR]])
        _, down = closest_hits(self._bvh, top, np.array([[0.0, 0.0, -1.0]]), 0.0, np.inf)
        return point, float(_FAR - down[0])

    @cached_property
    def _bvh(self) -> Bvh:
        return build_bvh(self._geometry.vertices, self._geometry.triangles)

    def _clicked(self, event: Any) -> None:
        found = self.picked(event.ray_origin, event.ray_direction)
        if found is None:
            self._told.content = "Nothing is there."
            return
        (x, y, z), roof = found
        self._told.content = (f"Clicked: `[{x:.2f}, {y:.2f}, {z:.2f}]`\n\nRoof there, or ground: `[{x:.2f}, {y:.2f}, "
                              f"{roof:.2f}]`\n\n`positions = [[{x:.2f}, {y:.2f}, {roof + POLE:.2f}]]` "
                              f"puts a mast {POLE:g} m above it.")  # fmt: skip

    def serve(self) -> None:
        """Answer browsers until Ctrl-C or `close`."""
        while not self._closed:
            time.sleep(0.1)

    def export(self, path: Path, *, force: bool = False) -> None:
        """Write a page that shows the world from a file.

        Raises:
            TwinError: the file exists and `force` is off, or can't be written.
        """
        with written(path, force=force) as file:
            file.write(self.server.get_scene_serializer().as_html())

    def close(self) -> None:
        """Stop the server."""
        self._closed = True
        close_server(self.server)


def _things(geometry: Geometry) -> tuple[F64, F64]:
    """Return the corners (3,) m of the box of all buildings and things; without any, of the ground."""
    things = geometry.face_object[geometry.triangle_face] >= 0
    points = geometry.vertices[geometry.triangles[things if things.any() else ~things]].reshape(-1, 3)
    return points.min(axis=0), points.max(axis=0)
