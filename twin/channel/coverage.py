"""Coverage of an area: what each site delivers to each point of a grid."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import nan, pi, radians
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twin.channel.search.planes import curve
from twin.channel.tracer import RayTracer
from twin.errors import ScenarioError, brief
from twin.link import Radio
from twin.specs import AntennaSpec, RayTracingSpec
from twin.state import F64, I32, BodyState, Bool, TracedLinks
from twin.world.bvh import build_bvh, heights_below
from twin.world.geometry import GROUND, Geometry

_CHUNK, _CHUNK_OF_MANY = 8192, 16
"""Points that are traced at once; fewer where each has thousands of scattered paths."""
_SKY = 1e5
"""Metres above zero from where the ground is looked for."""
_ALL = 1_000_000_000
_BOLTZMANN_290K_DBM = -173.975
"""Thermal noise [dBm/Hz] at 290 K."""
_COLUMNS = ("name", "x", "y", "z", "azimuth", "tilt", "power")


QUANTITIES = {
    "gain": "path gain of the best server [dB]",
    "rss": "received power of the best server [dBm]",
    "sinr": "SINR, all transmitting [dB]",
    "server": "best server",
    "uncertainty": "standard deviation about the best server's gain at one frequency [dB]",
}


class Grid(NamedTuple):
    """Where a map is wanted: columns, rows, and a height above the ground."""

    x: F64  # (nx,) m
    y: F64  # (ny,) m
    height: float  # m, above the ground; above zero where there is none


class Receiver(NamedTuple):
    """What receives at each point."""

    bandwidth: float = 20e6  # Hz
    noise_figure_db: float = 7.0


_USUAL = Receiver()


@dataclass(frozen=True, slots=True)
class Transmitter:
    """One sector of a site."""

    name: str
    position: tuple[float, float, float]  # m
    power_dbm: float = 43.0
    antenna: AntennaSpec = AntennaSpec()


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Maps over a grid, rows from south to north; nan where a point is inside of something."""

    x: F64  # (nx,) m
    y: F64  # (ny,) m
    height: float  # m above the ground
    names: tuple[str, ...]  # S transmitters
    path_gain_db: F64  # (S, ny, nx), -inf without a path
    rss_dbm: F64  # (ny, nx) of the best server
    best_server: I32  # (ny, nx) transmitter, -1 without any path
    sinr_db: F64  # (ny, nx) of the best server, all others transmitting at full power
    uncertainty_db: F64  # (ny, nx) of the best server's gain at one frequency, its paths in random phase

    def quantity(self, name: str) -> F64:
        """Return one of QUANTITIES, (ny, nx); nan where nothing is received."""
        served = self.best_server >= 0
        if name == "gain":
            best = np.take_along_axis(self.path_gain_db, np.maximum(self.best_server, 0)[None].astype(int), axis=0)[0]
            return np.where(served, best, nan)
        if name == "server":
            return np.where(served, self.best_server, nan)
        values = {"rss": self.rss_dbm, "sinr": self.sinr_db, "uncertainty": self.uncertainty_db}
        return np.where(served, values[name], nan)


def read_sites(path: Path, base: Path | None = None) -> list[Transmitter]:
    """Read transmitters from a CSV with the columns name, x, y, z [m], azimuth, tilt [deg], power [dBm].

    Azimuth counts clockwise from north, tilt downwards. A further column `pattern` names isotropic, dipole, tr38901
    (the default) or an MSI file beside the CSV.

    Raises:
        ScenarioError: not readable, a column is missing, or a cell isn't a number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"sites can't be read: {error}", file=path) from error
    if not rows:
        raise ScenarioError("holds no site", file=path)
    missing = [name for name in _COLUMNS if name not in rows[0]]
    if missing:
        raise ScenarioError(f"lacks the columns {', '.join(missing)}; needed: {', '.join(_COLUMNS)}", file=path)
    return [_transmitter(path, number, row) for number, row in enumerate(rows, start=2)]


def _transmitter(path: Path, line: int, row: dict[str, str]) -> Transmitter:
    values = {}
    for name in _COLUMNS[1:]:
        try:
            values[name] = float(row[name])
        except (TypeError, ValueError):
            message = f"line {line}, {name}: found {brief(row[name])}, expected a number"
            raise ScenarioError(message, file=path) from None
        if not np.isfinite(values[name]):
            raise ScenarioError(f"line {line}, {name}: found {row[name]!r}, expected a finite number", file=path)
    pattern = (row.get("pattern") or "tr38901").strip()
    known = pattern in ("isotropic", "dipole", "tr38901")
    antenna = AntennaSpec(
        pattern=pattern if known else path.parent / pattern,
        azimuth=pi / 2 - radians(values["azimuth"]),
        downtilt=radians(values["tilt"]),
    )
    return Transmitter(row["name"], (values["x"], values["y"], values["z"]), values["power"], antenna)


def coverage(
    geometry: Geometry,
    transmitters: Sequence[Transmitter],
    grid: Grid,
    carrier: float,
    spec: RayTracingSpec | None = None,
    *,
    receiver: Receiver = _USUAL,
    outdoors: Callable[[F64], Bool] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Coverage:
    """Return the coverage of a grid by isotropic receivers.

    Searches start from the transmitters; points that are neighbours share them. `outdoors` tells for points (n, 3)
    which are to be computed. Gains are sums over all paths, whatever `max_paths` is.

    Raises:
        ScenarioError: a transmitter or the carrier can't be.
    """
    points = grid_points(geometry, grid)
    wanted = np.flatnonzero(np.ones(len(points), dtype=bool) if outdoors is None else outdoors(points))
    wanted = wanted[np.argsort(curve(points[wanted]), kind="stable")]  # neighbours are traced together
    spec = (spec or RayTracingSpec()).model_copy(update={"max_paths": _ALL, "mode": "sweep"})
    scatters = any(surface.scattering for surface in spec.surfaces.values())
    chunks = -(-len(wanted) // (_CHUNK_OF_MANY if scatters else _CHUNK))
    size = -(-len(wanted) // chunks) if chunks else 1
    tracer = RayTracer(geometry, _radios(transmitters, carrier, size), spec)
    gain, deviation = (np.full((len(transmitters), len(points)), nan) for _ in range(2))
    for first in range(0, len(wanted), size):
        rows = wanted[first : first + size]
        links = tracer.trace(first, _standing(points[np.resize(rows, size)]))
        at = links.b - len(transmitters)
        used = at < len(rows)
        place = (links.a[used], rows[at[used]])
        gain[place], deviation[place] = links.path_gain_db[used], _deviation_db(links)[used]
        progress(first + len(rows), len(wanted))
    return _maps(grid, transmitters, gain, deviation, receiver)


def grid_points(geometry: Geometry, grid: Grid) -> F64:
    """Return the points (ny nx, 3) of a grid, its height above the ground that lies under everything else."""
    x, y = np.meshgrid(grid.x, grid.y)
    flat = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    flat[:, 2] = ground_below(geometry, flat) + grid.height
    return flat


def ground_below(geometry: Geometry, points: F64) -> F64:
    """Return how high the ground is at points (n, 3), (n,) m; 0 where there is none. Houses don't count."""
    of_ground = geometry.face_object[geometry.triangle_face] == GROUND
    bvh = build_bvh(np.asarray(geometry.vertices, dtype=np.float64), geometry.triangles[of_ground])
    above = np.column_stack([points[:, :2], np.full(len(points), _SKY)])
    return np.nan_to_num(heights_below(bvh, above), nan=0.0)


