"""The arrays of antennas of a carrier's radios, and how many of their beams a burst of SSB holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.link import Radio
from twin.network.nr.codebook import Panels
from twin.specs.nr import CarrierSpec
from twin.state import I64

SSB_MOST, SSB_WIDE = ((3e9, 4), (7.125e9, 8)), 64
"""SSB of a burst at most, up to a frequency [Hz] of the carrier and above all: TS 38.213 4.1."""


def is_array(radio: Radio) -> bool:
    """Tell whether a radio's antenna has several elements."""
    return radio.antenna.rows * radio.antenna.columns > 1


def panels_of(terminals: Sequence[Radio], cells: Sequence[Radio]) -> Panels | None:
    """Return the arrays of radios; None where there are none, nobody to serve, or some without a codebook."""
    arrays = [radio.antenna for radio in (*terminals, *cells) if is_array(radio)]
    if not terminals or not arrays or any(antenna.beam == "mrc" for antenna in arrays):
        return None
    ends = [[int(cell.index > terminal.index) for cell in cells] for terminal in terminals]
    return Panels(
        cell=_shapes(cells), terminal=_shapes(terminals), cell_beams=_beams(cells), terminal_beams=_beams(terminals),
        end=np.array(ends, dtype=np.int64).reshape(len(terminals), len(cells)),
    )  # fmt: skip


def burst_of(spec: CarrierSpec, panels: Panels) -> int:
    """Return the SSB of a burst: if not stated, as many as the codebook has, up to what TS 38.213 4.1 allows."""
    most = next((count for below, count in SSB_MOST if spec.frequency <= below), SSB_WIDE)
    return spec.ssb_beams or min(int(panels.cell_beams.max()), most)


def _shapes(radios: Sequence[Radio]) -> I64:
    return np.array([(r.antenna.rows, r.antenna.columns) for r in radios], dtype=np.int64).reshape(-1, 2)


def _beams(radios: Sequence[Radio]) -> I64:
    """Return how many beams there are to choose from: of a fixed broadside one, the first."""
    found = [1 if r.antenna.beam == "broadside" else r.antenna.rows * r.antenna.columns for r in radios]
    return np.array(found, dtype=np.int64)
