"""Builds the hierarchy of bvh.py: binned SAH splits (Wald, RT 2007), collapsed to eight children."""

from __future__ import annotations

from twin.kernels import kernel  # isort: skip  before numba
import numpy as np
from numpy.typing import NDArray

from twin.state import F64, I32, I64

F32 = NDArray[np.float32]

WIDTH = 8
_LEAF = 4
_BINS = 16


@kernel
def split(low: F32, high: F32, centre: F64) -> tuple[F32, I32, I32, I32, I64]:
    """Split nodes in two down to `_LEAF` triangles; the children of node i are left[i] and left[i] + 1."""
    n = len(low)
    order = np.arange(n)
    box = np.empty((2 * n, 6), np.float32)
    left = np.full(2 * n, -1, np.int32)
    start = np.zeros(2 * n, np.int32)
    count = np.zeros(2 * n, np.int32)
    stack = [(0, 0, n)]
    used = 1
    while len(stack) > 0:
        node, first, last = stack.pop()
        for k in range(3):
            box[node, k], box[node, k + 3] = np.inf, -np.inf
        for i in range(first, last):
            for k in range(3):
                box[node, k] = min(box[node, k], low[order[i], k])
                box[node, k + 3] = max(box[node, k + 3], high[order[i], k])
        start[node], count[node] = first, last - first
        if last - first <= _LEAF:
            continue
        middle = _partition(low, high, centre, order, first, last)
        left[node], count[node] = used, 0
        stack.append((used, first, middle))
        stack.append((used + 1, middle, last))
        used += 2
    return box[:used].copy(), left[:used].copy(), start[:used].copy(), count[:used].copy(), order


@kernel
def _partition(low: F32, high: F32, centre: F64, order: I64, first: int, last: int) -> int:
    """Reorder order[first:last] by its cheapest split (in halves where there is none); return its place."""
    axis, split, origin, scale = _best_split(low, high, centre, order, first, last)
    if axis < 0:
        return (first + last) // 2
    i, j = first, last - 1
    while i <= j:
        if int((centre[order[i], axis] - origin) * scale) < split:
            i += 1
        else:
            order[i], order[j] = order[j], order[i]
            j -= 1
    return i


@kernel
def _best_split(
    low: F32, high: F32, centre: F64, order: I64, first: int, last: int
) -> tuple[int, int, float, float]:
    """Return axis, first upper bin, origin and scale of the bins; axis -1 if all centres coincide."""
    best, best_axis, best_bin, best_origin, best_scale = np.inf, -1, 0, 0.0, 0.0
    bin_box = np.empty((_BINS, 6))
    for axis in range(3):
        lowest, highest = np.inf, -np.inf
        for i in range(first, last):
            lowest = min(lowest, centre[order[i], axis])
            highest = max(highest, centre[order[i], axis])
        if highest - lowest < 1e-6:
            continue
        scale = _BINS * (1 - 1e-9) / (highest - lowest)
        bin_count = np.zeros(_BINS, np.int64)
        bin_box[:, :3], bin_box[:, 3:] = np.inf, -np.inf
        for i in range(first, last):
            j = order[i]
            b = int((centre[j, axis] - lowest) * scale)
            bin_count[b] += 1
            for k in range(3):
                bin_box[b, k] = min(bin_box[b, k], low[j, k])
                bin_box[b, k + 3] = max(bin_box[b, k + 3], high[j, k])
        cost, place = _cheapest(bin_box, bin_count)
        if cost < best:
            best, best_axis, best_bin, best_origin, best_scale = cost, axis, place, lowest, scale
    return best_axis, best_bin, best_origin, best_scale


@kernel
def _cheapest(bin_box: F64, bin_count: I64) -> tuple[float, int]:
    """Return the cost (area times count, both parts) and the first upper bin of the best of the splits."""
    upper = np.zeros(_BINS)
    box = np.array([np.inf, np.inf, np.inf, -np.inf, -np.inf, -np.inf])
    total = 0
    for b in range(_BINS - 1, 0, -1):
        total += bin_count[b]
        _grow(box, bin_box[b])
        upper[b] = _half_area(box) * total if total > 0 else np.inf
    box[:3], box[3:] = np.inf, -np.inf
    total, best, place = 0, np.inf, 0
    for b in range(_BINS - 1):
        total += bin_count[b]
        _grow(box, bin_box[b])
        if total > 0 and _half_area(box) * total + upper[b + 1] < best:
            best, place = _half_area(box) * total + upper[b + 1], b + 1
    return best, place


@kernel
def _grow(box: F64, other: F64) -> None:
    for k in range(3):
        box[k] = min(box[k], other[k])
        box[k + 3] = max(box[k + 3], other[k + 3])


@kernel
def _half_area(box: F64) -> float:
    x, y, z = box[3] - box[0], box[4] - box[1], box[5] - box[2]
    return float(x * y + y * z + z * x)


@kernel
def widen(node_box: F32, left: I32, start: I32, count: I32) -> tuple[F32, I32, I32, int]:
    """Collapse to nodes of eight children, opening the largest first; also return the stack needed."""
    n = len(left)
    boxes = np.empty((n, 6, WIDTH), np.float32)
    boxes[:, :3], boxes[:, 3:] = np.inf, -np.inf
    child = np.zeros((n, WIDTH), np.int32)
    leaf = np.full((n, WIDTH), -1, np.int32)
    stack = [(0, 0, 1)]
    used, depth = 1, 1
    members = np.empty(WIDTH, np.int32)
    while len(stack) > 0:
        source, node, waiting = stack.pop()
        m = _open_children(source, node_box, left, count, members)
        inner = 0
        for i in range(m):
            c = members[i]
            boxes[node, :, i] = node_box[c]
            leaf[node, i] = count[c]
            child[node, i] = start[c]
            if count[c] == 0:
                inner += 1
        depth = max(depth, waiting + inner)
        for i in range(m):
            if leaf[node, i] == 0:
                child[node, i] = used
                stack.append((members[i], used, waiting - 1 + inner))
                used += 1
    return boxes[:used].copy(), child[:used].copy(), leaf[:used].copy(), depth


@kernel
def _open_children(source: int, node_box: F32, left: I32, count: I32, members: I32) -> int:
    members[0] = source
    m = 1
    while m < WIDTH:
        largest, chosen = -1.0, -1
        for i in range(m):
            c = members[i]
            if count[c] == 0:
                size = node_box[c, 3:] - node_box[c, :3]
                area = size[0] * size[1] + size[1] * size[2] + size[2] * size[0]
                if area > largest:
                    largest, chosen = area, i
        if chosen < 0:
            break
        c = members[chosen]
        members[chosen], members[m] = left[c], left[c] + 1
        m += 1
    return m
