"""From a file's coordinate system to WGS 84 longitude, latitude [degrees] and ellipsoidal height [m].

PROJ replaces a missing grid by a "ballpark" step that changes nothing; here that is an error, never silence.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import WorldError
from twin.state import F64

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

GCJ02 = ("gcj02", "gcj-02")
"""Names of the Chinese map datum, which PROJ does not know."""
_AXIS, _ECCENTRICITY2 = 6378245.0, 0.00669342162296594323  # Krasovsky 1940
_CONVERGED = 1e-11
"""Degrees: a micrometre."""
_GCJ02_AREA = (72.0, 0.8, 138.0, 56.0)
"""West, south, east, north [degrees]: where maps use GCJ-02."""
_CGCS2000 = "China 2000"
"""PROJ's name of the datum, for which it has no transformation."""
_AS_CGCS2000 = {"OGC:CRS84": "EPSG:4490", "EPSG:4979": "EPSG:4480"}
"""Coordinate systems of CGCS2000 that are taken for those of WGS 84."""


def to_wgs84(points: F64, crs: str, geoid_height: float | None = None) -> F64:
    """Return longitude, latitude (n, 2), and height (n, 3) where heights are given, of points in `crs`.

    Args:
        points: x, y or longitude, latitude (n, 2), or with heights (n, 3), in that order whatever `crs` says.
        crs: any name that PROJ knows, or GCJ-02.
        geoid_height: height of the vertical datum above the ellipsoid [m], in place of what PROJ would do.

    Raises:
        WorldError: PROJ doesn't know the CRS, or can't relate its datum or its heights to WGS 84.
    """
    if crs.lower() in GCJ02:
        flat = gcj02_to_wgs84(points[:, :2])
        return flat if points.shape[1] == 2 else np.column_stack([flat, _raised(points[:, 2], 1.0, geoid_height, crs)])
    system = parse(crs)
    horizontal = system.sub_crs_list[0] if system.is_compound else system
    if points.shape[1] == 3 and geoid_height is None and (system.is_compound or len(system.axis_info) == 3):
        return _transformed(_transformer(system, "EPSG:4979", crs), points, crs)
    flat = _transformed(_transformer(horizontal, "OGC:CRS84", crs), points[:, :2], crs)
    if points.shape[1] == 2:
        return flat
    return np.column_stack([flat, _raised(points[:, 2], height_unit(crs), geoid_height, crs)])


def height_unit(crs: str) -> float:
    """Return the metres of a unit of heights in `crs`; without a vertical axis, of x and y where those are lengths."""
    system = parse(crs)
    axes = system.axis_info
    if len(axes) == 3:
        return float(axes[2].unit_conversion_factor)
    return float(axes[0].unit_conversion_factor) if axes and system.is_projected else 1.0


def height_note(crs: str) -> str | None:
    """Return what a user should know of the unit of heights in `crs`: it isn't the metre."""
    if crs.lower() in GCJ02 or (unit := height_unit(crs)) == 1.0:
        return None
    return f"{crs}: heights are taken in its unit of {unit:.7g} m"


def latitude_first(crs: str) -> bool:
    """Tell whether `crs` is in degrees and declares its latitude first."""
    if crs.lower() in GCJ02:
        return False
    system = parse(crs)
    return system.is_geographic and bool(system.axis_info) and system.axis_info[0].direction.lower() == "north"


def from_wgs84(points: F64, crs: str) -> F64:
    """Return x, y (n, 2) in the horizontal part of `crs` of longitude, latitude [degrees] (n, 2)."""
    system = parse(crs)
    horizontal = system.sub_crs_list[0] if system.is_compound else system
    transformer = _transformer(horizontal, "OGC:CRS84", crs)
    return _transformed(transformer, points, crs, inverse=True)


def accuracy_note(crs: str) -> str | None:
    """Return what a user should know of the horizontal transformation to WGS 84: a better one lacks a grid."""
    if crs.lower() in GCJ02:
        return None
    system = parse(crs)
    if _is_cgcs2000(system):
        return f"{crs}: CGCS2000 is taken as WGS 84: centimetres apart in 2000, and some 3 cm more with each year"
    missing = _missing_grids(system.sub_crs_list[0] if system.is_compound else system, "OGC:CRS84")
    return f"{crs}: a more exact transformation to WGS 84 needs {missing}" if missing else None


