"""Load on the carriers that nobody waits for: full buffers and sources of packets, as a scenario asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.errors import ScenarioError
from twin.network.nr.band import ENTRY, Band
from twin.network.nr.checks import check_names
from twin.network.nr.flows import Flows
from twin.network.nr.traffic import TrafficSource
from twin.specs.nr import BackgroundSpec


@dataclass(slots=True, eq=False)
class _Load:
    source: TrafficSource
    band: Band
    code: int  # see `band.ENTRY`


class Background:
    """All background traffic of a network, counted; full buffers start at once."""

    def __init__(
        self, specs: Sequence[BackgroundSpec], seed: int, names: Sequence[str], classes: int, flows: Flows
    ) -> None:
        self.offered = 0
        self._loads: list[_Load] = []
        for spec in specs:
            check_names("background", spec.terminals, names)
            for name in spec.terminals:
                way = int(spec.direction == "downlink")
                band, row = flows.bearer(names.index(name), way, spec.qos)
                if band is None:
                    raise ScenarioError(f"{name} has no radio", key="network.background")
                if spec.model == "full-buffer":
                    band.carrier.endless(row // classes, row % classes, 0)
                else:
                    source = TrafficSource(spec, seed, name)
                    self._loads.append(_Load(source, band, 2 * flows.load(source.key, way, row) + way))

    def offer(self, until: int) -> None:
        """Let packets up to `until` [ns] enter."""
        for load in self._loads:
            for number, created, size in load.source.until(until):
                load.band.entries.append(ENTRY.pack(load.code, size, created, created, number, 0))
                self.offered += 1

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        for load in self._loads:
            load.source.seed = seed
