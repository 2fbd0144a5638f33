"""What a radio network keeps of each carrier, flow and packet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.network.carrier import Carrier
from twin.network.mobility import Mobility
from twin.network.quality import QualityReports
from twin.state import Packet


@dataclass(slots=True, eq=False)
class Site:
    """One carrier with the rows of its terminals and cells among those of the topology."""

    carrier: Carrier
    terminals: list[int]
    cells: list[int]
    mobility: Mobility
    quality: QualityReports
    entries: list[tuple[int, int, int, int, int]]  # bearer, size, created, ready, order
    entering: list[tuple[Packet, Flow]]
    inside: dict[int, tuple[Packet, Flow]]  # by row
    propagation: list[int]  # ns, of each terminal's serving cell
    reached: int = 0  # ns


@dataclass(slots=True, eq=False)
class Flow:
    """The way of packets of one (source, destination, kind)."""

    up: Site | None
    up_bearer: int
    down: Site | None
    down_bearer: int
    terminal: int  # of the downlink, in its carrier
    order: int
    key: np.uint64


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened to a packet on one radio link; times in ns."""

    packet: Packet
    uplink: bool
    queued: int  # processed and visible to the MAC
    first: int  # start of the first transmission, or -1
    transmissions: int
    decided: int  # decoded or dropped
