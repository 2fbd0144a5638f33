"""Measured wave spectra: CSV files of Spotter buoys, and the NDBC's .data_spec with .swdir and .swr1."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.spectra import Spectrum

_PAIR = re.compile(r"(\S+)\s*\(\s*([\d.]+)\s*\)")
_STAMP = 5  # columns of year, month, day, hour, minute
_MISSING = 999.0
NDBC = ".data_spec"


def read_spectra(path: Path, spreading: float = 10.0) -> list[Spectrum]:
    """Return all spectra of a Spotter CSV or an NDBC .data_spec, in the order of the file.

    Directions and spreads of NDBC come from the files of the same name ending in .swdir and .swr1; without them
    the waves go east, and `spreading` is s of cos^2s.

    Raises:
        WorldError: the file can't be read, or a row isn't a spectrum; says which.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: can't be read: {error}") from error
    return _ndbc(path, text, spreading) if path.suffix == NDBC else _spotter(path, text)


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


def _ndbc(path: Path, text: str, spreading: float) -> list[Spectrum]:
    directions = _companion(path, ".swdir")
    moments = _companion(path, ".swr1")
    spectra = []
    for stamp, (frequency, density) in _table(path, text, skip=1).items():
        lower, upper = _edges(f"{path}: {stamp}", frequency)
        come_from = _values(directions, stamp, frequency, 270.0)
        moment = _values(moments, stamp, frequency, spreading / (1.0 + spreading))
        moment = np.where(moment > 1.0, moment / 100.0, moment)  # files before 2019 hold hundredths
        towards = np.radians(270.0 - come_from)
        place = f"{path}: {stamp}"
        spectra.append(_spectrum(place, lower, upper, density * (upper - lower), towards, _spreading(moment)))
    return spectra


def _companion(path: Path, suffix: str) -> dict[str, tuple[F64, F64]]:
    other = path.with_suffix(suffix)
    return _table(other, other.read_text(encoding="utf-8"), skip=0) if other.is_file() else {}


def _table(path: Path, text: str, skip: int) -> dict[str, tuple[F64, F64]]:
    """Return, by time stamp, frequencies and values of lines `YY MM DD hh mm [Sep_Freq] value (frequency) ...`."""
    table = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        words = line.split(maxsplit=_STAMP + skip)
        pairs = _PAIR.findall(words[-1])
        try:
            values = np.array([[float(value), float(frequency)] for value, frequency in pairs])
        except ValueError as error:
            raise WorldError(f"{path}:{number}: expected 'value (frequency)': {error}") from error
        if len(words) <= _STAMP + skip or len(values) < 2:
            raise WorldError(f"{path}:{number}: expected 'YY MM DD hh mm ... value (frequency) ...', found {line!r}")
        if (np.diff(values[:, 1]) <= 0).any():
            raise WorldError(f"{path}:{number}: frequencies don't rise")
        table["-".join(words[:_STAMP])] = values[:, 1], values[:, 0]
    return table


def _values(table: Mapping[str, tuple[F64, F64]], stamp: str, frequency: F64, missing: float) -> F64:
    """Return a companion file's values at `frequency`; `missing` where it has none."""
    if stamp not in table or not np.array_equal(table[stamp][0], frequency):
        return np.full(len(frequency), missing)
    values = table[stamp][1]
    return np.where(values >= _MISSING, missing, values)


def _edges(place: str, frequency: F64) -> tuple[F64, F64]:
    """Return the edges of bands that meet halfway between their centres."""
    middle = (frequency[1:] + frequency[:-1]) / 2
    first, last = 2 * frequency[0] - middle[0], 2 * frequency[-1] - middle[-1]
    if first < 0:
        raise WorldError(f"{place}: the first band would begin below 0 Hz")
    return np.append(first, middle), np.append(middle, last)
