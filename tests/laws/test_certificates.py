"""Certificates of sequences that give no path: none gives one before its ends have moved as far as it says."""

import numpy as np
import pytest

from twin.channel.search.images import bounce_points, make_work, mirror_all
from twin.channel.search.planes import build_scene
from twin.world.builder import GeometryBuilder


def houses(rng):
    """Return a scene of turned houses on a ground."""
    builder = GeometryBuilder()
    square = np.array([[-99, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]], dtype=float)
    builder.add_polygon([square], "ground")
    for i in range(6):
        turn, at = rng.uniform(0.0, np.pi), rng.uniform(-60.0, 60.0, 2)
        across = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        ring = at + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(3.0, 15.0, 2)) @ across
        house, height = builder.add_object(f"house {i}"), rng.uniform(5.0, 40.0)
        builder.add_polygon([np.column_stack([ring, np.full(4, height)])], "brick", house)
        for k in range(4):
            a, b = ring[k], ring[(k + 1) % 4]
            wall = [[*a, 0.0], [*b, 0.0], [*b, height], [*a, height]]
            builder.add_polygon([np.array(wall)], "brick", house)
    return build_scene(builder.build())


@pytest.mark.parametrize("source_moves", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_no_sequence_gives_a_path_before_its_certificate_ends(order, source_moves):
    rng = np.random.default_rng(order)
    scene, work = houses(rng), make_work(order)
    planes, held, close = len(scene.offset), 0, 0

    def look(source, target, sequence):
        image = np.zeros((1, order, 3))
        mirror_all(scene, source, sequence[None], np.array([order]), 0, image)
        return bounce_points(scene, source_moves, target, sequence, image[0], order, work)

    def step(length):
        way = rng.normal(size=3)
        return length * way / np.linalg.norm(way)

    for _ in range(1500):
        sequence = rng.choice(planes, order, replace=False).astype(np.int32)
        source, target = (np.append(rng.uniform(-90.0, 90.0, 2), rng.uniform(1.0, 80.0)) for _ in range(2))
        found, budget = look(source, target, sequence)
        if found or budget < 1e-3:
            continue
        for _ in range(12):
            part = rng.uniform() if source_moves else 0.0
            moved = source + step(part * budget), target + step((1.0 - part) * budget)
            assert not look(*moved, sequence)[0]
            held += 1
        beyond = source + (step(2.0 * budget) if source_moves else 0.0), target + step(4.0 * budget)
        close += look(*beyond, sequence)[0]
    assert held > 1000
    assert order > 1 or close > 0  # there are paths not far beyond
