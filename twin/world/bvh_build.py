"""Builds the hierarchy of bvh.py: binned SAH splits (Wald, RT 2007), collapsed to eight children."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.numerics.kernels import kernel
from twin.state import F64, I32, I64

F32 = NDArray[np.float32]

WIDTH = 8
_LEAF = 4
_BINS = 16


def split(low: F32, high: F32, centre: F64) -> tuple[F32, I32, I32, I64]:
    """Split triangles, given by corners of their boxes and centres (T, 3), in two down to `_LEAF` of them.

    Returns boxes (N, 6); the first child of a node (its sibling follows), -1 for a leaf; first triangle and number
    of triangles (N, 2), 0 triangles for an inner node; and the triangles' order (T,).
    """
    n = len(low)
    box = np.full((2 * n, 6), np.inf, np.float32)
    box[:, 3:] = -np.inf
    left, content, order = np.full(2 * n, -1, np.int32), np.zeros((2 * n, 2), np.int32), np.arange(n)
    used = _split(low, high, centre, box, left, content, order)
    return box[:used], left[:used], content[:used], order


def widen(node_box: F32, left: I32, content: I32) -> tuple[F32, I32, I32, int]:
    """Collapse to nodes of eight children, opening the largest first; also return the stack that rays need."""
    n = len(left)
    boxes = np.full((n, 6, WIDTH), np.inf, np.float32)
    boxes[:, 3:] = -np.inf
    child, leaf = np.zeros((n, WIDTH), np.int32), np.full((n, WIDTH), -1, np.int32)
    used, depth = _widen(node_box, left, content, boxes, child, leaf)
    return boxes[:used].copy(), child[:used].copy(), leaf[:used].copy(), depth


@kernel
def _split(low: F32, high: F32, centre: F64, box: F32, left: I32, content: I32, order: I64) -> int:
    stack = np.empty((len(left), 3), np.int64)  # node, its first and last place in `order`
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, 0, len(order)
    waiting, used = 1, 1
    while waiting > 0:
        waiting -= 1
        node, first, last = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
        for i in range(first, last):
            for k in range(3):
                box[node, k] = min(box[node, k], low[order[i], k])
                box[node, k + 3] = max(box[node, k + 3], high[order[i], k])
        if last - first <= _LEAF:
            content[node, 0], content[node, 1] = first, last - first
            continue
        middle = _partition(low, high, centre, order, first, last)
        left[node] = used
        stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = used, first, middle
        stack[waiting + 1, 0], stack[waiting + 1, 1], stack[waiting + 1, 2] = used + 1, middle, last
        waiting += 2
        used += 2
    return used


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
def _best_split(low: F32, high: F32, centre: F64, order: I64, first: int, last: int) -> tuple[int, int, float, float]:
    """Return axis, first upper bin, origin and scale of the bins; axis -1 if all centres coincide."""
    best, best_axis, best_bin, best_origin, best_scale = np.inf, -1, 0, 0.0, 0.0
    bin_box, bin_count = np.empty((_BINS, 6)), np.empty(_BINS, np.int64)
    for axis in range(3):
        lowest, highest = np.inf, -np.inf
        for i in range(first, last):
            lowest = min(lowest, centre[order[i], axis])
            highest = max(highest, centre[order[i], axis])
        if highest - lowest < 1e-6:
            continue
        scale = _BINS * (1 - 1e-9) / (highest - lowest)
        for b in range(_BINS):
            bin_count[b] = 0
            for k in range(3):
                bin_box[b, k], bin_box[b, k + 3] = np.inf, -np.inf
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
    cost = np.empty(_BINS)
    box = np.empty(6)
    _empty(box)
    total = 0
    for b in range(_BINS - 1, 0, -1):
        total += bin_count[b]
        _grow(box, bin_box, b)
        cost[b] = _half_area(box) * total if total > 0 else np.inf
    _empty(box)
    total, best, place = 0, np.inf, 0
    for b in range(_BINS - 1):
        total += bin_count[b]
        _grow(box, bin_box, b)
        if total > 0 and _half_area(box) * total + cost[b + 1] < best:
            best, place = _half_area(box) * total + cost[b + 1], b + 1
    return best, place


@kernel
def _empty(box: F64) -> None:
    for k in range(3):
        box[k], box[k + 3] = np.inf, -np.inf


@kernel
def _grow(box: F64, others: F64, b: int) -> None:
    for k in range(3):
        box[k] = min(box[k], others[b, k])
        box[k + 3] = max(box[k + 3], others[b, k + 3])


@kernel
def _half_area(box: F64) -> float:
    x, y, z = box[3] - box[0], box[4] - box[1], box[5] - box[2]
    return float(x * y + y * z + z * x)


@kernel
def _widen(node_box: F32, left: I32, content: I32, boxes: F32, child: I32, leaf: I32) -> tuple[int, int]:
    stack = np.empty((len(left), 3), np.int64)  # binary node, wide node, entries below it on a ray's stack
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, 0, 0
    waiting, used, depth = 1, 1, 1
    members = np.empty(WIDTH, np.int64)
    while waiting > 0:
        waiting -= 1
        source, node, below = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
        m = _open_children(source, node_box, left, members)
        inner = 0
        for i in range(m):
            c = members[i]
            for k in range(6):
                boxes[node, k, i] = node_box[c, k]
            child[node, i], leaf[node, i] = content[c, 0], content[c, 1]
            inner += left[c] >= 0
        depth = max(depth, below + inner)
        for i in range(m):
            if left[members[i]] >= 0:
                child[node, i], leaf[node, i] = used, 0
                stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = members[i], used, below + inner - 1
                waiting += 1
                used += 1
    return used, depth


@kernel
def _open_children(source: int, node_box: F32, left: I32, members: I64) -> int:
    """Write up to eight binary nodes that together are `source` to `members`; return how many."""
    members[0] = source
    m = 1
    while m < WIDTH:
        largest, chosen = -1.0, -1
        for i in range(m):
            c = members[i]
            area = _half_area(node_box[c])
            if left[c] >= 0 and area > largest:
                largest, chosen = area, i
        if chosen < 0:
            break
        c = members[chosen]
        members[chosen], members[m] = left[c], left[c] + 1
        m += 1
    return m
