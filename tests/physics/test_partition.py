"""Which bodies share a world: geometry of where they can be, and what leaving it means."""

import numpy as np
import pytest
from pydantic import ValidationError

from twin.errors import RunError, ScenarioError
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.interaction import MARGIN, Regions, separate
from twin.physics.bullet.partition import worlds_of
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.point_force import PointForce
from twin.specs import BodySpec, CommandField
from twin.state import Commands

URDF = """<robot name="box"><link name="base">
  <inertial><mass value="1"/><inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/></inertial>
  <collision><geometry><box size="0.6 0.8 1.0"/></geometry></collision>
</link></robot>"""
HALF = np.sqrt(0.3**2 + 0.4**2 + 0.5**2)  # m, from the box's centre to its corner
LEFT, RIGHT = ((-5.0, -5.0, -5.0), (-1.0, 5.0, 5.0)), ((1.0, -5.0, -5.0), (5.0, 5.0, 5.0))


def regions(*spheres_or_boxes):
    low, high, radius = zip(*spheres_or_boxes, strict=True)
    return Regions(np.array(low, dtype=float), np.array(high, dtype=float), np.array(radius, dtype=float))


@pytest.fixture
def group(tmp_path):
    (tmp_path / "box.urdf").write_text(URDF)

    def make(name, place, zone=None, fixed=False):
        spec = BodySpec(
            urdf=tmp_path / "box.urdf", dynamics="force", zone=zone, fixed=fixed,
            command=(CommandField(name="f", size=3, unit="N"),),
        )  # fmt: skip
        return BodyGroup(name, spec, PointForce({}, 1), np.array([place]), np.array([[0.0, 0, 0, 1]]), [name])

    return make


def push(physics, steps, **force):
    held = Commands({name: np.array([value]) for name, value in force.items()})
    for _ in range(steps):
        bodies, _ = physics.step(held)
    return bodies


def test_rounded_boxes_are_apart_by_their_distance_less_their_radii():
    corner = 3.0 * np.sqrt(2)  # m, between the facing edges of two boxes, 3 m apart in x and y
    for gap, sets in ((0.5 * MARGIN, [[0, 1]]), (1.5 * MARGIN, [[0], [1]])):
        boxes = regions(((0, 0, 0), (1, 1, 1), 1.0), ((4, 4, 0), (9, 9, 1), corner - 1.0 - gap))
        assert separate(boxes) == sets
    point, anywhere = ((0, 0, 0), (0, 0, 0), 0.1), ((-np.inf,) * 3, (np.inf,) * 3, 0.0)
    assert separate(regions(point, ((9, 0, 0), (9, 0, 0), 0.1), anywhere)) == [[0, 1, 2]]


def test_a_zone_keeps_a_body_with_what_it_can_meet(group, monkeypatch):
    monkeypatch.setattr("twin.physics.bullet.partition.packed", lambda sets: sets)
    a, b = group("a", (-3.0, 0, 0), LEFT), group("b", (3.0, 0, 0), RIGHT)
    assert worlds_of([a, b], 500) == [(500, [0]), (500, [1])], "2 m between their zones, 2 x 0.71 m of bodies"
    assert 2.0 - 2 * HALF > MARGIN
    post = group("post", (-1.0 + 2 * HALF + 0.5 * MARGIN, 0, 0), fixed=True)
    assert worlds_of([a, b, post], 500) == [(500, [0, 1, 2])], "the post touches either zone"
    assert worlds_of([a, b, group("c", (0.0, 0, 9.0))], 500) == [(500, [0, 1, 2])], "without a zone it may be anywhere"


def test_worlds_by_zones_are_the_same_to_the_bit_as_one(group, monkeypatch):
    runs = []
    for together in (False, True):
        packed = (lambda s: [sum(s, [])]) if together else (lambda s: s)
        monkeypatch.setattr("twin.physics.bullet.partition.packed", packed)
        physics = BulletPhysics(500, [group("a", (-3.0, 0, 0), LEFT), group("b", (3.0, 0, 0), RIGHT)], gravity=0.0)
        physics.reset()
        assert len(physics.worlds) == (1 if together else 2)
        bodies = push(physics, 200, a=(2.0, 1.0, 0.0), b=(-1.0, 0.0, 3.0))
        runs.append((bodies.position.tobytes(), bodies.velocity.tobytes()))
        physics.close()
    assert runs[0] == runs[1]


def test_leaving_a_zone_ends_the_run_at_the_tick_at_which_it_does(group):
    physics = BulletPhysics(500, [group("a", (-3.0, 0, 0), LEFT)], gravity=0.0)
    physics.reset()
    # s = F n (n + 1) dt^2 / 2 by semi-implicit Euler with 8 N on 1 kg: 2 m are left behind in step 354
    push(physics, 353, a=(8.0, 0.0, 0.0))
    with pytest.raises(RunError, match=r"a left its zone at 708 ms: it is at \(-0\.99.*\) m, allowed: \(-5"):
        push(physics, 1, a=(8.0, 0.0, 0.0))
    physics.close()


def test_a_zone_must_be_a_box_round_the_start_of_what_moves(group):
    with pytest.raises(ScenarioError, match=r"starts outside of its zone") as error:
        BulletPhysics(500, [group("a", (3.0, 0, 0), LEFT)])
    assert "robots.a.spec.body.zone" in str(error.value)
    for wrong in ({"zone": (LEFT[1], LEFT[0])}, {"zone": LEFT, "fixed": True}):
        with pytest.raises(ValidationError, match="allowed: lower and upper corner"):
            group("a", (-3.0, 0, 0), **wrong)
