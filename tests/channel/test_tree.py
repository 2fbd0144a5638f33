import numpy as np

from twin.channel.search import shared
from twin.channel.search.images import Walls
from twin.channel.search.planes import build_scene
from twin.channel.search.shared import KEPT, discover_first, scene_of
from twin.channel.search.tree import Tree
from twin.world.builder import GeometryBuilder

OPAQUE = Walls(np.full(1, np.inf), 0.0, 4)
THIN = Walls(np.full(1, 3.0), 30.0, 4)


def room():
    """A closed room of six planes, seen from inside."""
    builder = GeometryBuilder()
    builder.add_box((0.0, 0.0, 0.0), (6.0, 5.0, 3.0), "brick", builder.add_object("room"))
    return build_scene(builder.build())


def rows(tree):
    return [
        tuple(s[:o])
        for s, o in zip(tree.rows.sequence[: tree.count].tolist(), tree.rows.order[: tree.count].tolist(), strict=True)
    ]


def test_a_room_shows_every_sequence_of_two_different_walls_once():
    tree = Tree(room(), OPAQUE, 2)
    found = tree.discover(np.array([2.0, 3.0, 1.0]), 20_000, 0)
    assert found == 6 * 5
    assert set(rows(tree)) == {(p,) for p in range(6)} | {(p, q) for p in range(6) for q in range(6) if p != q}
    assert len(rows(tree)) == 36
    assert tree.discover(np.array([2.1, 3.0, 1.0]), 20_000, 1) == 0


def test_images_of_images():
    """In opposite walls 6 m apart each image is twice that distance further."""
    tree = Tree(room(), OPAQUE, 2)
    tree.discover(np.array([2.0, 3.0, 1.0]), 20_000, 0)
    tree.mirror(np.array([2.0, 3.0, 1.0]))
    normal, offset = tree.scene.normal, tree.scene.offset
    west, east = (
        int(np.flatnonzero(np.isclose(normal[:, 0], n) & np.isclose(offset, d))[0]) for n, d in ((-1, 0), (1, 6))
    )
    row = rows(tree).index((west, east))
    np.testing.assert_allclose(tree.rows.image[row], [[-2.0, 3.0, 1.0], [14.0, 3.0, 1.0]], atol=1e-12)


def test_what_was_not_seen_for_long_is_forgotten_and_can_be_found_again():
    tree = Tree(room(), OPAQUE, 2)
    tree.discover(np.array([2.0, 3.0, 1.0]), 20_000, 0)
    tree.discover(np.array([2.0, 3.0, 1.0]), 10, 7)
    tree.forget(7)
    assert 6 <= tree.count < 36
    assert set(rows(tree)) >= {(p,) for p in range(6)}
    tree.discover(np.array([2.0, 3.0, 1.0]), 20_000, 8)
    assert sorted(rows(tree)) == sorted(set(rows(tree))) and tree.count == 36


def test_a_first_search_from_the_same_place_is_shared_and_is_the_same(monkeypatch):
    """Row for row as if it had been shot; another place, or walls that let waves pass, are searched by themselves."""
    monkeypatch.setattr(shared, "_found", shared.OrderedDict())
    place, shots = np.array([2.0, 3.0, 1.0]), []
    shoot = Tree.discover
    monkeypatch.setattr(Tree, "discover", lambda self, *given: shots.append(given) or shoot(self, *given))
    plain, first, again, other, thin = (Tree(room(), walls, 2) for walls in (*[OPAQUE] * 4, THIN))
    shoot(plain, place, 20_000, 0)
    for tree in (first, again):
        discover_first(tree, place, 20_000, 0)
    assert len(shots) == 1 and again.launches == plain.launches == 1
    for tree in (first, again):
        for mine, wanted in zip(tree.rows, plain.rows, strict=True):
            np.testing.assert_array_equal(mine, wanted)
    again.mirror(place)
    shoot(again, np.array([1.0, 1.0, 1.0]), 20_000, 3)
    third = Tree(room(), OPAQUE, 2)
    discover_first(third, place, 20_000, 0)
    np.testing.assert_array_equal(third.rows.seen, plain.rows.seen)
    assert len(shots) == 1, "what a tree learns later stays its own"
    discover_first(other, place + 0.1, 20_000, 0)
    discover_first(thin, place, 20_000, 0)
    assert len(shots) == 3
    for i in range(2 * KEPT):
        discover_first(Tree(room(), OPAQUE, 2), place + 0.01 * i, 100, 0)
    assert len(shared._found) == KEPT


def test_a_scene_is_built_once_for_a_geometry():
    builder = GeometryBuilder()
    builder.add_box((0.0, 0.0, 0.0), (6.0, 5.0, 3.0), "brick", builder.add_object("room"))
    geometry = builder.build()
    assert scene_of(geometry) is scene_of(geometry)
