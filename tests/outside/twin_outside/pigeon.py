"""A network: one delay for all, whatever the packet."""

from typing import Literal

from twin.network.events import EventNetwork
from twin.specs import Spec
from twin.units import NonNegativeNs


class PigeonSpec(Spec):
    """Everything takes as long as a pigeon."""

    kind: Literal["pigeon"]
    flight: NonNegativeNs = 30_000_000
    delay_budget: NonNegativeNs = 40_000_000


class Pigeon(EventNetwork):
    """Every packet arrives after the same flight."""

    def __init__(self, spec, ends):
        super().__init__(ends.names, ends.embodied, ends.lookahead)
        self._flight = spec.flight

    def enter(self, packet, time):
        """Let it fly."""
        self.arrive(packet, time + self._flight)


def pigeon(spec, ends):
    """Return the network."""
    return Pigeon(spec, ends)


pigeon.Spec = PigeonSpec
