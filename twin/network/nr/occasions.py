"""Downlink and uplink occasions: what is sent in them, in all cells of a carrier. Kernels over `State`."""

from __future__ import annotations

from twin.network.nr.carrier_state import (
    DOWN,
    HANDOVER,
    HARQ_FAILED,
    HARQ_PROCESSES,
    IDLE,
    RING,
    SSB_PER_SLOT,
    UP,
    WAITING,
    State,
)
from twin.network.nr.control import misses_pdcch
from twin.network.nr.interference import add_interference, load_beam, load_cell, remember_load, row_of, share_load
from twin.network.nr.persistent import reserved_prbs
from twin.network.nr.queues import FEEDBACK, UPLINK, fill, schedule_event, settle
from twin.network.nr.resources import free_process, signal_prbs, top
from twin.network.nr.scheduler import drop_satisfied, is_away, persistent_block, schedule
from twin.network.nr.sounding import left_for_data, long_from, sounds, taken_share
from twin.network.nr.tdd import END, LONG, START, at, quotient, remainder
from twin.network.nr.transmission import decode_later, launch
from twin.network.nr.triggers import arm_again, arm_persistent, rest_if_empty, wake
from twin.numerics.kernels import kernel


@kernel
def _symbols(s: State, time: int) -> int:
    return quotient(time * 14 + s.grid.slot // 2, s.grid.slot)


@kernel
def on_downlink(s: State, occasion: int, time: int) -> None:
    """Schedule a downlink occasion of every cell, then send with the interference that follows."""
    s.armed[DOWN] = -1
    place = remainder(occasion, s.grid.downlink.shape[1])
    turn = time - s.grid.downlink[START, place]
    end = turn + s.grid.downlink[END, place]
    full = s.grid.downlink[LONG, place]
    cells = s.cells.size
    for c in range(cells):
        symbols, s.cells[c].chain = left_for_data(s, c, time, end), -1
        if symbols > 0:
            s.cells[c].chain = schedule(s, DOWN, c, occasion, symbols, long_from(s, c, time, full), time)
        _load(s, c, occasion, time, end)
    for c in range(cells):
        symbols = left_for_data(s, c, time, end)
        h = s.cells[c].chain
        while h >= 0:
            link = h // HARQ_PROCESSES
            if s.blocks[h].transmissions == 0:
                fill(s, h, link, s.blocks[h].size // 8, time)
                rest_if_empty(s, link)
            s.blocks[h].missed = int(s.blocks[h].reserved == 0 and misses_pdcch(s, h, time))
            length = s.blocks[h].length
            launch(s, h, symbols * length, time, turn + s.grid.downlink[END, place + length - 1])
            h = s.blocks[h].chain
        decode_later(s, s.cells[c].chain)
    arm_again(s, DOWN, occasion)


@kernel
def _load(s: State, cell: int, occasion: int, time: int, end: int) -> None:
    """Note where a cell sends in the occasion that begins: dynamically, in persistent allocations in use, to sense."""
    if s.cells.size == 1 and s.config.self_interference == 0.0:
        return  # nobody hears it
    reserved = reserved_prbs(s, DOWN, cell, occasion) if s.config.persistent else 0
    first, beams = s.beam_rows[cell], s.beam_rows[cell + 1] - s.beam_rows[cell]
    row = max(first, s.cells[cell].row)  # of what it sent last, which may take several occasions
    load_cell(s, cell, time)
    if beams > 1:
        _load_beams(s, cell, occasion, reserved, time)
    else:
        load_beam(s, cell, first, reserved, top(s, DOWN, cell, occasion) - reserved)
    h = s.cells[cell].chain
    while h >= 0:
        if beams > 1:
            row = row_of(s, h // (2 * HARQ_PROCESSES), cell)
        if beams > 1 or s.blocks[h].reserved == 1:
            load_beam(s, cell, row, s.blocks[h].start, s.blocks[h].prbs)
        h = s.blocks[h].chain
    s.cells[cell].row = row
    share_load(s, cell, taken_share(s, cell, time, end), sounds(s, cell, time))
    remember_load(s, cell)


@kernel
def _load_beams(s: State, cell: int, occasion: int, reserved: int, time: int) -> None:
    """Note where a cell with an array sends SSB, and what it has begun in earlier occasions of the slot.

    SSB i of a burst goes through beam i of that part of the codebook; there are two in a slot.
    """
    first, beams, signals = s.beam_rows[cell], s.beam_rows[cell + 1] - s.beam_rows[cell], s.config.signals[DOWN]
    prbs = signal_prbs(s, DOWN, occasion)
    if prbs > 0:
        burst, since = time // signals.period, time % signals.period
        beam = burst % s.config.ssb_bursts * s.config.ssb_beams + SSB_PER_SLOT * (since // s.grid.slot)
        load_beam(s, cell, first + beam % beams, 0, prbs)
    begun = top(s, DOWN, cell, occasion)
    h = s.cells[cell].chain
    while h >= 0:
        if s.blocks[h].reserved == 0:
            begun = min(begun, s.blocks[h].start)
        h = s.blocks[h].chain
    load_beam(s, cell, max(s.cells[cell].row, first), max(prbs, reserved), begun - max(prbs, reserved))


@kernel
def _plan(s: State, occasion: int, h: int) -> None:
    """Hang a block on the chain of its uplink occasion."""
    r = occasion % RING
    if s.planned[r, 1] != occasion:
        s.planned[r, 1], s.planned[r, 0] = occasion, -1
        schedule_event(s, at(s.grid.uplink[START], s.grid.period, occasion), UPLINK, occasion)
    s.blocks[h].chain = s.planned[r, 0]
    s.planned[r, 0] = h


@kernel
def on_grant(s: State, occasion: int, time: int) -> None:
    """Grant an uplink occasion in the last PDCCH that is early enough for it."""
    s.armed[UP] = -1
    place = remainder(occasion, s.grid.uplink.shape[1])
    symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
    for c in range(s.cells.size):
        h = schedule(s, UP, c, occasion, symbols, s.grid.uplink[LONG, place], time)
        drop_satisfied(s, c)
        while h >= 0:
            following = s.blocks[h].chain
            s.blocks[h].missed = int(misses_pdcch(s, h, time))
            _plan(s, s.links[h // HARQ_PROCESSES].used, h)
            h = following
    arm_again(s, UP, occasion)


@kernel
def on_persistent(s: State, link: int, time: int) -> None:
    """Use a configured grant, where there is data and no dynamic grant for the same occasion."""
    occasion = s.links[link].armed
    if occasion < 0 or at(s.grid.uplink[START], s.grid.period, occasion) != time:
        return  # set before a handover
    s.links[link].armed = -1
    if s.links[link].cell < 0 or s.links[link].persistent == 0 or s.links[link].bytes == 0:
        return
    h, left = free_process(s, link, time), s.links[link].bytes
    if s.links[link].used != occasion and h >= 0 and not is_away(s, link, time):
        place = remainder(occasion, s.grid.uplink.shape[1])
        symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
        s.links[link].used = max(s.links[link].used, occasion)  # a dynamic grant may be for a later one
        persistent_block(s, h, link, symbols, -1)
        s.links[link].granted += s.blocks[h].size // 8
        _plan(s, occasion, h)
        left -= s.blocks[h].size // 8 - s.config.segment_header
    if left > 0:
        arm_persistent(s, link, time + 1)


@kernel
def on_uplink(s: State, occasion: int, time: int) -> None:
    """Send all that was planned for an uplink occasion, in all cells."""
    place = remainder(occasion, s.grid.uplink.shape[1])
    symbols = _symbols(s, s.grid.uplink[END, place] - s.grid.uplink[START, place])
    turn = time - s.grid.uplink[START, place]
    if s.cells.size > 1:
        s.interference[:] = 0.0
    h, chain = s.planned[occasion % RING, 0], -1
    while h >= 0:
        following = s.blocks[h].chain
        if _use_grant(s, h, turn + s.grid.uplink[END, place + s.blocks[h].length - 1], time):
            add_interference(s, h, time)
            s.blocks[h].chain = chain
            chain = h
        h = following
    if s.cells.size > 1:
        rise = s.rise_sum
        rise += s.interference
    h = chain
    while h >= 0:
        length = s.blocks[h].length
        launch(s, h, symbols * length, time, turn + s.grid.uplink[END, place + length - 1])
        h = s.blocks[h].chain
    decode_later(s, chain)


@kernel
def _use_grant(s: State, h: int, end: int, time: int) -> bool:
    """Fill a granted block; tell whether its terminal is still there, and knows of the grant, to send it.

    Where it isn't known, the base station finds nothing at the `end` of the occasion and grants it again.
    """
    link = h // HARQ_PROCESSES
    if s.links[link].cell != s.blocks[h].cell:
        settle(s, h, time, HANDOVER)
        s.blocks[h].state = IDLE
        return False
    if s.blocks[h].missed == 1:
        s.blocks[h].misses += 1
        if s.blocks[h].misses + s.blocks[h].transmissions < s.config.transmissions:
            s.blocks[h].state = WAITING
            schedule_event(s, end + s.grid.n1_half + s.grid.station, FEEDBACK, h)
            return False
        if s.blocks[h].transmissions == 0:
            s.links[link].granted = max(0, s.links[link].granted - s.blocks[h].size // 8)
        settle(s, h, time, HARQ_FAILED)
        s.blocks[h].state = IDLE
        wake(s, link, time)
        return False
    if s.blocks[h].transmissions == 0:
        s.links[link].granted = max(0, s.links[link].granted - s.blocks[h].size // 8)
        s.blocks[h].report = fill(s, h, link, s.blocks[h].size // 8, time)
        if s.blocks[h].report > 0:
            s.links[link].reports += 1
    return True
