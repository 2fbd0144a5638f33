"""Reads antenna patterns in the MSI Planet format, which makers of antennas publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.errors import ScenarioError
from twin.state import F64

_DIPOLE_DBI = 2.15
_ANGLES = 360


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A measured antenna pattern."""

    gain_dbi: float
    cuts_db: F64  # (2, 360) gain relative to the maximum: azimuth (counter-clockwise) and angle below the horizon


def read_msi(path: Path) -> Pattern:
    """Read an MSI file: GAIN in dBd or dBi, HORIZONTAL 360 and VERTICAL 360 losses in dB, one a degree.

    Raises:
        ScenarioError: not readable, a keyword is missing, or a line isn't an angle and a loss.
    """
    try:
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise ScenarioError(f"antenna pattern can't be read: {error}", file=path) from error
    gain: float | None = None
    cuts: dict[str, F64] = {}
    for number, line in enumerate(lines):
        words = line.split()
        if not words:
            continue
        if words[0].upper() == "GAIN":
            gain = _gain(path, number, words)
        elif words[0].upper() in ("HORIZONTAL", "VERTICAL"):
            cuts[words[0].upper()] = _cut(path, number, lines)
    missing = [
        name for name in ("GAIN", "HORIZONTAL", "VERTICAL") if name not in cuts and (name != "GAIN" or gain is None)
    ]
    if missing or gain is None:
        raise ScenarioError(f"antenna pattern lacks {', '.join(missing)}", file=path)
    # MSI counts azimuth clockwise; ours is counter-clockwise.
    horizontal = -np.roll(cuts["HORIZONTAL"][::-1], 1)
    return Pattern(gain, np.stack([horizontal, -cuts["VERTICAL"]]))


def _gain(path: Path, number: int, words: list[str]) -> float:
    try:
        value = float(words[1])
    except (IndexError, ValueError):
        raise ScenarioError(
            f"line {number + 1}: found {' '.join(words)!r}, expected GAIN <number> dBd|dBi", file=path
        ) from None
    return value if len(words) > 2 and words[2].lower() == "dbi" else value + _DIPOLE_DBI


def _cut(path: Path, number: int, lines: list[str]) -> F64:
    """Return the losses (360,) of the lines that follow keyword line `number`."""
    losses = np.full(_ANGLES, np.nan)
    for offset, line in enumerate(lines[number + 1 : number + 1 + _ANGLES]):
        words = line.split()
        try:
            angle, loss = float(words[0]), float(words[1])
        except (IndexError, ValueError):
            raise ScenarioError(
                f"line {number + offset + 2}: found {line!r}, expected an angle and a loss [dB]", file=path
            ) from None
        losses[int(round(angle)) % _ANGLES] = loss
    if np.isnan(losses).any():
        raise ScenarioError(f"line {number + 1}: expected 360 lines, one a degree", file=path)
    return losses
