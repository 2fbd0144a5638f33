"""Sorting in kernels: numba's own takes longer to compile than most kernels that would call it."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64, I64


@kernel
def ascending(keys: F64 | I64) -> I64:
    """Return the indices (n,) that put `keys` (n,) into ascending order, equal ones as they stood (merge sort)."""
    n = len(keys)
    order, other = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        order[i] = i
    width = 1
    while width < n:
        for first in range(0, n, 2 * width):
            middle, end = min(first + width, n), min(first + 2 * width, n)
            a, b = first, middle
            for k in range(first, end):
                if b == end or (a < middle and keys[order[a]] <= keys[order[b]]):
                    other[k] = order[a]
                    a += 1
                else:
                    other[k] = order[b]
                    b += 1
        order, other = other, order
        width *= 2
    return order
