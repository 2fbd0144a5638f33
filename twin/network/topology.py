"""Which radios are cells and which are terminals, and what a trace says of each pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import ScenarioError
from twin.link import Radio
from twin.state import F64, I32, I64, LinkState

BOLTZMANN, REFERENCE_KELVIN = 1.380649e-23, 290.0


def noise_dbm(bandwidth: float, noise_figure_db: float) -> float:
    """Return the power [dBm] of thermal noise in `bandwidth` [Hz] at the input of a receiver."""
    return float(10.0 * np.log10(BOLTZMANN * REFERENCE_KELVIN * bandwidth * 1e3) + noise_figure_db)


class Topology:
    """Terminals are served by cells: T terminals, C cells, by the roles of their radios."""

    def __init__(self, radios: Sequence[Radio]) -> None:
        self.cells = [radio for radio in radios if radio.role == "cell"]
        self.terminals = [radio for radio in radios if radio.role == "terminal"]
        if self.terminals and not self.cells:
            raise ScenarioError('no base station: this network needs a radio with role = "cell"')
        for terminal in self.terminals:
            if all(cell.carrier != terminal.carrier for cell in self.cells):
                carriers = ", ".join(sorted({f"{cell.carrier / 1e9:g} GHz" for cell in self.cells}))
                found = f"{terminal.carrier / 1e9:g} GHz"
                who = f"the radio of node {terminal.owner} at {found}"
                raise ScenarioError(f"no cell for {who}; cells: {carriers}")
        self.terminals_of: dict[int, list[int]] = {}
        for row, terminal in enumerate(self.terminals):
            self.terminals_of.setdefault(terminal.owner, []).append(row)
        self._pairs: I32 | None = None
        self._rows = np.empty((0, 0), dtype=np.int64)

    def path_gain_db(self, links: LinkState) -> F64:
        """Return the path gain between terminals and cells, (T, C), -inf where there is no link."""
        return self._gather(links, links.path_gain_db, -np.inf)

    def delay(self, links: LinkState) -> F64:
        """Return the delay [s] of the first path between terminals and cells, (T, C), 0 without a path."""
        first = np.zeros(len(links.a))
        has = links.path_offset[1:] > links.path_offset[:-1]
        if has.any():
            starts = links.path_offset[:-1][has]
            first[has] = np.minimum.reduceat(links.path_delay, starts)
        return self._gather(links, first, 0.0)

    def snr_db(self, links: LinkState, bandwidth: float) -> tuple[F64, F64]:
        """Return signal-to-noise ratio over `bandwidth` [Hz] of uplinks and downlinks, each (T, C)."""
        gain = self.path_gain_db(links)
        uplink = gain + column(self.terminals, "power_dbm")[:, None] - _noise(self.cells, bandwidth)
        downlink = gain + column(self.cells, "power_dbm") - _noise(self.terminals, bandwidth)[:, None]
        return uplink, downlink

    def received_dbm(self, links: LinkState) -> F64:
        """Return the power that terminals receive from cells, (T, C)."""
        return self.path_gain_db(links) + column(self.cells, "power_dbm")

    def rows(self, links: LinkState) -> I64:
        """Return the link between each terminal and cell, (T, C), -1 for none."""
        if self._pairs is not links.a:
            self._rows = self._match(links)
            self._pairs = links.a
        return self._rows

    def _gather(self, links: LinkState, values: NDArray[Any], missing: float) -> F64:
        rows = self.rows(links)
        if not len(values):
            return np.full(rows.shape, missing)
        return np.where(rows >= 0, values[rows], missing)

    def _match(self, links: LinkState) -> I64:
        row_of = {pair: row for row, pair in enumerate(zip(links.a.tolist(), links.b.tolist(), strict=True))}
        rows = [
            [row_of.get((min(t.index, c.index), max(t.index, c.index)), -1) for c in self.cells] for t in self.terminals
        ]
        return np.array(rows, dtype=np.int64).reshape(len(self.terminals), len(self.cells))


def column(radios: Sequence[Radio], name: str) -> F64:
    """Return one attribute of all radios."""
    return np.array([getattr(radio, name) for radio in radios], dtype=float)


def _noise(radios: Sequence[Radio], bandwidth: float) -> F64:
    return np.array([noise_dbm(bandwidth, radio.noise_figure_db) for radio in radios], dtype=float)
