"""Coverage of an area: what each site delivers to each point of a grid."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan, pi, radians
from pathlib import Path

import numpy as np

from twin.channel.tracer import RayTracer
from twin.errors import ScenarioError
from twin.link import Radio
from twin.specs import AntennaSpec, RayTracingSpec
from twin.state import F64, I32, BodyState, Bool
from twin.world.geometry import Geometry

_CHUNK, _CHUNK_OF_MANY = 256, 16
"""Points that are traced at once; fewer where each has thousands of scattered paths."""
_ALL = 1_000_000_000
_BOLTZMANN_290K_DBM = -173.975
"""Thermal noise [dBm/Hz] at 290 K."""
_COLUMNS = ("name", "x", "y", "z", "azimuth", "tilt", "power")


QUANTITIES = {
    "gain": "path gain of the best server [dB]",
    "rss": "received power of the best server [dBm]",
    "sinr": "SINR, all transmitting [dB]",
    "server": "best server",
}


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
    height: float  # m
    names: tuple[str, ...]  # S transmitters
    path_gain_db: F64  # (S, ny, nx), -inf without a path
    rss_dbm: F64  # (ny, nx) of the best server
    best_server: I32  # (ny, nx) transmitter, -1 without any path
    sinr_db: F64  # (ny, nx) of the best server, all others transmitting at full power

    def quantity(self, name: str) -> F64:
        """Return one of QUANTITIES, (ny, nx); nan where nothing is received."""
        served = self.best_server >= 0
        if name == "gain":
            best = np.take_along_axis(self.path_gain_db, np.maximum(self.best_server, 0)[None].astype(int), axis=0)[0]
            return np.where(served, best, nan)
        if name == "server":
            return np.where(served, self.best_server, nan)
        return np.where(served, self.rss_dbm if name == "rss" else self.sinr_db, nan)


def read_sites(path: Path, base: Path | None = None) -> list[Transmitter]:
    """Read transmitters from a CSV with the columns name, x, y, z [m], azimuth, tilt [deg], power [dBm].

    Azimuth counts clockwise from north, tilt downwards. A further column `pattern` names isotropic, dipole, tr38901
    (the default) or an MSI file beside the CSV.

    Raises:
        ScenarioError: not readable, a column is missing, or a cell isn't a number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
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
            raise ScenarioError(f"line {line}, {name}: found {row[name]!r}, expected a number", file=path) from None
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
    x: F64,
    y: F64,
    height: float,
    carrier: float,
    spec: RayTracingSpec | None = None,
    *,
    bandwidth: float = 20e6,
    noise_figure_db: float = 7.0,
    outdoors: Callable[[F64], Bool] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Coverage:
    """Return the coverage of the grid x (nx,) by y (ny,) at z = `height` [m], by isotropic receivers.

    Searches start from the transmitters. `outdoors` tells for points (n, 3) which are to be computed. Gains are sums
    over all paths, whatever `max_paths` is.

    Raises:
        ScenarioError: a transmitter or the carrier can't be.
    """
    points = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x)), np.full(len(x) * len(y), height)])
    wanted = np.flatnonzero(np.ones(len(points), dtype=bool) if outdoors is None else outdoors(points))
    gain = np.full((len(transmitters), len(points)), nan)
    spec = (spec or RayTracingSpec()).model_copy(update={"max_paths": _ALL})
    scatters = any(surface.scattering for surface in spec.surfaces.values())
    size = min(_CHUNK_OF_MANY if scatters else _CHUNK, max(1, len(wanted)))
    tracer = RayTracer(geometry, _radios(transmitters, carrier, size), spec)
    for first in range(0, len(wanted), size):
        rows = wanted[first : first + size]
        place = points[np.resize(rows, size)]
        links = tracer.trace(first, _standing(place))
        receiver = links.b - len(transmitters)
        used = receiver < len(rows)
        gain[links.a[used], rows[receiver[used]]] = links.path_gain_db[used]
        progress(first + len(rows), len(wanted))
    return _maps(x, y, height, transmitters, gain, bandwidth, noise_figure_db)


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
    x: F64, y: F64, height: float, transmitters: Sequence[Transmitter], gain: F64, bandwidth: float, figure: float
) -> Coverage:
    shape = (len(y), len(x))
    received = gain + np.array([[t.power_dbm] for t in transmitters])
    indoors = np.isnan(gain).all(axis=0)
    milliwatts = np.where(np.isnan(received), 0.0, 10.0 ** (received / 10.0))
    best = milliwatts.argmax(axis=0).astype(np.int32)
    strongest = milliwatts.max(axis=0)
    noise = 10.0 ** ((_BOLTZMANN_290K_DBM + 10.0 * np.log10(bandwidth) + figure) / 10.0)
    with np.errstate(divide="ignore"):
        rss = 10.0 * np.log10(strongest)
        sinr = 10.0 * np.log10(strongest / (milliwatts.sum(axis=0) - strongest + noise))
    best[strongest == 0.0] = -1
    rss[indoors], sinr[indoors] = nan, nan
    return Coverage(
        x, y, height, tuple(t.name for t in transmitters), gain.reshape(-1, *shape), rss.reshape(shape),
        best.reshape(shape), sinr.reshape(shape),
    )  # fmt: skip


def save_npz(coverage: Coverage, path: Path) -> None:
    """Write a coverage as npz, one array a field."""
    arrays = {name: np.asarray(getattr(coverage, name)) for name in Coverage.__slots__}
    np.savez_compressed(path, allow_pickle=False, **arrays)
