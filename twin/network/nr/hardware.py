"""Time that operating systems and radio hardware add, at the terminal and at the base station."""

from __future__ import annotations

import numpy as np

from twin.network.fixed import jitter
from twin.specs.nr import NrSpec

_BASE_STATION = np.uint64(0x5BD1E9955BD1E995)
"""Tells the draws of the base station's jitter from those of the terminal's."""


class Hardware:
    """Draws by flow and number of the packet: nobody else's traffic changes them."""

    def __init__(self, spec: NrSpec, seed: int) -> None:
        self.spec, self.seed = spec, seed

    @staticmethod
    def adds_time(spec: NrSpec) -> bool:
        """Tell whether a scenario wants any."""
        return not spec.terminal_jitter.kind == spec.base_station_jitter.kind == "none"

    def terminal(self, key: np.uint64, sequence: int) -> int:
        """Return what a packet loses at its terminal [ns]."""
        return jitter(self.spec.terminal_jitter, self.seed, key, sequence)

    def station(self, key: np.uint64, sequence: int) -> int:
        """Return what a packet loses at its base station [ns]."""
        return jitter(self.spec.base_station_jitter, self.seed, key ^ _BASE_STATION, sequence)
