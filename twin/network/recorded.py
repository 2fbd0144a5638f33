"""The packet fates of a recorded run, played back under another controller."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from twin.network.events import EventNetwork
from twin.state import NEVER, Packet

UNRECORDED = "unrecorded"
"""Fate of packets of a flow that the recording does not have."""
QUEUED = "queued"

Flow = tuple[str, str, str]
"""Names of source and destination, and the kind of packet."""


@dataclass(frozen=True, slots=True)
class _Fates:
    """What became of the packets of one flow, in the order in which they set out."""

    created: Sequence[int]  # ns, rising
    arrived: Sequence[int]  # ns, NEVER for those that did not
    fate: Sequence[str]


class RecordedNetwork(EventNetwork):
    """A packet meets the fate of the recorded packet of its flow that set out at the same nanosecond.

    Where several did, the first meets that of the first, and so on. A packet that set out when no recorded
    one did meets the fate of the last one before it (or of the first, where there is none before), with the
    same delay: `borrowed` counts these. Packets of a flow that the recording does not have are lost, with
    the fate "unrecorded". The size of a packet changes nothing.
    """

    def __init__(
        self,
        recorded: Mapping[Flow, NDArray[Any]],
        names: Sequence[str],
        embodied: Sequence[bool],
        lookahead: int = 0,
    ) -> None:
        """Take the packets of each flow in order: structured arrays with `created`, `arrived`, `fate`."""
        super().__init__(names, embodied, lookahead)
        self.fates = {
            flow: _Fates(*(rows[name].tolist() for name in ("created", "arrived", "fate")))
            for flow, rows in recorded.items()
        }
        self.borrowed = 0
        self._nth: dict[Flow, tuple[int, int]] = {}  # of those that set out at one time: that time, how many
        self._held: list[Packet] = []

    def enter(self, packet: Packet, time: int) -> None:
        """Look the packet's fate up."""
        flow = (self.names[packet.source], self.names[packet.destination], packet.kind)
        fates = self.fates.get(flow)
        if fates is None:
            self.lose(packet, UNRECORDED)
            return
        row = self._row(flow, fates, time)
        self.borrowed += fates.created[row] != time
        if fates.fate[row] == QUEUED:  # under way when the recording ended: it never gets there
            self._held.append(packet)
        elif fates.arrived[row] == NEVER:
            self.lose(packet, fates.fate[row])
        else:
            self.arrive(packet, time + fates.arrived[row] - fates.created[row])

    @property
    def counts(self) -> Mapping[str, int]:
        """What the recording could not answer for, in packets."""
        return {"packets_with_borrowed_fate": self.borrowed}

    def queued(self) -> list[Packet]:
        """Return the packets that are still under way or will be for ever."""
        return super().queued() + self._held

    def _row(self, flow: Flow, fates: _Fates, time: int) -> int:
        """Return the row of the recorded packet whose fate the next packet of a flow meets."""
        before, nth = self._nth.get(flow, (NEVER, 0))
        nth = nth + 1 if before == time else 0
        self._nth[flow] = (time, nth)
        last = bisect_right(fates.created, time) - 1
        first = bisect_right(fates.created, time - 1)  # of those that set out at the same time
        return max(min(first + nth, last), 0)
