"""Reads antenna patterns in the MSI Planet format, which makers of antennas publish."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.errors import ScenarioError
from twin.state import F64

_DIPOLE_DBI = 2.15
_ANGLES = 360
_WIDEST_GAP = 10.0
"""Degrees between lines of a cut that are joined by straight lines [dB]."""
_OVERSHOOT_DB = 1.0
"""dB by which a pattern may exceed its GAIN, as measured ones do."""
_MOST = 200.0
"""dB; no antenna has more gain or loss."""
_MAX_BYTES = 1_000_000
_GAIN = re.compile(r"(\S*?)\s*(dbi|dbd|)", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A measured antenna pattern."""

    gain_dbi: float
    cuts_db: F64  # (2, 360) gain relative to the maximum: azimuth (counter-clockwise) and angle below the horizon


def read_msi(path: Path) -> Pattern:
    """Read an MSI file: GAIN in dBd or dBi, HORIZONTAL and VERTICAL with a line of angle and loss [dB] for each.

    Lines that aren't one a degree are joined by straight ones, comma and point are taken alike, and losses that are all
    negative are taken as gains, which is said.

    Raises:
        ScenarioError: not readable, a keyword is missing, a line isn't an angle and a loss, or a cut can't be one.
    """
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise ScenarioError(f"found {size / 1e6:.1f} MB; allowed: at most {_MAX_BYTES / 1e6:.0f} MB", file=path)
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise ScenarioError(f"antenna pattern can't be read: {error}", file=path) from error
    gain: float | None = None
    cuts: dict[str, F64] = {}
    for number, line in enumerate(lines):
        words = line.split()
        keyword = words[0].upper() if words else ""
        if keyword == "GAIN":
            gain = _gain(path, number, words)
        elif keyword in ("HORIZONTAL", "VERTICAL"):
            cuts[keyword] = _cut(path, number, lines)
    missing = [
        name for name in ("GAIN", "HORIZONTAL", "VERTICAL") if name not in cuts and (name != "GAIN" or gain is None)
    ]
    if missing or gain is None:
        raise ScenarioError(f"antenna pattern lacks {', '.join(missing)}", file=path)
    # MSI counts azimuth clockwise; ours is counter-clockwise.
    horizontal = -np.roll(cuts["HORIZONTAL"][::-1], 1)
    return Pattern(gain, np.stack([horizontal, -cuts["VERTICAL"]]))


def _gain(path: Path, number: int, words: list[str]) -> float:
    match = _GAIN.fullmatch(" ".join(words[1:3]))
    value = _number(match[1]) if match else None
    if match is None or value is None:
        message = f"found {' '.join(words)[:60]!r}, expected GAIN <number> dBd|dBi"
        raise ScenarioError(f"line {number + 1}: {message}", file=path)
    return value if match[2].lower() == "dbi" else value + _DIPOLE_DBI


def _cut(path: Path, number: int, lines: list[str]) -> F64:
    """Return the losses (360,) [dB], one a degree, of the lines that follow keyword line `number`.

    Raises:
        ScenarioError: a line is no angle and loss, lines are too far apart, or losses of both signs.
    """
    keyword, *count = lines[number].split()
    last = number + 1 + (int(count[0]) if count and count[0].isdecimal() and len(count[0]) < 7 else _ANGLES)
    losses: dict[float, float] = {}
    for offset, line in enumerate(lines[number + 1 : last]):
        angle, loss = (_number(word) for word in (*line.split()[:2], "", "")[:2])
        if angle is None or loss is None or abs(angle) > 360.0:
            message = f"found {line[:60]!r}, expected an angle and a loss [dB]"
            raise ScenarioError(f"line {number + offset + 2}: {message}", file=path)
        losses[angle % 360.0] = loss
    place = f"line {number + 1}: {keyword}"
    angles = np.array(sorted(losses))
    gap = float(np.diff([*angles, angles[0] + 360.0]).max()) if len(angles) else 360.0
    if gap > _WIDEST_GAP:
        raise ScenarioError(f"{place}: expected 360 lines, one a degree; found {gap:g} degrees without one", file=path)
    cut: F64 = np.interp(np.arange(_ANGLES), angles, [losses[angle] for angle in angles], period=360.0)
    if cut.max() <= 0.0 and cut.min() < -_OVERSHOOT_DB:
        log.warning("%s: %s: all losses are negative: taken as gains", path, place)
        return -cut
    if cut.min() < -_OVERSHOOT_DB:
        message = f"found losses from {cut.min():g} to {cut.max():g} dB; allowed: 0 and more"
        raise ScenarioError(f"{place}: {message}", file=path)
    return cut


def _number(text: str) -> float | None:
    """Return a number written with a point or a comma, None if it is none or none that an antenna has."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) <= max(_MOST, 360.0) else None