def on_ground(geometry: Geometry, transmitters: Sequence[Transmitter]) -> list[Transmitter]:
    """Return the transmitters with their heights, which are above the ground, as coordinates."""
    places = np.array([t.position for t in transmitters])
    heights = ground_below(geometry, places)
    return [
        replace(t, position=(*t.position[:2], t.position[2] + h)) for t, h in zip(transmitters, heights, strict=True)
    ]


def _deviation_db(links: TracedLinks) -> F64:
    """Return what one standard deviation adds to each link's gain [dB] where its paths have random phases.

    The power of a sum of waves of powers p_i in random phase has the mean sum p_i, which is the gain, and the variance
    (sum p_i)^2 - sum p_i^2.
    """
    power = np.abs(links.path_amplitude) ** 2
    link = np.repeat(np.arange(len(links.a)), np.diff(links.path_offset))
    total, squares = (np.bincount(link, weights=w, minlength=len(links.a)) for w in (power, power**2))
    relative = np.sqrt(np.maximum(total**2 - squares, 0.0)) / np.maximum(total, 1e-300)
    return np.asarray(10.0 * np.log10(1.0 + relative))


def _radios(transmitters: Sequence[Transmitter], carrier: float, receivers: int) -> list[Radio]:
    """Return the radios; all receivers have one owner, and all transmitters, so that no others are linked."""
    radios = [
        Radio(i, 0, None, t.position, carrier, power_dbm=t.power_dbm, antenna=t.antenna, role="cell")
        for i, t in enumerate(transmitters)
    ]
    return radios + [Radio(len(radios) + i, 1, i, (0.0, 0.0, 0.0), carrier) for i in range(receivers)]


def _standing(position: F64) -> BodyState:
    zero = np.zeros_like(position)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (len(position), 1))
    none = np.zeros(0)
    return BodyState(position, turn, zero, zero, none, none, np.zeros(len(position) + 1, dtype=np.int64))


def _maps(
    grid: Grid, transmitters: Sequence[Transmitter], gain: F64, deviation: F64, receiver: Receiver
) -> Coverage:
    shape = (len(grid.y), len(grid.x))
    received = gain + np.array([[t.power_dbm] for t in transmitters])
    indoors = np.isnan(gain).all(axis=0)
    milliwatts = np.where(np.isnan(received), 0.0, 10.0 ** (received / 10.0))
    best = milliwatts.argmax(axis=0).astype(np.int32)
    strongest = milliwatts.max(axis=0)
    noise = 10.0 ** ((_BOLTZMANN_290K_DBM + 10.0 * np.log10(receiver.bandwidth) + receiver.noise_figure_db) / 10.0)
    with np.errstate(divide="ignore"):
        rss = 10.0 * np.log10(strongest)
        sinr = 10.0 * np.log10(strongest / (milliwatts.sum(axis=0) - strongest + noise))
    uncertainty = np.take_along_axis(deviation, best[None].astype(int), axis=0)[0]
    best[strongest == 0.0] = -1
    rss[indoors], sinr[indoors] = nan, nan
    return Coverage(
        grid.x, grid.y, grid.height, tuple(t.name for t in transmitters), gain.reshape(-1, *shape),
        rss.reshape(shape), best.reshape(shape), sinr.reshape(shape), uncertainty.reshape(shape),
    )  # fmt: skip


def save_npz(coverage: Coverage, path: Path) -> None:
    """Write a coverage as npz, one array a field."""
    arrays = {name: np.asarray(getattr(coverage, name)) for name in Coverage.__slots__}
    np.savez_compressed(path, allow_pickle=False, **arrays)
