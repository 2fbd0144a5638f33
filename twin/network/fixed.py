"""A given delay each way, with jitter and independent losses."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from twin.network.events import EventNetwork
from twin.numerics.draws import key, normal, uniform
from twin.specs import FixedSpec, Jitter
from twin.state import Packet

_LOSS, _JITTER = key("network.loss"), key("network.jitter")


class FixedNetwork(EventNetwork):
    """Arrival = creation + delay + jitter, but never before the packet sent earlier on the same flow."""

    def __init__(
        self, spec: FixedSpec, seed: int, names: Sequence[str], embodied: Sequence[bool], lookahead: int = 0
    ) -> None:
        super().__init__(names, embodied, lookahead)
        self.spec, self.seed = spec, seed
        self._last: dict[np.uint64, int] = {}

    def enter(self, packet: Packet, time: int) -> None:
        """Draw the packet's loss and jitter from its flow and sequence number."""
        flow = self.flow_key(packet)
        if uniform(self.seed, _LOSS, flow, packet.sequence, 0) < self.spec.loss:
            self.lose(packet, "lost")
            return
        delay = self.spec.delay + jitter(self.spec.jitter, self.seed, flow, packet.sequence)
        arrival = max(time + delay, self._last.get(flow, 0))
        self._last[flow] = arrival
        self.arrive(packet, arrival)

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self.seed = seed


def jitter(spec: Jitter, seed: int, flow: np.uint64, sequence: int) -> int:
    """Return the random part of a packet's delay [ns], never negative."""
    if spec.kind == "uniform":
        return int(uniform(seed, _JITTER, flow, sequence, 0) * spec.scale)
    if spec.kind == "normal":
        return max(0, round(normal(seed, _JITTER, flow, sequence, 0) * spec.scale))
    if spec.kind == "exponential":
        return round(-log(uniform(seed, _JITTER, flow, sequence, 0)) * spec.scale)
    return 0
