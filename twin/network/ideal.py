"""The baseline: no delay, no loss."""

from __future__ import annotations

from twin.network.events import EventNetwork
from twin.state import Packet


class IdealNetwork(EventNetwork):
    """Every packet arrives at the instant at which it is created."""

    def enter(self, packet: Packet, time: int) -> None:
        """Let it arrive now."""
        self.arrive(packet, time)
