"""Radio links and paths as lines in space, and their colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from twin.analysis.picture import DELAYS
from twin.state import F64, I64, LinkState, RoutedLinks

F32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Lines = tuple[F32, Bytes]
"""Ends (n, 2, 3) m of pieces and their colours (n, 2, 3)."""
LinkColour = Literal["round trip", "path gain"]
Chosen = Literal["best of each robot", "of the selected robot", "none"]
"""Whose links or paths are drawn: each robot's best link, all of the selected robot's, or none."""
GAINS = (-130.0, -60.0)
"""Range of colours of path gains, dB."""
_GREY = (125, 133, 142)
_GAMMA = 2.2  # of sRGB, nearly


def gain_colours(gain_db: F64) -> Bytes:
    """Return colours (n, 3) of gains (n,) dB; grey for nan."""
    return colours(DELAYS.reversed(), (gain_db - GAINS[0]) / (GAINS[1] - GAINS[0]))


def colours(table: Colormap, part: F64) -> Bytes:
    """Return bytes (n, 3) for parts (n,) of a range; grey for nan."""
    found: Bytes = np.round(255 * np.asarray(table(np.clip(part, 0.0, 1.0)))[:, :3]).astype(np.uint8)
    found[np.isnan(part)] = _GREY
    return found


def as_light(shown: Bytes) -> Bytes:
    """Return bytes that a scene shows as these of sRGB: it takes colours of lines and points for amounts of light."""
    found: Bytes = np.round(255 * (shown / 255.0) ** _GAMMA).astype(np.uint8)
    return found


def best_link(links: LinkState, among: I64) -> int | None:
    """Return which of some links has the highest gain, None if none has a path."""
    gain = links.path_gain_db[among]
    return int(among[np.argmax(gain)]) if np.isfinite(gain).any() else None


def path_lines(links: LinkState, chosen: Sequence[int], ends: Sequence[tuple[F64, F64]]) -> Lines:
    """Return the pieces of all paths of some links, coloured by gain; `ends` (3,) m of each link's radios a and b.

    Paths that don't tell their route go straight: those of free space do.
    """
    pieces, gains = [np.zeros((0, 2, 3))], [np.zeros(0)]
    for link, (a, b) in zip(chosen, ends, strict=True):
        for path in range(links.path_offset[link], links.path_offset[link + 1]):
            way = np.vstack([a, _vertices(links, path), b])
            pieces.append(np.stack([way[:-1], way[1:]], axis=1))
            with np.errstate(divide="ignore"):
                gains.append(np.full(len(way) - 1, 20 * np.log10(np.abs(links.path_amplitude[path]))))
    of_pieces = gain_colours(np.concatenate(gains))
    return np.concatenate(pieces).astype(np.float32), np.repeat(of_pieces[:, None], 2, axis=1)


def _vertices(links: LinkState, path: int) -> F64:
    if not isinstance(links, RoutedLinks):
        return np.zeros((0, 3))
    return links.path_vertex[path, : links.path_length[path]]
