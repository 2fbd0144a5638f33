"""All state of one carrier as a few arrays of records, so that one kernel can advance it.

Sizes: P packets, S segments, H = 32 HARQ processes x L links, L = 2 T links (uplink 2 t, downlink 2 t + 1 of
terminal t), Q classes of service, C cells, B = L Q bearers. Bearer l Q + q is class q of link l. A cell c has the rows
`beam_rows[c]:beam_rows[c + 1]` of R beams, one without an array of antennas.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.experimental import structref
from numpy.typing import NDArray

from twin.network.nr.handle import HandleType, borrowed
from twin.network.nr.heap import EVENT
from twin.network.nr.phy import Qam
from twin.network.nr.records import CELL, FATE, PACKET, SEGMENT, Records, records
from twin.network.nr.tdd import Grid
from twin.numerics.kernels import kernel
from twin.state import C128, F64, I32, I64, REPEATS

HARQ_PROCESSES = 32
"""Rows of each link; `Config.processes` of them are used."""
RING = 2048
"""Occasions that can be planned ahead."""
SSB_PER_SLOT = 2
UP, DOWN = 0, 1
QUEUED, DELIVERED, DISCARDED, HARQ_FAILED, HANDOVER, MOVED = range(6)
"""Fates of a packet on the radio; MOVED: to another carrier, before it was sent."""
FREE_PACKETS, FREE_SEGMENTS, DECIDED, EVENTS, COME, COMING, PREEMPTED, ACCESS, MISSED, UNHEARD, ALARMS = range(11)
"""Entries of `State.counts`; `State.arrivals` waits from COME on and ends before COMING, PREEMPTED counts
interruptions, ACCESS the rows of `State.access`, MISSED assignments and grants on PDCCH that were not received,
UNHEARD requests and feedback on PUCCH."""
COUNTS = 11


class Signals(NamedTuple):
    """Resource blocks that are not for data, in the occasions that start in the first `length` ns of each `period`."""

    period: int  # ns
    length: int  # ns
    prbs: int


class Config(NamedTuple):
    """Settings of the carrier."""

    seed: int
    prbs: int  # resource blocks of the carrier
    prbs_db: float  # 10 log10 of that
    group: int  # PRBs of a resource-block group
    frequency: float  # Hz, centre of the carrier
    first_hz: float  # centre of the first group, from the centre of the carrier
    step_hz: float  # from one group to the next
    dmrs: int  # REs per PRB
    overhead: int  # REs per PRB, xOverhead
    coreset: int  # symbols of a downlink slot that carry PDCCH
    layers: int  # 1 or 2
    layer_correlation: float  # of the signatures of two layers at the receiver
    scheduler: int  # see metric
    own: int  # address of the metric of a package's scheduler, 0 without one
    preemption: bool
    incremental: bool  # incremental redundancy, else chase combining
    transmissions: int  # of one transport block, at most
    cces: int  # of one PDCCH occasion
    processes: int  # HARQ, of each link
    control: bool  # control channels may fail
    levels: int  # aggregation levels that fit into a PDCCH occasion, less one
    grants: int  # most new blocks of a cell, direction and occasion
    grant_cap: int  # bytes of an uplink grant, at most
    gap_period: int  # ns between measurement gaps of a terminal, 0 for none
    gap_length: int  # ns
    scheduling: int  # ns, that the scheduler works ahead of the air
    persistent: bool  # some class has persistent allocations
    signals: tuple[Signals, Signals]  # PRACH in the uplink, SSB in the downlink
    ssb_beams: int  # of a burst
    ssb_bursts: int  # until all beams of a cell were sent
    sr_period: int  # PUCCH occasions
    sr_prohibit: int  # ns from a request to the next one
    sr_transmissions: int  # of one request, then random access
    sr_false_alarm: float  # of a PUCCH occasion without a request
    false_alarm: float  # of one without feedback
    sr_grant: int  # bytes granted after a scheduling request
    segment_header: int  # bytes of MAC and RLC headers a segment
    olla_step: float  # dB
    pf_time: float  # ns, averaging of proportional fair
    gap: float  # linear ratio lost by practical codes
    self_interference: float  # to noise, while the own cell transmits (full duplex)
    ahead: int  # ns from an uplink decoding to the first effect of an answer to it


class State(NamedTuple):
    """A carrier; lists of a cell come as (2, C, n), uplink first."""

    config: Config
    grid: Grid
    qam: Qam
    mcs: I64  # (2, M) modulation order, code rate x 2048
    threshold: F64  # (Q, SIZES, M) dB, where an MCS meets the class's target
    aggregation_db: F64  # (5,) where PDCCH needs 1, 2, 4, 8, 16 control channel elements
    pdcch_clear: F64  # (5,) linear ratio above which that many are never missed
    sr_miss: F64  # (ENERGIES,) probability that a request is missed, over the root of its energy, see control
    pucch_miss: F64  # (ENERGIES,) and feedback
    classes: Records  # (Q,) CLASS
    packets: Records  # (P,) PACKET
    segments: Records  # (S,) SEGMENT
    free_packets: I64  # (P,) stack of rows that no packet has
    free_segments: I64  # (S,)
    bearers: Records  # (B,) BEARER
    links: Records  # (L,) LINK
    blocks: Records  # (H,) BLOCK
    words: F64  # (H, 4) code words, see harq
    cells: Records  # (C,) CELL
    active: I64  # (2, C, T) links with something to send
    again: I64  # (2, C, 16 T) blocks that wait for retransmission
    rank: F64  # (T,) metrics of the occasion that is being scheduled
    lengths: I64  # (2, 2, C) how long the lists `active` and `again` are
    used: I64  # (2, C, RING, 2) PRBs up to which all allocations of an occasion reach, and which that is
    reserved: I64  # (2, C, R) PRBs up to which persistent allocations reach, R residues of occasions; see persistent
    ratio: F64  # (2, T, C) to noise per PRB: all power in one PRB (uplink), spread over all (downlink)
    gain: F64  # (T, C) power gain of all paths
    path_first: I64  # (T, C) paths first:last of amplitude, delay and doppler
    path_last: I64  # (T, C)
    amplitude: C128  # (P,) field gain of each path at the trace
    delay: F64  # (P,) s
    doppler: F64  # (P,) Hz
    traced: I64  # (1,) ns, time of the trace
    fading: F64  # (T, C, G) power gain in each resource-block group, to `gain`
    faded_at: I64  # (T, C) ns
    response: C128  # (G,) of the pair at hand
    beam_rows: I64  # (C + 1,) first row of each cell's beams
    beam: I64  # (T, C) that a cell has for a terminal
    spill: F64  # (T, R) power gain of each beam to a terminal, as it listens now, to that of `beam`
    lit: I64  # (R,) from each cell's first row on: the rows of beams that it uses in its present downlink occasion
    lit_at: I64  # (R,) ns, downlink occasion that a row of `load` is of
    sounding: I64  # (N, 3) by slot of a period of N: first symbol of sensing, one after the last, and whose turn it is
    sounders: I64  # (C, 2) 1 where a cell sends no data in those symbols, and its turn to send the signal, else -1
    load: F64  # (R, G) share of PRBs that a cell sends in through a beam, in its present downlink occasion
    load_sum: F64  # (R, G) summed over occasions since the last quality report
    interference: F64  # (R, G) in the present uplink occasion, to noise, as a beam of its cell hears it
    rise_sum: F64  # (R, G) summed over occasions since the last quality report
    uplink_cap_db: F64  # (T,) the most per PRB that power control lets the serving cell receive, to noise
    uplink_cap: F64  # (T,) the same as a linear ratio
    planned: I64  # (RING, 2) first block of an uplink occasion, and which occasion that is
    armed: I64  # (2,) occasion of the pending scheduling event, -1
    heap: Records  # EVENT, all but arrivals and alarms
    alarms: Records  # (T,) EVENT, the next false alarm of each terminal
    arrivals: Records  # (2 P,) EVENT, packets that will be ready, in order
    fates: Records  # (P,) FATE
    repeats: I64  # (P, REPEATS) ns, starts of the first retransmissions of each packet
    fairness: F64  # (2,) weight of a bit sent now, and since when [ns] weights grow
    counts: I64  # (COUNTS,)
    access: I64  # (T,) terminals whose requests stay unheard
    spread_db: F64  # (PRBs + 1,) what each of n resource blocks gets of a power less than one alone
    sizes: I32  # (15, 2, M, PRBs + 1) transport block sizes by symbols and layers, as far as asked for


class Handle(structref.StructRefProxy):
    """A State for kernels, made by `bind`; they work on `opened(handle)`, which reads like the State."""


structref.define_proxy(Handle, HandleType, list(State._fields))


@kernel
def bind(s: State) -> Any:
    """Return the handle of a state, which borrows its arrays: the state must live on."""
    g = s.grid
    grid = Grid(
        g.period, g.symbol, g.slot, borrowed(g.downlink), borrowed(g.uplink), borrowed(g.pucch),
        g.n1_half, g.n2_half, g.n2, g.feedback, g.station, g.assign, g.lead,
    )  # fmt: skip
    return Handle(  # type: ignore[no-untyped-call]
        s.config, grid, Qam(borrowed(s.qam.capacity), borrowed(s.qam.dispersion)), borrowed(s.mcs),
        borrowed(s.threshold), borrowed(s.aggregation_db), borrowed(s.pdcch_clear), borrowed(s.sr_miss),
        borrowed(s.pucch_miss), borrowed(s.classes), borrowed(s.packets), borrowed(s.segments),
        borrowed(s.free_packets), borrowed(s.free_segments), borrowed(s.bearers), borrowed(s.links),
        borrowed(s.blocks), borrowed(s.words), borrowed(s.cells), borrowed(s.active),
        borrowed(s.again), borrowed(s.rank), borrowed(s.lengths), borrowed(s.used), borrowed(s.reserved),
        borrowed(s.ratio), borrowed(s.gain), borrowed(s.path_first), borrowed(s.path_last), borrowed(s.amplitude),
        borrowed(s.delay), borrowed(s.doppler), borrowed(s.traced), borrowed(s.fading), borrowed(s.faded_at),
        borrowed(s.response), borrowed(s.beam_rows), borrowed(s.beam), borrowed(s.spill), borrowed(s.lit),
        borrowed(s.lit_at), borrowed(s.sounding), borrowed(s.sounders), borrowed(s.load), borrowed(s.load_sum),
        borrowed(s.interference), borrowed(s.rise_sum),
        borrowed(s.uplink_cap_db), borrowed(s.uplink_cap), borrowed(s.planned), borrowed(s.armed), borrowed(s.heap),
        borrowed(s.alarms), borrowed(s.arrivals), borrowed(s.fates), borrowed(s.repeats), borrowed(s.fairness),
        borrowed(s.counts), borrowed(s.access), borrowed(s.spread_db), borrowed(s.sizes),
    )  # fmt: skip


IDLE, GRANTED, ON_AIR, WAITING = range(4)
"""States of a block."""
ACTIVE, AGAIN = 0, 1
"""First index of `State.lengths`."""


def heap_rows(links: int) -> int:
    """Return how many events can be pending at once."""
    return (HARQ_PROCESSES + 10) * links + 4 * RING


def new_lists(terminals: int, cells: int, residues: int) -> dict[str, NDArray[Any]]:
    """Return the lists of cells without load, and the plan of the carrier."""
    return {
        "cells": records(CELL, cells),
        "active": np.zeros((2, cells, terminals), dtype=np.int64),
        "again": np.zeros((2, cells, HARQ_PROCESSES * terminals), dtype=np.int64),
        "rank": np.zeros(terminals),
        "lengths": np.zeros((2, 2, cells), dtype=np.int64),
        "used": np.full((2, cells, RING, 2), -1, dtype=np.int64),
        "reserved": np.zeros((2, cells, residues), dtype=np.int64),
        "planned": np.full((RING, 2), -1, dtype=np.int64),
        "armed": np.full(2, -1, dtype=np.int64),
        "access": np.zeros(terminals, dtype=np.int64),
        "alarms": np.zeros(terminals, dtype=EVENT),
        "heap": np.zeros(heap_rows(2 * terminals), dtype=EVENT),
    }


def new_channel(terminals: int, cells: int, groups: int) -> dict[str, NDArray[Any]]:
    """Return a channel without any path, flat, and cells that send nothing."""
    return {
        "ratio": np.zeros((2, terminals, cells)),
        "gain": np.zeros((terminals, cells)),
        "path_first": np.zeros((terminals, cells), dtype=np.int64),
        "path_last": np.zeros((terminals, cells), dtype=np.int64),
        "amplitude": np.zeros(0, dtype=np.complex128),
        "delay": np.zeros(0),
        "doppler": np.zeros(0),
        "traced": np.zeros(1, dtype=np.int64),
        "fading": np.ones((terminals, cells, groups)),
        "faded_at": np.full((terminals, cells), -1, dtype=np.int64),
        "response": np.zeros(groups, dtype=np.complex128),
        "uplink_cap_db": np.full(terminals, np.inf),
        "uplink_cap": np.full(terminals, np.inf),
        "sounding": np.zeros((0, 3), dtype=np.int64),
        "sounders": np.full((cells, 2), [0, -1], dtype=np.int64),
        **new_beams(terminals, np.ones(cells, dtype=np.int64), groups),
    }


def new_beams(terminals: int, beams: I64, groups: int) -> dict[str, NDArray[Any]]:
    """Return what is kept of each beam, for cells with so many `beams` (C,), which send nothing."""
    rows = int(beams.sum())
    return {
        "beam_rows": np.concatenate([[0], np.cumsum(beams)]).astype(np.int64),
        "beam": np.zeros((terminals, len(beams)), dtype=np.int64),
        "spill": np.ones((terminals, rows)),
        "lit": np.zeros(rows, dtype=np.int64),
        "lit_at": np.full(rows, -1, dtype=np.int64),
        "load": np.zeros((rows, groups)),
        "load_sum": np.zeros((rows, groups)),
        "interference": np.zeros((rows, groups)),
        "rise_sum": np.zeros((rows, groups)),
    }


def new_pools(packets: int, segments: int) -> dict[str, NDArray[Any]]:
    """Return all that grows with the number of packets."""
    return {
        "packets": records(PACKET, packets),
        "segments": records(SEGMENT, segments),
        "free_packets": np.arange(packets - 1, -1, -1),
        "free_segments": np.arange(segments - 1, -1, -1),
        "arrivals": np.zeros(2 * packets, dtype=EVENT),
        "fates": np.zeros(packets, dtype=FATE),
        "repeats": np.zeros((packets, REPEATS), dtype=np.int64),
    }
