"""A world in a page of the browser, without a run: to be walked around in, or as a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twin.analysis.written import written
from twin.state import F64
from twin.viewer.scene import add_site, add_world, aim
from twin.viewer.server import Page, close_server
from twin.world.geometry import Geometry


class SitePage:
    """Geometry and radio sites (3,) m in a viser server; bound to loopback unless `host` says otherwise."""

    def __init__(
        self, name: str, geometry: Geometry, sites: Sequence[F64] = (), *, host: str = "127.0.0.1", port: int = 8080
    ) -> None:
        self.server = Page(name, host, port)
        self._closed = False
        self.server.scene.set_up_direction("+z")
        self.server.scene.configure_default_lights(cast_shadow=False)
        bounds = _things(geometry)
        extent = float(np.linalg.norm(bounds[1] - bounds[0]))
        aim(self.server, bounds, extent, geometry)
        add_world(self.server, geometry)
        for i, place in enumerate(sites):
            add_site(self.server, f"/sites/{i}", place, extent)

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
