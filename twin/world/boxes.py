"""Boxes against triangles: does anything of the world reach into a box whose edges are those of the axes."""

from __future__ import annotations

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross, dot
from twin.numerics.vectors import minus
from twin.state import F64
from twin.world.bvh import Bvh
from twin.world.bvh_build import WIDTH


@kernel
def box_meets(bvh: Bvh, low: Vector, high: Vector) -> bool:
    """Tell whether a triangle has a point in the box from `low` to `high` [m], its faces included."""
    boxes, stack, top = bvh.boxes, bvh.stack, 1
    stack[0, 1] = 0.0
    while top > 0:
        top -= 1
        node = int(stack[top, 1])
        for w in range(WIDTH):
            n, first = bvh.leaf[node, w], bvh.child[node, w]
            apart = n < 0
            for k in range(3):
                apart = apart or boxes[node, k, w] > high[k] or boxes[node, 3 + k, w] < low[k]
            if apart:
                continue
            if n == 0:
                stack[top, 1] = first
                top += 1
            for i in range(first, first + n):
                if triangle_meets(bvh.corners[i], low, high):
                    return True
    return False


@kernel
def triangle_meets(corners: F64, low: Vector, high: Vector) -> bool:
    """Tell whether a triangle, corners (9,) m, has a point in a box: no axis separates the two.

    Candidates are the box's axes, the triangle's normal, and the products of their edges (Akenine-Moeller, Fast 3D
    Triangle-Box Overlap Testing, Journal of Graphics Tools 6(1), 2001).
    """
    middle = (0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5 * (low[2] + high[2]))
    half = (0.5 * (high[0] - low[0]), 0.5 * (high[1] - low[1]), 0.5 * (high[2] - low[2]))
    a = minus((corners[0], corners[1], corners[2]), middle)
    b = minus((corners[3], corners[4], corners[5]), middle)
    c = minus((corners[6], corners[7], corners[8]), middle)
    edges = (minus(b, a), minus(c, b), minus(a, c))
    for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        if _parts(axis, a, b, c, half):
            return False
        for edge in edges:
            if _parts(cross(axis, edge), a, b, c, half):
                return False
    return not _parts(cross(edges[0], edges[1]), a, b, c, half)


@kernel
def _parts(axis: Vector, a: Vector, b: Vector, c: Vector, half: Vector) -> bool:
    """Tell whether a plane across `axis` has a triangle on one side, and the box about the origin on the other."""
    reach = abs(axis[0]) * half[0] + abs(axis[1]) * half[1] + abs(axis[2]) * half[2]
    x, y, z = dot(axis, a), dot(axis, b), dot(axis, c)
    return min(x, y, z) > reach or max(x, y, z) < -reach
