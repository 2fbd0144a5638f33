"""Measured wave spectra: CSV files of Spotter buoys, the NDBC's .data_spec with .swdir and .swr1, and its archive."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from twin.errors import WorldError
from twin.state import F64, Bool
from twin.world.ndbc_archive import beside, is_archive, year_of
from twin.world.spectra import Spectrum

_NO_BRACKETS = str.maketrans("()", "  ")
_STAMP = 5  # columns of year, month, day, hour, minute
_MISSING = (99.0, 999.0, 9999.0)
"""What stands for "not measured", as does MM (ndbc.noaa.gov, measurement descriptions)."""
_MOST_MISSING = 0.25
"""Share of a spectrum's bands that may be filled in from their neighbours."""
NDBC = ".data_spec"

log = logging.getLogger(__name__)


def read_spectra(path: Path, spreading: float = 10.0) -> list[Spectrum]:
    """Return all spectra of a Spotter CSV, an NDBC .data_spec or a year of its archive, in the order of the file.

    What NDBC did not measure is filled in from the neighbouring bands, and said.

    Directions and spreads of NDBC come from the files of the same name ending in .swdir and .swr1, in the archive with
    d and j for w (46042w2020.txt, 46042d2020.txt, 46042j2020.txt); without them the waves go east, and `spreading` is
    s of cos^2s.

    Raises:
        WorldError: the file can't be read, or a row isn't a spectrum; says which.
    """
    if not _is_ndbc(path):
        return _spotter(path, _text(path))
    table = _densities(path)
    return [_ndbc(path, table, stamp, spreading) for stamp in table]


def read_spectrum(path: Path, row: int) -> Spectrum:
    """Return one spectrum of a file; of an NDBC file, the others may be without value.

    Raises:
        WorldError: as `read_spectra`, or there are fewer rows.
    """
    if _is_ndbc(path):
        table = _densities(path)
        stamps = list(table)
        if row < len(stamps):
            return _ndbc(path, table, stamps[row], 10.0)
        found = len(stamps)
    else:
        spectra = read_spectra(path)
        if row < len(spectra):
            return spectra[row]
        found = len(spectra)
    raise WorldError(f"{path}: there is no spectrum {row}: found {found}")


def _is_ndbc(path: Path) -> bool:
    return path.suffix == NDBC or is_archive(path)


