"""A binary heap of events in an array of records, for kernels: ordered by (time, order)."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.numerics.kernels import kernel

EVENT = np.dtype([("time", np.int64), ("order", np.int64), ("item", np.int64)])
"""`order` is the kind in its high bits, then what makes equal times unique."""


@kernel
def _place(heap: Any, i: int, time: int, order: int, item: int) -> None:
    heap[i].time, heap[i].order, heap[i].item = time, order, item


@kernel
def push(heap: Any, size: int, time: int, order: int, item: int) -> None:
    """Add an event to a heap of `size` events; the caller has seen to the capacity."""
    i = size
    while i > 0:
        above = (i - 1) // 2
        if heap[above].time < time or (heap[above].time == time and heap[above].order <= order):
            break
        _place(heap, i, heap[above].time, heap[above].order, heap[above].item)
        i = above
    _place(heap, i, time, order, item)


@kernel
def pop(heap: Any, size: int) -> int:
    """Take the first of `size` events out and return its item."""
    first = int(heap[0].item)
    last = size - 1
    time, order, item = heap[last].time, heap[last].order, heap[last].item
    i = 0
    while 2 * i + 1 < last:
        below = 2 * i + 1
        a, b = heap[below], heap[min(below + 1, last)]
        if below + 1 < last and (b.time < a.time or (b.time == a.time and b.order < a.order)):
            below += 1
        under = heap[below]
        if time < under.time or (time == under.time and order <= under.order):
            break
        _place(heap, i, under.time, under.order, under.item)
        i = below
    _place(heap, i, time, order, item)
    return first
