"""A quantity that is constant, or follows a column of a CSV file over the time of the run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from twin.clock import NS
from twin.errors import WorldError, brief, nearest
from twin.gzipped import MOST_TABLE, unpacked
from twin.specs.environment import SeriesSpec
from twin.state import F64

TIME = "time"
"""Column of seconds since the start of the run."""


class Series:
    """Straight lines between samples, the first and last value before and after them."""

    def __init__(self, times: F64, values: F64) -> None:
        self.times, self.values = times, values  # (n,) s, (n,) SI
        steps = np.diff(times) * (values[1:] + values[:-1]) / 2
        self._sums = np.concatenate([[0.0], np.cumsum(steps)])

    @classmethod
    def constant(cls, value: float) -> Series:
        """Return the series that is always `value`."""
        return cls(np.zeros(1), np.array([value]))

    def at(self, time: int) -> float:
        """Return the value at `time` [ns]."""
        return float(np.interp(time / NS, self.times, self.values))

    def integral(self, time: int) -> float:
        """Return the integral over seconds from the first sample's time to `time` [ns]."""
        t = time / NS
        i = int(np.searchsorted(self.times, t, side="right")) - 1
        if i < 0:
            return float(self.values[0] * (t - self.times[0]))
        return float(self._sums[i] + (t - self.times[i]) * (self.values[i] + self.at(time)) / 2)


def make_series(value: float | SeriesSpec, folder: Path, *, turns: bool = False) -> Series:
    """Return the series of a constant or of a CSV file in `folder`; one that `turns` [rad] takes the shorter way.

    Raises:
        WorldError: the file can't be read, lacks the column, or holds something else than rising times and numbers.
    """
    if not isinstance(value, SeriesSpec):
        return Series.constant(value)
    path = (folder / value.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise WorldError(f"{path}: leads out of the folder {folder}")
    try:
        with unpacked(path, WorldError, MOST_TABLE) as plain, plain.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WorldError(f"{path}: can't be read: {error}") from error
    times, values = _column(rows, TIME, path), _column(rows, value.column, path)
    if len(times) == 0 or (np.diff(times) <= 0).any():
        raise WorldError(f"{path}: column {TIME!r}: expected at least one row, and rising seconds")
    return Series(times, np.unwrap(values) if turns else values)


def _column(rows: list[dict[str, str]], name: str, path: Path) -> F64:
    there = list(rows[0]) if rows else []
    if rows and name not in there:
        listing = ", ".join(column if column and column.isprintable() else brief(column) for column in there)
        near = nearest(name, [column for column in there if column and column.isprintable()])
        raise WorldError(f"{path}: no column {name!r}; there are: {listing}{near}")
    numbers = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            numbers[i] = float(row[name])
        except (TypeError, ValueError) as error:
            raise WorldError(f"{path}:{i + 2}: {name}: found {brief(row[name])}, expected a number") from error
    if not np.isfinite(numbers).all():
        raise WorldError(f"{path}: {name}: holds a number that is not finite")
    return numbers