def _densities(path: Path) -> dict[str, tuple[F64, F64]]:
    return year_of(path) if is_archive(path) else _table(path, _text(path), skip=1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: can't be read: {error}") from error


def _spotter(path: Path, text: str) -> list[Spectrum]:
    """Read f_i, df_i, varianceDensity_i, a1_i and b1_i: band centres, widths, densities and first moments."""
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    names = [name.strip() for name in header]
    bands = sum(re.fullmatch(r"f_\d+", name) is not None for name in names)
    columns = {}
    for quantity in ("f", "df", "varianceDensity", "a1", "b1"):
        wanted = [f"{quantity}_{i}" for i in range(bands)]
        missing = [name for name in wanted if name not in names]
        if missing or not bands:
            raise WorldError(f"{path}: no column {missing[0] if missing else 'f_0'!r}; expected a Spotter's CSV")
        columns[quantity] = [names.index(name) for name in wanted]
    return [_spotter_row(f"{path}:{line}", row, columns) for line, row in enumerate(rows, 2) if row]


def _spotter_row(place: str, row: Sequence[str], columns: Mapping[str, Sequence[int]]) -> Spectrum:
    try:
        values = {name: np.array([float(row[i]) for i in indices]) for name, indices in columns.items()}
    except (ValueError, IndexError) as error:
        raise WorldError(f"{place}: expected a number in every band: {error}") from error
    moment = np.hypot(values["a1"], values["b1"])  # of the travelling direction, from east
    direction = np.arctan2(values["b1"], values["a1"])
    half = values["df"] / 2
    lower, upper = values["f"] - half, values["f"] + half
    variance = values["varianceDensity"] * values["df"]
    return _spectrum(place, lower, upper, variance, direction, _spreading(moment))


def _spectrum(place: str, lower: F64, upper: F64, variance: F64, direction: F64, spreading: F64) -> Spectrum:
    """Make a spectrum of bands whose edges were rounded in the file: neighbours meet halfway."""
    gap = np.abs(upper[:-1] - lower[1:])
    meet = gap < 0.1 * np.minimum(upper[:-1] - lower[:-1], upper[1:] - lower[1:])
    middle = (upper[:-1] + lower[1:]) / 2
    upper[:-1], lower[1:] = np.where(meet, middle, upper[:-1]), np.where(meet, middle, lower[1:])
    try:
        return Spectrum(lower, upper, variance, direction, spreading)
    except WorldError as error:
        raise WorldError(f"{place}: {error}") from error


def _spreading(moment: F64) -> F64:
    """Return s of cos^2s with this first moment of direction: r1 = s / (s + 1) (Longuet-Higgins et al., 1963)."""
    r = np.clip(moment, 0.0, 0.999)
    return r / (1.0 - r)


def _ndbc(path: Path, table: Mapping[str, tuple[F64, F64]], stamp: str, spreading: float) -> Spectrum:
    directions = _companion(path, ".swdir")
    moments = _companion(path, ".swr1")
    place = f"{path}: {stamp}"
    frequency, density = table[stamp][0], _filled(place, *table[stamp])
    lower, upper = _edges(place, frequency)
    come_from = _values(directions, stamp, frequency, 270.0)
    moment = _values(moments, stamp, frequency, spreading / (1.0 + spreading))
    moment = np.where(moment > 1.0, moment / 100.0, moment)  # files before 2019 hold hundredths
    towards = np.radians(270.0 - come_from)
    return _spectrum(place, lower, upper, density * (upper - lower), towards, _spreading(moment))


def _filled(place: str, frequency: F64, density: F64) -> F64:
    """Return densities with those that weren't measured on straight lines between their neighbours."""
    missing = _unknown(density)
    count = int(missing.sum())
    if count > _MOST_MISSING * len(density):
        raise WorldError(f"{place}: {count} of {len(density)} bands were not measured; allowed: a quarter of them")
    if count:
        log.warning("%s: bands that were not measured are filled in from their neighbours: %d", place, count)
    return np.interp(frequency, frequency[~missing], density[~missing]) if count else density


def _unknown(values: F64) -> Bool:
    return np.isnan(values) | np.isin(values, _MISSING)


def _companion(path: Path, suffix: str) -> dict[str, tuple[F64, F64]]:
    if is_archive(path):
        year = beside(path, suffix)
        return year_of(year) if year.is_file() else {}
    other = path.with_suffix(suffix)
    return _table(other, _text(other), skip=0) if other.is_file() else {}


def _table(path: Path, text: str, skip: int) -> dict[str, tuple[F64, F64]]:
    """Return, by time stamp, frequencies and values of lines `YY MM DD hh mm [Sep_Freq] value (frequency) ...`."""
    table = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        words = line.split(maxsplit=_STAMP + skip)
        if len(words) <= _STAMP + skip:
            expected = "YY MM DD hh mm ... value (frequency) ..."
            raise WorldError(f"{path}:{number}: expected '{expected}', found {line[:60]!r}")
        numbers = words[-1].translate(_NO_BRACKETS).split()
        try:
            values = np.array([float("nan" if number == "MM" else number) for number in numbers]).reshape(-1, 2)
        except ValueError as error:
            raise WorldError(f"{path}:{number}: expected 'value (frequency)': {str(error)[:100]}") from error
        if np.isinf(values).any():
            raise WorldError(f"{path}:{number}: holds a number that isn't finite")
        if len(values) < 2:
            raise WorldError(f"{path}:{number}: expected two bands at least, found {line[:60]!r}")
        if not (np.diff(values[:, 1]) > 0).all():
            raise WorldError(f"{path}:{number}: frequencies don't rise")
        table["-".join(words[:_STAMP])] = values[:, 1], values[:, 0]
    return table


def _values(table: Mapping[str, tuple[F64, F64]], stamp: str, frequency: F64, missing: float) -> F64:
    """Return a companion file's values at `frequency`; `missing` where nothing was measured."""
    if stamp not in table or not np.array_equal(table[stamp][0], frequency):
        return np.full(len(frequency), missing)
    values = table[stamp][1]
    return np.where(_unknown(values), missing, values)


def _edges(place: str, frequency: F64) -> tuple[F64, F64]:
    """Return the edges of bands that meet halfway between their centres."""
    middle = (frequency[1:] + frequency[:-1]) / 2
    first, last = 2 * frequency[0] - middle[0], 2 * frequency[-1] - middle[-1]
    if first < 0:
        raise WorldError(f"{place}: the first band would begin below 0 Hz")
    return np.append(first, middle), np.append(middle, last)
