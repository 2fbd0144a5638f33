"""What an import has to say for itself."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from twin.world.importers.content import Content, Tally
from twin.world.world import World


@dataclass(slots=True)
class ImportReport:
    """What an import used, mended, left out and assumed."""

    file: str
    format: str
    crs: str
    origin: tuple[float, float, float] | None  # longitude, latitude [degrees], ellipsoidal height [m]
    extent: tuple[list[float], list[float]]  # m, lowest and highest corner in local ENU
    found: int
    used: int
    repaired: dict[str, int]
    skipped: dict[str, int]
    assumed: dict[str, int]
    warnings: list[str]
    faces: int
    triangles: int
    lanes: int
    ground: float  # m, level ground above the ellipsoid (above z = 0 without a place on the earth)
    seconds: float = field(compare=False, default=0.0)
    peak_mb: float = field(compare=False, default=0.0)  # memory of the whole process at its highest, MB

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return asdict(self)


def make_report(path: Path, source: Content, world: World, ground: float, seconds: float) -> ImportReport:
    """Return the report of an import that made `world`."""
    tally, place, geometry = source.tally, world.georeference, world.geometry
    low, high = geometry.bounds()
    return ImportReport(
        file=path.name,
        format=source.format,
        crs=source.crs or "local metres",
        origin=(place.longitude, place.latitude, place.height) if place else None,
        extent=(low.round(3).tolist(), high.round(3).tolist()),
        found=tally.found,
        used=tally.used,
        repaired=dict(tally.repaired),
        skipped=dict(tally.skipped),
        assumed=dict(tally.assumed),
        warnings=tally.warnings,
        faces=len(geometry.face_normal),
        triangles=len(geometry.triangles),
        lanes=len(source.lanes),
        ground=ground,
        seconds=round(seconds, 3),
        peak_mb=round(_peak_bytes() / 1e6, 1),
    )


def reasons(tally: Tally) -> str:
    """Return why things were skipped, as one line."""
    return "; ".join(f"{count} x {reason}" for reason, count in tally.skipped.items()) or "none"


def _peak_bytes() -> int:
    """Return the largest resident memory of this process; 0 where the system doesn't tell."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
