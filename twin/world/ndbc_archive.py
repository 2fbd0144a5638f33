"""The NDBC's archive of wave spectra: a year of a buoy in one table, frequencies in its first line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from twin.errors import WorldError
from twin.gzipped import unpacked
from twin.state import F64

_NAME = re.compile(r"(\w{5})w(\w*)(\.txt(?:\.gz)?)")
"""Station, w for density (d and i: directions, j and k: first and second moment), year"""
_LETTER = {".swdir": "d", ".swr1": "j"}
_STAMP = (4, 5)  # columns of year, month, day, hour; minutes are younger than the archive
_LARGEST = 64 * 2**20
"""Bytes of a file, unpacked: a year of half-hourly spectra of 47 bands takes 7 MB"""


def is_archive(path: Path) -> bool:
    """Tell whether a file is called as densities of the archive are, such as 46042w2020.txt.gz."""
    return _NAME.fullmatch(path.name) is not None


def beside(path: Path, suffix: str) -> Path:
    """Return the file of the same station and year with what a real-time file ending in `suffix` has."""
    named = _NAME.fullmatch(path.name)
    assert named is not None, "only the archive's files have such names"
    return path.with_name(f"{named[1]}{_LETTER[suffix]}{named[2]}{named[3]}")


def year_of(path: Path) -> dict[str, tuple[F64, F64]]:
    """Return, by time stamp, frequencies [Hz] and values of a table `YY MM DD hh [mm] value ...`.

    Raises:
        WorldError: the file can't be read, is too large, or a line isn't of this kind; says which.
    """
    head, *lines = [line.split() for line in _text(path).splitlines() if line.strip()] or [[]]
    stamp = next((i for i, word in enumerate(head) if re.fullmatch(r"\d*\.\d+", word)), 0)
    if stamp not in _STAMP:
        found = " ".join(head)[:60]
        raise WorldError(f"{path}:1: expected 'YY MM DD hh [mm]' and frequencies, found {found!r}")
    frequency = _numbers(path, 1, head[stamp:])
    if len(frequency) < 2 or not (np.diff(frequency) > 0).all():
        raise WorldError(f"{path}:1: frequencies don't rise, or are fewer than two")
    table = {}
    for number, words in enumerate(lines, 2):
        if words[0].startswith("#"):
            continue  # units
        values = _numbers(path, number, words[stamp:])
        if len(values) != len(frequency):
            raise WorldError(f"{path}:{number}: found {len(values)} numbers for {len(frequency)} frequencies")
        table["-".join(words[:stamp])] = frequency, values
    return table


def _numbers(path: Path, number: int, words: list[str]) -> F64:
    try:
        return np.array([np.nan if word == "MM" else float(word) for word in words])
    except ValueError as error:
        raise WorldError(f"{path}:{number}: expected numbers: {error}") from error


def _text(path: Path) -> str:
    try:
        with unpacked(path, WorldError, _LARGEST) as plain:
            if plain.stat().st_size > _LARGEST:
                raise WorldError(f"{path}: is larger than {_LARGEST >> 20} MB; cut it into parts")
            return plain.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: can't be read: {error}") from error
