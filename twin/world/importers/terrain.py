"""Terrain: SRTM tiles (.hgt) and GeoTIFF, voids filled and counted, heights above the WGS 84 ellipsoid.

GeoTIFF needs `rasterio`, the extra `geotiff`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import numpy as np
from scipy.interpolate import griddata
from scipy.ndimage import binary_dilation, distance_transform_edt

from twin.errors import WorldError
from twin.extras import install
from twin.gzipped import unpacked
from twin.state import F64, Bool
from twin.world.datum import from_wgs84, height_unit, parse, to_wgs84
from twin.world.importers.content import Mesh
from twin.world.importers.files import check_size

MATERIAL = "medium_dry_ground"
SRTM_CRS = "EPSG:4326+5773"
"""WGS 84 with EGM96 heights."""
HGT_SIZES = (1201, 3601)
"""Points a side of a tile of one degree: 3 and 1 arc seconds."""
VOID = -32768
MAX_POINTS = 4_000_000
_UNITS = {"m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "cm": 0.01, "dm": 0.1, "mm": 0.001,
          "km": 1000.0, "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": 1200 / 3937,
          "us survey feet": 1200 / 3937, "ftus": 1200 / 3937, "us-ft": 1200 / 3937, "sfoot": 1200 / 3937}  # fmt: skip
"""Metres of the units that a band may name."""
_LOWEST, _HIGHEST = -500.0, 9000.0
"""Metres; the earth's surface lies within."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Heights at the crossings of x and y, as a file has them; nan where it has none."""

    x: F64  # (columns,) ascending, in the CRS
    y: F64  # (rows,) ascending
    height: F64  # (rows, columns)
    crs: str


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """The surface through the crossings of a grid, cut into triangles along the diagonals."""

    x: F64  # (columns,) ascending, in the CRS
    y: F64  # (rows,) ascending, in the CRS
    nodes: F64  # (rows, columns, 3) longitude, latitude [degrees], ellipsoidal height [m]
    crs: str
    voids: int  # nodes whose height the file doesn't know

    def height(self, places: F64) -> F64:
        """Return ellipsoidal heights (n,) m of the surface at longitude, latitude (n, 2) [degrees]."""
        u, v = _fractions(self.x, self.y, from_wgs84(places, self.crs))
        i, j = np.minimum(u.astype(int), len(self.x) - 2), np.minimum(v.astype(int), len(self.y) - 2)
        u, v, h = u - i, v - j, self.nodes[..., 2]
        a, b, c, d = h[j, i], h[j, i + 1], h[j + 1, i + 1], h[j + 1, i]
        heights: F64 = np.where(u > v, a + u * (b - a) + v * (c - b), a + v * (d - a) + u * (c - d))
        return heights

    def lowest(self, ring: F64) -> float:
        """Return the lowest height [m] under an outline of longitude, latitude (n, 2), sampled four times per cell."""
        ends = np.vstack([ring, ring[:1]])
        cells = np.abs(np.diff(from_wgs84(ends, self.crs), axis=0)) / (self.x[1] - self.x[0], self.y[1] - self.y[0])
        counts = np.ceil(4 * cells.max(axis=1)).astype(int) + 1
        sides = [np.linspace(a, b, n + 1) for a, b, n in zip(ends[:-1], ends[1:], counts, strict=True)]
        return float(self.height(np.concatenate(sides)).min())

    def mesh(self) -> Mesh:
        """Return the surface as ground, in WGS 84."""
        rows, columns = len(self.y), len(self.x)
        a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
        lower = np.column_stack([a, a + 1, a + 1 + columns])
        upper = np.column_stack([a, a + 1 + columns, a + columns])
        return Mesh(None, self.nodes.reshape(-1, 3), np.vstack([lower, upper]), MATERIAL)


def read_terrain(path: Path, places: F64, margin: float, geoid_height: float | None = None) -> Terrain:
    """Read the part of a terrain file that covers longitude, latitude (n, 2) [degrees] and `margin` [m] around.

    Raises:
        WorldError: the file can't be read, doesn't reach that far, or its heights can't be brought to WGS 84.
    """
    with unpacked(path, WorldError) as plain:
        return _read(plain, places, margin, geoid_height)


def _read(path: Path, places: F64, margin: float, geoid_height: float | None) -> Terrain:
    check_size(path)
    with path.open("rb") as file:
        head = file.read(4)
    if head in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        grid = _geotiff(path, places, margin)
    elif path.suffix.lower() == ".hgt":
        grid = _cut(_hgt(path), places, margin, path)
    else:
        raise WorldError(f"{path}: not a terrain file; allowed: SRTM .hgt or GeoTIFF")
    wild = ~np.isnan(grid.height) & ~((_LOWEST <= grid.height) & (grid.height <= _HIGHEST))
    if wild.any():
        raise WorldError(
            f"{path}: found heights such as {grid.height[wild][0]:g} m; allowed: {_LOWEST:g}..{_HIGHEST:g} m"
        )
    void = np.isnan(grid.height)
    x, y = np.meshgrid(grid.x, grid.y)
    points = np.column_stack([x.ravel(), y.ravel(), _filled(grid.height, void, path).ravel()])
    nodes = to_wgs84(points, grid.crs, geoid_height).reshape(*void.shape, 3)
    return Terrain(grid.x, grid.y, nodes, grid.crs, int(void.sum()))


