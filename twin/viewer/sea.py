"""The moving surface of the sea, as a grid round the place where something happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from viser import ViserServer

from twin.state import F64

Elevation = Callable[[int, F64], F64]
"""Time [ns] and points (n, 2) m -> z (n,) m of the surface."""
CELLS, LARGEST_CELL = 96, 6.0
"""Cells along each side of the grid, and their largest size in metres."""
_COLOUR = (58, 118, 158)


class SeaSurface:
    """A grid over `bounds`, corners (3,) m, and half as far round them, that `show` bends."""

    def __init__(self, server: ViserServer, elevation: Elevation, bounds: tuple[F64, F64]) -> None:
        self._elevation = elevation
        middle = (bounds[0] + bounds[1])[:2] / 2
        side = min(2.0 * float(np.max((bounds[1] - bounds[0])[:2])), CELLS * LARGEST_CELL)
        line = np.linspace(-side / 2, side / 2, CELLS + 1)
        self._points = np.stack(np.meshgrid(line + middle[0], line + middle[1]), axis=-1).reshape(-1, 2)
        corner = np.arange(CELLS * (CELLS + 1)).reshape(CELLS, CELLS + 1)[:, :-1].reshape(-1)
        other = corner + CELLS + 1
        halves = (corner, corner + 1, other + 1), (corner, other + 1, other)
        triangles = np.concatenate([np.stack(half, axis=1) for half in halves])
        self.mesh: Any = server.scene.add_mesh_simple(
            "/sea", self._vertices(0), triangles.astype(np.uint32), color=_COLOUR, opacity=0.85,
            flat_shading=True, side="double", cast_shadow=False, receive_shadow=False,
        )  # fmt: skip

    @property
    def lowest(self) -> float:
        """Lowest z [m] that is drawn now."""
        return float(self.mesh.vertices[:, 2].min())

    def show(self, time: int) -> None:
        """Draw the surface at `time` [ns]."""
        self.mesh.vertices = self._vertices(time)

    def _vertices(self, time: int) -> Any:
        return np.column_stack([self._points, self._elevation(time, self._points)]).astype(np.float32)
