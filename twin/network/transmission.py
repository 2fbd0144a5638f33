"""Blocks on the air: interference, decoding, feedback, and what follows from it."""

from __future__ import annotations

from twin.kernels import kernel
from twin.network.carrier_state import (
    DELIVERED,
    DOWN,
    HANDOVER,
    HARQ_FAILED,
    HARQ_PROCESSES,
    UP,
    State,
)
from twin.network.harq import combine
from twin.network.link_adaptation import data_elements
from twin.network.phy import transport_error
from twin.network.queues import DECODE, FEEDBACK, log_transmission, schedule_event, settle
from twin.network.scheduler import IDLE, ON_AIR, WAITING
from twin.network.tbs import code_blocks
from twin.network.tdd import at, next_index

OLLA_LIMIT_DB = 20.0


@kernel
def measure_downlink(s: State, cell: int, prbs: int, time: int) -> None:
    """Note the load of a cell in the occasion that starts now: it sends in used resource blocks only."""
    s.cells[cell].load, s.cells[cell].load_at = prbs / s.config.prbs, time
    s.cells[cell].downlink_work += prbs / s.config.prbs


@kernel
def downlink_ratio(s: State, terminal: int, cell: int, time: int) -> float:
    """Return signal to noise and interference per PRB: other cells interfere by their present load."""
    rest = 1.0
    for c in range(s.cells.size):
        if c != cell and s.cells[c].load_at == time:
            rest += s.cells[c].load * s.ratio[DOWN, terminal, c]
    return float(s.ratio[DOWN, terminal, cell] / rest)


@kernel
def uplink_power(s: State, terminal: int, cell: int, prbs: int) -> float:
    """Return the share of its full power that a terminal uses for `prbs` resource blocks."""
    full = s.ratio[UP, terminal, cell]
    if full <= 0.0:
        return 1.0
    return float(min(1.0, 10.0 ** (0.1 * s.uplink_cap_db[terminal]) * prbs / full))


@kernel
def add_interference(s: State, h: int) -> None:
    """Add what a block in the uplink brings to the other cells, spread over the carrier, to noise."""
    terminal, cell = h // (2 * HARQ_PROCESSES), s.blocks[h].cell
    power = uplink_power(s, terminal, cell, s.blocks[h].prbs)
    for c in range(s.cells.size):
        if c != cell:
            s.cells[c].interference += power * s.ratio[UP, terminal, c] / s.config.prbs


@kernel
def uplink_ratio(s: State, h: int, time: int) -> float:
    """Return signal to noise and interference per PRB of a block in the uplink."""
    terminal, cell, prbs = h // (2 * HARQ_PROCESSES), s.blocks[h].cell, s.blocks[h].prbs
    signal = uplink_power(s, terminal, cell, prbs) * s.ratio[UP, terminal, cell] / prbs
    rest = 1.0 + s.cells[cell].interference
    if s.cells[cell].load_at == time:
        rest += s.config.self_interference * s.cells[cell].load
    return float(signal / rest)


@kernel
def launch(s: State, h: int, symbols: int, ratio: float, time: int, end: int) -> None:
    """Put a block on the air until `end`."""
    b = s.blocks
    down = (h // HARQ_PROCESSES) & 1 == DOWN
    b[h].state, b[h].end = ON_AIR, end
    b[h].transmissions += 1
    b[h].snr = ratio / (s.config.gap * b[h].layers)
    b[h].symbols = float(data_elements(s, down, symbols, b[h].prbs) * b[h].layers)
    log_transmission(s, h, time)


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
def decode(s: State, h: int, time: int) -> bool:
    """Decode a block with all its transmissions so far; tell whether it is done with, one way or the other.

    One draw stands for the noise of all transmissions: the block is decoded as soon as its error probability
    has fallen below the draw, so that n losses in a row are as likely as the n-th error probability says.
    """
    b = s.blocks
    link = h // HARQ_PROCESSES
    mcs = b[h].mcs
    combine(s.words[h], s.mcs[0, mcs], b[h].symbols, b[h].snr, s.config.incremental, s.qam)
    count, bits = code_blocks(b[h].size, s.mcs[1, mcs])
    error = transport_error(bits, count, s.words[h, 0], s.words[h, 1], s.words[h, 2])
    good = b[h].draw >= error
    if b[h].transmissions == 1:
        _adapt(s, link, good, b[h].target)
    moved = s.links[link].cell != b[h].cell
    if not good and not moved and b[h].transmissions < s.config.transmissions:
        b[h].state = WAITING
        schedule_event(s, feedback_time(s, link, time) + s.grid.n2_half * (link & 1), FEEDBACK, h)
        return False
    settle(s, h, time, DELIVERED if good else HANDOVER if moved else HARQ_FAILED)
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
    index = next_index(s.grid.pucch, s.grid.period, time + s.grid.n1_half)
    return at(s.grid.pucch, s.grid.period, index) + s.grid.symbol + s.grid.n2_half


@kernel
def _adapt(s: State, link: int, good: bool, target: float) -> None:
    """Outer-loop link adaptation: steps up and down as target to 1 - target hold the error target."""
    step = s.config.olla_step
    value = s.links[link].olla_db + (step * target if good else -step * (1.0 - target))
    s.links[link].olla_db = min(max(value, -OLLA_LIMIT_DB), OLLA_LIMIT_DB)
