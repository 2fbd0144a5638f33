"""Which carrier serves a robot that has radios on several: event A3 between carriers, by RSRP.

RSRP is the power of one resource element (TS 38.215 5.1.1), so that wide and narrow carriers compare. Where the serving
carrier is out of sync, the best one in sync takes over as after a radio link failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.errors import ScenarioError
from twin.network.nr.band import Band
from twin.network.topology import Topology
from twin.specs.nr import MobilitySpec
from twin.state import F64


class Home(NamedTuple):
    """A terminal's row on one carrier."""

    band: int
    terminal: int


class Move(NamedTuple):
    """A robot goes from one carrier to a cell of another."""

    node: int
    old: Home
    new: Home
    cell: int


class Homes:
    """The carriers of each robot; one of them serves."""

    def __init__(self, spec: MobilitySpec, bands: Sequence[Band], topology: Topology, names: Sequence[str]) -> None:
        self.spec, self.bands = spec, bands
        self.of: dict[int, list[Home]] = {}
        for index, band in enumerate(bands):
            for row, terminal in enumerate(band.terminals):
                node = topology.terminals[terminal].owner
                homes = self.of.setdefault(node, [])
                if any(home.band == index for home in homes):
                    frequency = band.carrier.spec.frequency / 1e9
                    message = f"{names[node]} has two terminals at {frequency:g} GHz; allowed: one a carrier"
                    raise ScenarioError(message, key="network.carriers")
                homes.append(Home(index, row))
        self.several = {node: homes for node, homes in sorted(self.of.items()) if len(homes) > 1}
        self._serving = dict.fromkeys(self.several, 0)
        self._better: dict[int, tuple[int, int]] = {}  # by node: which other carrier, since when [ns]
        self._chosen = False

    def serving(self, node: int) -> Home | None:
        """Return the carrier that serves a robot and its row there; None without a radio on any."""
        homes = self.of.get(node)
        return None if homes is None else homes[self._serving.get(node, 0)]

    def choose(self, rsrp_dbm: Sequence[F64]) -> None:
        """Let the carrier that a robot hears best serve it from the start; `rsrp_dbm` (T, C) of each carrier."""
        if self._chosen:
            return
        self._chosen = True
        for node, homes in self.several.items():
            best = [rsrp_dbm[home.band][home.terminal].max() for home in homes]
            self._serving[node] = int(np.argmax(best))
            for home in homes:
                if home != self.serving(node):
                    self.bands[home.band].mobility.bar(home.terminal)

    def update(self, time: int, rsrp_dbm: Sequence[F64]) -> list[Move]:
        """Return the robots that change their carrier now."""
        moves = []
        for node, homes in self.several.items():
            old = homes[self._serving[node]]
            cell = int(self.bands[old.band].mobility.cell[old.terminal])
            here = -np.inf if cell < 0 else rsrp_dbm[old.band][old.terminal, cell]
            best = [rsrp_dbm[home.band][home.terminal].max() for home in homes]
            best[self._serving[node]] = -np.inf
            other = int(np.argmax(best))
            if not best[other] > here + self.spec.offset:
                self._better.pop(node, None)
                continue
            known = self._better.get(node)
            if known is None or known[0] != other:
                known = self._better[node] = other, time
            if time - known[1] >= self.spec.time_to_trigger:
                del self._better[node]
                self._serving[node] = other
                new = homes[other]
                moves.append(Move(node, old, new, int(np.argmax(rsrp_dbm[new.band][new.terminal]))))
        return moves
