"""Laws of rooms: boxes against triangles, how far joints reach, and that nothing touches while all are in theirs."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twin.mechanism.kinematics import link_frames
from twin.mechanism.tree import read_mechanism
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.interaction import levers
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.point_force import PointForce
from twin.specs import BodySpec, CommandField
from twin.state import Commands
from twin.world.boxes import box_meets, triangle_meets
from twin.world.bvh import MISS, build_bvh, closest_hits

DATA = Path(find_spec("pybullet_data").submodule_search_locations[0])
BOX = """<robot name="box"><link name="base">
  <inertial><mass value="1"/><inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/></inertial>
  <collision><geometry><box size="0.3 0.4 0.5"/></geometry></collision>
</link></robot>"""
FLOOR = np.array([[-99.0, -99, 0], [99, -99, 0], [99, 99, 0], [-99, 99, 0]]), np.array([[0, 1, 2], [0, 2, 3]])
OBJ = "v -99 -99 0\nv 99 -99 0\nv 99 99 0\nv -99 99 0\nf 1 2 3\nf 1 3 4\n"


def clipped(triangle, low, high):
    """Return the corners of what of a triangle is in a box (Sutherland and Hodgman)."""
    corners = list(triangle)
    for axis in range(3):
        for sign, bound in ((1.0, high[axis]), (-1.0, -low[axis])):
            kept = []
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                inside_a, inside_b = bound - sign * a[axis], bound - sign * b[axis]
                if inside_a >= 0:
                    kept.append(a)
                if inside_a * inside_b < 0:
                    kept.append(a + (b - a) * inside_a / (inside_a - inside_b))
            corners = kept
            if not corners:
                return []
    return corners


def test_a_triangle_meets_a_box_where_clipping_leaves_something_of_it():
    rng, met = np.random.default_rng(3), 0
    for _ in range(5000):
        triangle = rng.uniform(-2, 2, (3, 3)) * rng.choice([0.3, 1.0, 3.0])
        middle, half = rng.uniform(-1, 1, 3), rng.uniform(0.05, 1.0, 3)
        low, high = middle - half, middle + half
        expected = bool(clipped(triangle, low, high))
        met += expected
        assert triangle_meets(triangle.ravel(), tuple(low), tuple(high)) == expected
    assert 500 < met < 4500, "both answers were asked for"


def test_a_box_meets_the_scenery_where_it_meets_one_of_its_triangles():
    rng = np.random.default_rng(4)
    corners = rng.uniform(-20, 20, (300, 1, 3)) + rng.uniform(-1, 1, (300, 3, 3))
    bvh = build_bvh(corners.reshape(-1, 3), np.arange(900, dtype=np.int32).reshape(-1, 3))
    for _ in range(1000):
        low = rng.uniform(-20, 20, 3)
        high = low + rng.uniform(0.1, 4.0, 3)
        expected = any(triangle_meets(c.ravel(), tuple(low), tuple(high)) for c in corners)
        assert box_meets(bvh, tuple(low), tuple(high)) == expected


def test_of_no_triangles_none_is_met():
    bvh = build_bvh(np.empty((0, 3)), np.empty((0, 3), dtype=np.int32))
    assert not box_meets(bvh, (-9.0, -9.0, -9.0), (9.0, 9.0, 9.0))
    triangle, t = closest_hits(bvh, np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), 0.0, 5.0)
    assert (triangle[0], t[0]) == (MISS, 5.0)


@pytest.mark.parametrize("model", ["kuka_iiwa/model.urdf", "franka_panda/panda.urdf"])
def test_no_point_of_an_arm_moves_further_than_its_levers_say(model):
    """|dx| <= sum_j lever_j |dq_j|, of points 0.1 m round each link's frame, between any two places of the joints."""
    mechanism = read_mechanism(DATA / model)
    tree, rng = mechanism.tree, np.random.default_rng(5)
    far = levers(mechanism, dict.fromkeys(mechanism.links, 0.1))
    n, tightest = len(far), np.inf
    lower, upper = (np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))

    def points(q):
        turn, place = np.empty((n, 3, 3)), np.empty((n, 3))
        link_frames(tree, q, turn, place)
        return place[:, None] + 0.1 * np.concatenate([turn, -turn], axis=2).transpose(0, 2, 1)

    for scale in (1e-3, 0.1, 1.0):
        for _ in range(200):
            q = rng.uniform(lower, upper)
            other = np.clip(q + scale * rng.uniform(-1, 1, n) * (upper - lower), lower, upper)
            moved = np.linalg.norm(points(q) - points(other), axis=2).max()
            tightest = min(tightest, far @ np.abs(q - other) - moved)
    assert tightest >= 0


@pytest.fixture
def boxes(tmp_path):
    """Return make(known): 12 boxes over a floor of which the hierarchy is known or not."""
    (tmp_path / "box.urdf").write_text(BOX)
    (tmp_path / "floor.obj").write_text(OBJ)
    field = (CommandField(name="f", size=3, unit="N"),)
    spec = BodySpec(urdf=tmp_path / "box.urdf", dynamics="force", command=field)
    rng, made = np.random.default_rng(6), []
    places = np.array([[1.5 * (i % 4), 1.5 * (i // 4), 2.0] for i in range(12)]) + rng.uniform(-0.2, 0.2, (12, 3))
    turn = rng.normal(size=(12, 4))
    turn /= np.linalg.norm(turn, axis=1)[:, None]
    names = [f"b{i}" for i in range(12)]

    def make(known):
        group = BodyGroup("b", spec, PointForce({}, 12), places, turn, names)
        bvh = build_bvh(FLOOR[0], FLOOR[1].astype(np.int32)) if known else None
        physics = BulletPhysics(500, [group], tmp_path / "floor.obj", bvh=bvh)
        physics.reset()
        made.append(physics)
        return physics

    yield make
    for physics in made:
        physics.close()


def test_bodies_that_meet_do_so_as_if_bullet_had_stepped_all_the_time(boxes):
    """Pulled to their middle they hit each other; up to the first contact all agrees to rounding."""
    known, unknown = boxes(True), boxes(False)
    clear, first = 0, None
    for tick in range(1000):
        pull = 4.0 * ([2.2, 1.5, 2.0] - known.bodies.position) + [0.0, 0.0, 9.0]
        (a, events), (b, expected) = known.step(Commands({"b": pull})), unknown.step(Commands({"b": pull}))
        clear += known.worlds[0].clear
        assert [(e.time, e.robot, e.detail) for e in events] == [(e.time, e.robot, e.detail) for e in expected]
        assert a.position == pytest.approx(b.position, abs=(tick + 1) * 20 * 2.0**-53)
        if expected:
            first = tick
            break
    assert first is not None and 20 < clear < first, "clear for some time, but not at the contact"


def test_bodies_at_rest_on_the_floor_are_bullets_and_rise_clear_of_it(boxes):
    physics, falling = boxes(True), Commands({"b": np.zeros((12, 3))})
    for _ in range(1500):
        physics.step(falling)
    assert not physics.worlds[0].clear and physics.bodies.position[:, 2].min() < 0.3
    apart = physics.bodies.position - physics.bodies.position.mean(axis=0)
    rise = Commands({"b": 3.0 * apart * [1, 1, 0] + [0, 0, 25.0]})
    for _ in range(1000):
        physics.step(rise)
    assert physics.worlds[0].clear