def area_note(crs: str, low: F64, high: F64) -> str | None:
    """Return a warning where longitude, latitude `low` to `high` (2,) [degrees] lie outside of its area of use."""
    from pyproj.aoi import AreaOfUse

    area = AreaOfUse(*_GCJ02_AREA, name="China") if crs.lower() in GCJ02 else parse(crs).area_of_use
    if area is None or area.west > area.east:
        return None
    if low[0] >= area.west and low[1] >= area.south and high[0] <= area.east and high[1] <= area.north:
        return None
    return (
        f"{crs} is for {area.name}; found longitude {low[0]:.2f}..{high[0]:.2f}, latitude {low[1]:.2f}..{high[1]:.2f}:"
        " another CRS (--crs), or x and y swapped?"
    )


def parse(crs: str) -> CRS:
    """Return what PROJ makes of the name of a coordinate system.

    Raises:
        WorldError: PROJ doesn't know it.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system: CRS = CRS.from_user_input(crs)
    except CRSError as error:
        raise WorldError(f"crs {crs!r}: not a coordinate system that PROJ knows: {error}") from error
    return system


def gcj02_to_wgs84(points: F64) -> F64:
    """Return WGS 84 longitude, latitude (n, 2) of places given in GCJ-02, by fixed-point iteration.

    The published offset changes by less than 1 % of the way, so each round gains two digits.
    """
    found: F64 = points.copy()
    for _ in range(20):
        step = points - wgs84_to_gcj02(found)
        found += step
        if np.abs(step).max(initial=0.0) < _CONVERGED:
            return found
    raise WorldError("gcj02: found places outside China's map datum; allowed: longitude, latitude in degrees")


def wgs84_to_gcj02(points: F64) -> F64:
    """Return GCJ-02 longitude, latitude (n, 2) of WGS 84 ones, by the offset published as `eviltransform`."""
    longitude, latitude = points[:, 0], points[:, 1]
    x, y = longitude - 105.0, latitude - 35.0
    waves = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    east = waves + _sines(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))
    north = waves + _sines(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))
    root = np.sqrt(np.abs(x))
    east = east / 1.5 + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    north = north / 1.5 - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    w2 = 1.0 - _ECCENTRICITY2 * np.sin(np.radians(latitude)) ** 2
    meridian = _AXIS * (1.0 - _ECCENTRICITY2) / w2**1.5
    parallel = _AXIS / np.sqrt(w2) * np.cos(np.radians(latitude))
    moved: F64 = points + np.degrees(np.column_stack([east / parallel, north / meridian]))
    return moved


def _sines(angle: F64, *terms: tuple[float, float]) -> F64:
    total: F64 = np.sum([size * np.sin(np.pi * angle / period) for size, period in terms], axis=0)
    return total


def _raised(heights: F64, unit: float, geoid_height: float | None, crs: str) -> F64:
    if geoid_height is None:
        raise WorldError(
            f"crs {crs!r}: its heights have no vertical datum; give --geoid-height METRES, the height of their"
            " zero above the WGS 84 ellipsoid (0 if they are ellipsoidal), or a compound CRS such as EPSG:28992+5709"
        )
    return heights * unit + geoid_height


def _transformer(source: CRS, target: str, crs: str) -> Transformer:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    reached = _AS_CGCS2000[target] if _is_cgcs2000(source) else target
    try:
        return Transformer.from_crs(source, reached, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        missing = _missing_grids(source, reached)
        why = f"it needs {missing}: download with `projsync --file NAME`, or" if missing else "PROJ knows no way;"
        way = (
            "give --geoid-height METRES, the height of the vertical datum above the WGS 84 ellipsoid there"
            if target == "EPSG:4979"
            else "give --crs OGC:CRS84 if they are WGS 84 all the same, or a PROJ string with +towgs84"
        )
        raise WorldError(f"crs {crs!r}: can't be brought to WGS 84 without guessing: {why} {way}") from error


def _is_cgcs2000(system: CRS) -> bool:
    geodetic = system.geodetic_crs
    return geodetic is not None and geodetic.datum is not None and geodetic.datum.name == _CGCS2000


def _missing_grids(source: CRS, target: str) -> str:
    from pyproj.transformer import TransformerGroup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(source, target, always_xy=True)
    if group.best_available and group.transformers:
        return ""
    operations = group.unavailable_operations
    grids = operations[0].grids if operations else []
    return ", ".join(grid.short_name for grid in grids if not grid.available)


def _transformed(transformer: Any, points: F64, crs: str, *, inverse: bool = False) -> F64:
    from pyproj.enums import TransformDirection
    from pyproj.exceptions import ProjError

    direction = TransformDirection.INVERSE if inverse else TransformDirection.FORWARD
    try:
        return np.column_stack(transformer.transform(*points.T, errcheck=True, direction=direction))
    except ProjError as error:
        raise WorldError(f"crs {crs!r}: the coordinates can't be in it: {error}") from error
