"""A binary heap of events in an array of records, for kernels: ordered by (time, order)."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernels import kernel

EVENT = np.dtype([("time", np.int64), ("order", np.int64), ("item", np.int64)])
"""`order` is the kind in its high bits, then what makes equal times unique."""


@kernel
def _before(heap: Any, i: int, j: int) -> bool:
    if heap[i].time != heap[j].time:
        return bool(heap[i].time < heap[j].time)
    return bool(heap[i].order < heap[j].order)


@kernel
def _swap(heap: Any, i: int, j: int) -> None:
    heap[i].time, heap[j].time = heap[j].time, heap[i].time
    heap[i].order, heap[j].order = heap[j].order, heap[i].order
    heap[i].item, heap[j].item = heap[j].item, heap[i].item


@kernel
def push(heap: Any, size: int, time: int, order: int, item: int) -> None:
    """Add an event to a heap of `size` events; the caller has seen to the capacity."""
    i = size
    heap[i].time, heap[i].order, heap[i].item = time, order, item
    while i > 0 and _before(heap, i, (i - 1) // 2):
        _swap(heap, i, (i - 1) // 2)
        i = (i - 1) // 2


@kernel
def pop(heap: Any, size: int) -> tuple[int, int, int]:
    """Take the first of `size` events out: time, order, item."""
    first = heap[0].time, heap[0].order, heap[0].item
    last = size - 1
    heap[0].time, heap[0].order, heap[0].item = heap[last].time, heap[last].order, heap[last].item
    i = 0
    while True:
        child = 2 * i + 1
        if child >= last:
            return first
        if child + 1 < last and _before(heap, child + 1, child):
            child += 1
        if not _before(heap, child, i):
            return first
        _swap(heap, i, child)
        i = child
