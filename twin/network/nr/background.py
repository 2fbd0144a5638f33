"""Load on the carriers that nobody waits for: full buffers and sources of packets, as a scenario asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twin.errors import ScenarioError
from twin.network.nr.band import Band, order_of
from twin.network.nr.checks import check_names
from twin.network.nr.traffic import TrafficSource
from twin.specs.nr import BackgroundSpec

Bearer = Callable[[int, int, str], tuple[Band | None, int]]
"""Returns carrier and bearer of (node, direction, kind of packets); None where it has no radio."""


@dataclass(slots=True, eq=False)
class _Load:
    source: TrafficSource
    band: Band
    bearer: int


class Background:
    """All background traffic of a network, counted; full buffers start at once."""

    def __init__(
        self, specs: Sequence[BackgroundSpec], seed: int, names: Sequence[str], classes: int, bearer: Bearer
    ) -> None:
        self.offered = self.delivered = self.lost = 0
        self._loads: list[_Load] = []
        for spec in specs:
            check_names("background", spec.terminals, names)
            for name in spec.terminals:
                band, row = bearer(names.index(name), int(spec.direction == "downlink"), spec.qos)
                if band is None:
                    raise ScenarioError(f"{name} has no radio", key="network.background")
                if spec.model == "full-buffer":
                    band.carrier.endless(row // classes, row % classes, 0)
                else:
                    self._loads.append(_Load(TrafficSource(spec, seed, name), band, row))

    def offer(self, until: int) -> None:
        """Let packets up to `until` [ns] enter."""
        for load in self._loads:
            for number, created, size in load.source.until(until):
                order = order_of(load.source.key) | number & 0xFFFFFF
                load.band.entries += (load.bearer, size, created, created, order)
                load.band.entering.append(None)
                self.offered += 1

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        for load in self._loads:
            load.source.seed = seed

    def settle(self, delivered: bool) -> None:
        """Count a packet whose fate is decided."""
        if delivered:
            self.delivered += 1
        else:
            self.lost += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """Packets offered, delivered and lost."""
        return {"offered": self.offered, "delivered": self.delivered, "lost": self.lost}
