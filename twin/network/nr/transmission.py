"""Blocks on the air: what they carry, decoding, feedback, and what follows from it."""

from __future__ import annotations

import numpy as np

from twin.network.nr.carrier_state import (
    DELIVERED,
    DOWN,
    HANDOVER,
    HARQ_FAILED,
    HARQ_PROCESSES,
    IDLE,
    ON_AIR,
    WAITING,
    State,
)
from twin.network.nr.control import acknowledged
from twin.network.nr.harq import add, combine
from twin.network.nr.interference import downlink_ratio, last_group, uplink_ratio
from twin.network.nr.link_adaptation import data_elements
from twin.network.nr.phy import per_symbol, transport_error
from twin.network.nr.queues import DECODE, FEEDBACK, log_transmission, schedule_event, settle
from twin.network.nr.tbs import code_blocks
from twin.network.nr.tdd import next_start
from twin.numerics.kernels import kernel

OLLA_LIMIT_DB = 20.0


@kernel
def launch(s: State, h: int, symbols: int, time: int, end: int) -> None:
    """Put a block on the air until `end`: what its resource-block groups will tell the receiver."""
    b = s.blocks
    link, down = h // HARQ_PROCESSES, (h // HARQ_PROCESSES) & 1 == DOWN
    b[h].state, b[h].end = ON_AIR, end
    b[h].transmissions += 1
    b[h].lost = 0.0
    start, prbs = b[h].start, b[h].prbs
    elements = float(data_elements(s, down, symbols, prbs) * b[h].layers)
    information, variance = 0.0, 0.0
    before, capacity, dispersion, snr, flat, shannon = -1.0, 0.0, 0.0, 0.0, True, 0.0
    first = start // s.config.group
    for g in range(first, last_group(s, start, prbs) + 1):
        ratio = downlink_ratio(s, link >> 1, b[h].cell, g, time) if down else uplink_ratio(s, h, g, time)
        here = (min(start + prbs, (g + 1) * s.config.group) - max(start, g * s.config.group)) / prbs
        if ratio != before:
            snr = layer_ratio(ratio, b[h].layers, s.config.layer_correlation) / s.config.gap
            capacity, dispersion = per_symbol(s.qam, s.mcs[0, b[h].mcs], snr)
            flat, before = g == first, ratio
        information += elements * here * capacity
        variance += elements * here * dispersion
        if not s.config.incremental:
            shannon += here * np.log1p(snr)
    b[h].symbols, b[h].information, b[h].dispersion = elements, information, variance
    b[h].snr = snr if flat else np.expm1(shannon)
    log_transmission(s, h, time)


@kernel
def layer_ratio(ratio: float, layers: int, correlation: float) -> float:
    """Return the ratio of one of `layers` layers that share the power, after a linear MMSE receiver.

    Two layers whose signatures at the receiver have the scalar product `correlation` r: with rho = ratio / 2,
    1 / [(1 + rho H^H H)^-1]_kk - 1 = rho - (rho r)^2 / (1 + rho).
    """
    if layers == 1:
        return ratio
    rho = 0.5 * ratio
    return rho - (rho * correlation) ** 2 / (1.0 + rho)


@kernel
def decode_later(s: State, h: int) -> None:
    """Decode blocks on the air, chained by equal ends, half of Tproc,1 after their end."""
    while h >= 0:
        together, end, others = -1, s.blocks[h].end, -1
        while h >= 0:
            following = s.blocks[h].chain
            if s.blocks[h].end == end:
                s.blocks[h].chain, together = together, h
            else:
                s.blocks[h].chain, others = others, h
            h = following
        schedule_event(s, end + s.grid.n1_half, DECODE, together)
        h = others


@kernel
def _receive(s: State, h: int) -> bool:
    """Tell whether a block is decoded from all its transmissions so far.

    One draw stands for the noise of all transmissions: the block is decoded as soon as its error probability
    has fallen below the draw, so that n losses in a row are as likely as the n-th error probability says.
    """
    b = s.blocks
    link = h // HARQ_PROCESSES
    mcs = b[h].mcs
    kept = 1.0 - b[h].lost
    if s.config.incremental:
        add(s.words[h], kept * b[h].symbols, kept * b[h].information, kept * b[h].dispersion)
    else:
        combine(s.words[h], s.mcs[0, mcs], kept * b[h].symbols, b[h].snr, False, s.qam)
    count, bits = code_blocks(b[h].size, s.mcs[1, mcs])
    error = transport_error(bits, count, s.words[h, 0], s.words[h, 1], s.words[h, 2])
    good = b[h].draw >= error
    if b[h].transmissions == 1:
        _adapt(s, link, good, b[h].target)
    return bool(good)


@kernel
def decode(s: State, h: int, time: int) -> bool:
    """End a transmission of a block; tell whether it is done with, one way or the other.

    What the terminal decodes is delivered; whether a downlink block is sent again is up to what the base station
    hears of it.
    """
    b = s.blocks
    link = h // HARQ_PROCESSES
    good = b[h].decoded == 1
    if b[h].missed == 0 and not good:
        good = _receive(s, h)
    moved = s.links[link].cell != b[h].cell
    if good and b[h].decoded == 0:
        settle(s, h, time, DELIVERED)
        b[h].decoded = 1
    done = good if moved or link & 1 != DOWN else acknowledged(s, h, good, time)
    if not done and not moved and b[h].transmissions + b[h].misses < s.config.transmissions:
        b[h].state = WAITING
        more = s.grid.assign if link & 1 == DOWN else s.grid.station - s.grid.n2_half
        schedule_event(s, feedback_time(s, link, time) + more, FEEDBACK, h)
        return False
    settle(s, h, time, HANDOVER if moved else HARQ_FAILED)
    b[h].state = IDLE
    b[h].free_at = feedback_time(s, link, time) if link & 1 == DOWN else time
    return True


@kernel
def feedback_time(s: State, link: int, time: int) -> int:
    """Return when the base station knows how a decoding at `time` ended, ready to act on it.

    Downlink: Tproc,1 / 2 at the terminal, the next PUCCH symbol, Tproc,2 / 2 at the base station; uplink: the
    base station decoded it itself and needs Tproc,2 / 2.
    """
    if link & 1 != DOWN:
        return time + s.grid.n2_half
    ready = time + s.grid.feedback + 2 * s.links[link].delay
    return next_start(s.grid.pucch, s.grid.period, ready) + s.grid.symbol + s.grid.n2_half


@kernel
def _adapt(s: State, link: int, good: bool, target: float) -> None:
    """Outer-loop link adaptation: steps up and down as target to 1 - target hold the error target."""
    step = s.config.olla_step
    value = s.links[link].olla_db + (step * target if good else -step * (1.0 - target))
    s.links[link].olla_db = min(max(value, -OLLA_LIMIT_DB), OLLA_LIMIT_DB)