def _hgt(path: Path) -> Grid:
    """Read an SRTM tile: rows from the north, big-endian int16; the name gives the south-west corner."""
    match = re.fullmatch(r"([NS])(\d{2})([EW])(\d{3}).*", path.stem.upper())
    if match is None:
        raise WorldError(f"{path}: found name {path.name!r}; allowed: its south-west corner, such as N52E004.hgt")
    size = check_size(path)
    side = isqrt(size // 2)
    if side not in HGT_SIZES or 2 * side * side != size:
        sizes = " or ".join(str(2 * n * n) for n in HGT_SIZES)
        raise WorldError(f"{path}: found {size} bytes; allowed: {sizes} (is the file cut off?)")
    south, west = int(match[2]) * (1 if match[1] == "N" else -1), int(match[4]) * (1 if match[3] == "E" else -1)
    heights = np.fromfile(path, dtype=">i2").reshape(side, side)[::-1]
    steps = np.arange(side) / (side - 1)
    return Grid(west + steps, south + steps, np.where(heights == VOID, np.nan, heights.astype(float)), SRTM_CRS)


def _geotiff(path: Path, places: F64, margin: float) -> Grid:
    try:
        import rasterio
        from rasterio.errors import RasterioError
        from rasterio.windows import Window
    except ImportError as error:
        raise WorldError(f"{path}: GeoTIFF terrain needs rasterio: {install('geotiff')}") from error
    try:
        with rasterio.open(path) as file:
            step = file.transform
            if file.crs is None or step.b or step.d or step.a <= 0 or step.e >= 0:
                raise WorldError(f"{path}: no CRS, or not north up; allowed: a geo-referenced, north-up grid")
            crs = file.crs.to_wkt()
            # A height stands at the middle of its pixel.
            x = step.c + step.a * (np.arange(file.width) + 0.5)
            y = step.f + step.e * (np.arange(file.height) + 0.5)
            i, j = _window(x, y[::-1], crs, places, margin, path)
            window = Window(i.start, file.height - j.stop, i.stop - i.start, j.stop - j.start)
            if file.colorinterp[0].name in ("red", "palette"):
                raise WorldError(f"{path}: a picture: its first band is {file.colorinterp[0].name}; allowed: heights")
            stored = file.read(1, window=window, masked=True).astype(float).filled(np.nan)
            heights = (stored * file.scales[0] + file.offsets[0]) * _in_crs(file.units[0], crs, path)
    except RasterioError as error:
        raise WorldError(f"{path}: can't be read as GeoTIFF: {error}") from error
    return Grid(x[i], y[::-1][j], heights[::-1], crs)


def _in_crs(unit: str | None, crs: str, path: Path) -> float:
    """Return what a band's heights are to be multiplied by, so that they are in the unit of heights of its CRS."""
    name = (unit or "").strip().lower().replace("_", " ")
    if not name:
        return 1.0
    if name not in _UNITS:
        raise WorldError(f"{path}: band unit: found {unit!r}; allowed: {', '.join(_UNITS)}")
    return _UNITS[name] / height_unit(crs)


def _cut(grid: Grid, places: F64, margin: float, path: Path) -> Grid:
    i, j = _window(grid.x, grid.y, grid.crs, places, margin, path)
    return Grid(grid.x[i], grid.y[j], grid.height[j, i], grid.crs)


def _window(x: F64, y: F64, crs: str, places: F64, margin: float, path: Path) -> tuple[slice, slice]:
    """Return the columns and rows that cover places and margin."""
    points = from_wgs84(places, crs)
    metre = 1.0 / 111_320.0 if parse(crs).is_geographic else 1.0
    reach = np.array([metre / max(np.cos(np.radians(np.abs(places[:, 1]).max())), 0.01), metre]) if metre < 1 else metre
    low, high = points.min(axis=0) - margin * reach, points.max(axis=0) + margin * reach
    if (low < (x[0], y[0])).any() or (high > (x[-1], y[-1])).any():
        raise WorldError(
            f"{path}: covers {x[0]:g}..{x[-1]:g}, {y[0]:g}..{y[-1]:g};"
            f" the site with its margin needs {low[0]:g}..{high[0]:g}, {low[1]:g}..{high[1]:g}"
        )
    i, j = (
        slice(int(np.searchsorted(axis, a, "right")) - 1, int(np.searchsorted(axis, b, "left")) + 1)
        for axis, a, b in zip((x, y), low, high, strict=True)
    )
    if (count := (i.stop - i.start) * (j.stop - j.start)) > MAX_POINTS:
        raise WorldError(f"{path}: the site needs {count} points of it; allowed: {MAX_POINTS}")
    return i, j


def _filled(heights: F64, void: Bool, path: Path) -> F64:
    """Return heights with voids filled linearly from their rims, and by the nearest one at the grid's edge."""
    if void.all():
        raise WorldError(f"{path}: no height known at the site")
    if not void.any():
        return heights
    rim = binary_dilation(void, iterations=2) & ~void
    filled = heights.copy()
    if rim.sum() > 3 and np.ptp(np.argwhere(rim), axis=0).all():
        filled[void] = griddata(np.argwhere(rim), heights[rim], np.argwhere(void))
    rest = np.isnan(filled)
    nearest = distance_transform_edt(void, return_distances=False, return_indices=True)
    filled[rest] = heights[tuple(nearest)][rest]
    return filled


def _fractions(x: F64, y: F64, points: F64) -> tuple[F64, F64]:
    """Return column and row (n,), with fractions, of points (n, 2)."""
    return (points[:, 0] - x[0]) / (x[1] - x[0]), (points[:, 1] - y[0]) / (y[1] - y[0])
