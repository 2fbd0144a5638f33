"""Urgent short transmissions in place of parts of long ones: TS 38.213 11.2. Kernels over `State`.

The terminal that is interrupted learns from the pre-emption indication (DCI format 2_1) which resource elements
were not for it, and leaves them out: its block has so much less information.
"""

from __future__ import annotations

from twin.network.nr.carrier_state import DOWN, HARQ_PROCESSES, ON_AIR, PREEMPTED, State
from twin.numerics.kernels import kernel


@kernel
def left_of(s: State, h: int, occasion: int) -> int:
    """Return the resource blocks of a long block that nobody has taken in this occasion."""
    b = s.blocks[h]
    return int(b.prbs - (b.taken if b.taken_at == occasion else 0))


@kernel
def victim(s: State, cell: int, priority: int, occasion: int, now: int) -> int:
    """Return the least urgent long downlink block on the air that may be interrupted, or -1."""
    found = -1
    for h in range(s.blocks.size):
        b = s.blocks[h]
        if b.state != ON_AIR or b.length == 1 or b.cell != cell or b.end <= now or b.priority <= priority:
            continue
        if (h // HARQ_PROCESSES) & 1 == DOWN and left_of(s, h, occasion) > 0:
            if found < 0 or b.priority > s.blocks[found].priority:
                found = h
    return found


@kernel
def interrupt(s: State, h: int, by: int, occasion: int) -> None:
    """Let block `by` have resource blocks of the long block `h` in one of its occasions."""
    b, urgent = s.blocks[h], s.blocks[by]
    if b.taken_at != occasion:
        b.taken_at, b.taken = occasion, 0
    urgent.start = b.start + b.taken
    b.taken += urgent.prbs
    b.lost += urgent.prbs / (b.prbs * b.length)
    s.counts[PREEMPTED] += 1
