"""Rows of a carrier's state: what is known of each class, packet, link, block and cell."""

from __future__ import annotations

from typing import Any

import numpy as np

Records = Any
"""A one-dimensional array of records; numba and mypy don't agree on a closer type."""

CLASS = np.dtype([
    ("order", np.int64),  # entry k: the class with the k-th priority
    ("priority", np.int64),  # smaller goes first
    ("budget", np.int64),  # ns, packet delay budget, for deadlines
    ("discard", np.int64),  # ns, 0 never
    ("survival", np.int64),  # ns that its application does without a message, 0 for ever
    ("target", np.float64),  # block error rate of a first transmission
    ("configured", np.int64),  # uplink occasions between configured grants, 0 none
    ("semi_persistent", np.int64),  # downlink occasions between persistent allocations, 0 none
    ("up_residues", np.int64),  # first entry of `State.reserved` for configured grants
    ("down_residues", np.int64),  # and for semi-persistent allocations
    ("size", np.int64),  # bytes that a persistent allocation holds
    ("long", np.int64),  # 1: transmissions as long as the slot
])  # fmt: skip
PACKET = np.dtype([
    ("size", np.int64),  # bytes with headers
    ("left", np.int64),  # bytes not yet put into a block
    ("open", np.int64),  # bytes not yet decoded
    ("references", np.int64),  # places that still name this packet; 0: the row is free
    ("fate", np.int64),
    ("bearer", np.int64),
    ("next", np.int64),  # in the bearer's queue, -1
    ("created", np.int64),  # ns
    ("ready", np.int64),  # ns, processed and visible to the MAC
    ("occasion", np.int64),  # ns, see Hop
    ("alone", np.int64),  # ns, see Hop
    ("first", np.int64),  # ns, start of the first transmission, -1 before
    ("last", np.int64),  # ns, start of the first transmission of its last part so far, -1 before
    ("transmissions", np.int64),  # of blocks with a part of it
    ("repeated", np.int64),  # how many of them were retransmissions
])  # fmt: skip
SEGMENT = np.dtype([
    ("packet", np.int64), ("bytes", np.int64), ("next", np.int64),
])  # fmt: skip
BEARER = np.dtype([
    ("link", np.int64),
    ("kind", np.int64),  # class of service
    ("head", np.int64),  # packet, -1
    ("tail", np.int64),
    ("timer", np.int64),  # 1: a discard timer runs
    ("endless", np.int64),  # 1: full buffer
    ("heard", np.int64),  # ns, when the newest packet arrived, or else the first one was ready; -1
    ("outlived", np.int64),  # times that it had to do without a message for longer than its survival time
])  # fmt: skip
LINK = np.dtype([
    ("cell", np.int64),  # serving cell, -1 detached
    ("active", np.int64),  # place in the list of its cell, -1
    ("bytes", np.int64),  # waiting
    ("packets", np.int64),  # waiting
    ("known", np.int64),  # uplink bytes that the base station knows of
    ("granted", np.int64),  # uplink bytes granted and not yet used
    ("reports", np.int64),  # uplink blocks in the air with a buffer status report of more data
    ("requested", np.int64),  # 1: scheduling request under way
    ("requests", np.int64),  # times that it was not heard
    ("told", np.int64),  # bytes of the newest buffer status report
    ("delay", np.int64),  # ns, of the air between its terminal and its cell
    ("controls", np.int64),  # draws for control channels so far
    ("alarm", np.int64),  # 1: a false alarm of its scheduling request is set
    ("used", np.int64),  # occasion of the last transmission
    ("sequence", np.int64),  # transport blocks so far
    ("key", np.uint64),  # of the terminal's name, for draws
    ("offset", np.int64),  # of scheduling requests and persistent occasions
    ("served", np.int64),  # ns
    ("average", np.float64),  # bits, each weighted by `State.fairness` when it was sent
    ("olla_db", np.float64),
    ("reported_db", np.float64),  # downlink: by the last CQI; uplink: of one PRB at full power
    ("persistent", np.int64),  # period in occasions, 0 none
    ("persistent_prbs", np.int64),
    ("persistent_mcs", np.int64),
    ("persistent_start", np.int64),  # PRB
    ("armed", np.int64),  # occasion of the next configured grant, -1
])  # fmt: skip
BLOCK = np.dtype([
    ("state", np.int64),  # see scheduler
    ("free_at", np.int64),  # ns
    ("mcs", np.int64),
    ("start", np.int64),  # PRB
    ("prbs", np.int64),
    ("layers", np.int64),
    ("size", np.int64),  # bits
    ("transmissions", np.int64),
    ("level", np.int64),  # of the PDCCH: 2^level control channel elements
    ("missed", np.int64),  # 1: the PDCCH of this transmission was not received
    ("misses", np.int64),  # grants so far that were not received
    ("decoded", np.int64),  # 1: by the terminal, if the base station doesn't know
    ("symbols", np.float64),  # resource elements of this transmission, layers counted
    ("snr", np.float64),  # linear, of this transmission: flat, or for chase combining what its groups are worth
    ("information", np.float64),  # bits, of this transmission
    ("dispersion", np.float64),  # bits^2, of this transmission
    ("draw", np.float64),
    ("end", np.int64),  # ns
    ("lost", np.float64),  # share of this transmission that urgent ones have taken
    ("taken", np.int64),  # PRBs that they have taken in occasion `taken_at`
    ("taken_at", np.int64),
    ("length", np.int64),  # occasions
    ("segment", np.int64),  # head of the list, -1
    ("report", np.int64),  # bytes left behind, in the buffer status report
    ("cell", np.int64),
    ("reserved", np.int64),  # 1: in resource blocks of a persistent allocation
    ("priority", np.int64),
    ("target", np.float64),
    ("chain", np.int64),  # next block of the same occasion, -1
    ("since", np.int64),  # ns, waiting for retransmission
])  # fmt: skip
CELL = np.dtype([
    ("cces", np.int64),  # taken in the present PDCCH occasion
    ("cces_at", np.int64),  # ns
    ("load_at", np.int64),  # ns, downlink occasion that `State.load` is of
    ("lit", np.int64),  # beams that it uses in that occasion
    ("row", np.int64),  # row of the last one
    ("chain", np.int64),  # blocks of the present downlink occasion
])  # fmt: skip
FATE = np.dtype([
    ("packet", np.int64),
    ("time", np.int64),  # ns, decoded or dropped
    ("fate", np.int64),
    ("way", np.int64),
    ("queued", np.int64),  # ns, visible to the MAC
    ("occasion", np.int64),  # ns, see Hop
    ("alone", np.int64),  # ns, see Hop
    ("first", np.int64),  # ns, start of the first transmission, -1 without one
    ("transmissions", np.int64),
    ("repeated", np.int64),
])  # fmt: skip
NONE = {"active", "head", "heard", "tail", "used", "armed", "segment", "chain", "next", "cell", "first",
        "cces_at", "load_at", "taken_at", "last"}  # fmt: skip
"""Fields that start at -1."""


def records(kind: np.dtype[Any], rows: int) -> Records:
    """Return records with their start values."""
    made = np.zeros(rows, dtype=kind)
    for name in kind.names or ():
        if name in NONE:
            made[name] = -1
    return made
