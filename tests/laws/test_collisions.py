"""Laws of impacts between free bodies: momentum is kept, and restitution is what the bodies' URDFs say."""

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.dynamics.point_force import PointForce
from twin.specs import BodySpec, CommandField
from twin.state import Commands

RATE, RADIUS = 500, 0.5
ERP, SLOP = 0.08, 1e-5
"""Share of their overlap, beyond the slop [m], by which PyBullet drives two bodies apart in a step: its contactERP."""
BALL = """<robot name="ball"><link name="base">
  <contact><restitution value="{restitution}"/><lateral_friction value="{friction}"/></contact>
  <inertial><mass value="{mass}"/>
    <inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/></inertial>
  <collision><geometry><sphere radius="0.5"/></geometry></collision>
</link></robot>"""
MASSES = np.array([1.0, 3.0])
INERTIAS = 0.4 * MASSES * RADIUS**2


@pytest.fixture
def collide(tmp_path, bullet):
    def run(restitution, aside=0.0, friction=0.0, ticks=1):
        """Let a ball of 1 kg meet one of 3 kg at 2 m/s; return the states in the tick before and after the impact.

        A step of the balls' takes some ticks; the impact is told of once.
        """
        groups = []
        for i, place in enumerate(((0.0, 0.0, 0.0), (2.0015, aside, 0.0))):
            urdf = tmp_path / f"ball{i}.urdf"
            surface = {"restitution": restitution, "friction": friction}
            urdf.write_text(BALL.format(mass=MASSES[i], inertia=INERTIAS[i], **surface))
            field = CommandField(name="f", size=3, unit="N")
            spec = BodySpec(urdf=urdf, dynamics="force", command=(field,), rate=RATE)
            turn = np.array([[0.0, 0.0, 0.0, 1.0]])
            groups.append(BodyGroup(f"g{i}", spec, PointForce({}, 1), np.array([place]), turn, [f"b{i}"]))
        physics = bullet(RATE * ticks, groups, gravity=0.0)
        before = physics.bodies
        still = np.zeros((1, 3))
        push = np.array([[MASSES[0] * 2.0 * RATE, 0.0, 0.0]])  # to 2 m/s in one step
        for tick in range(1000 * ticks):
            after, events = physics.step(Commands({"g0": push if tick < ticks else still, "g1": still}))
            if events:
                assert [(e.kind, e.robot, e.detail) for e in events] == [("contact", "b0", "b1")]
                assert not any(physics.step(Commands({"g0": still, "g1": still}))[1] for _ in range(3 * ticks))
                return before, after
            before = after
        raise AssertionError("they never met")

    return run


@pytest.mark.parametrize("restitution", [1.0, 0.5, 0.0])
def test_two_balls_that_meet_head_on_part_as_newton_says(collide, restitution):
    """Closing speed v gives e1 e2 v, and a share of the overlap of the discrete step; momentum is kept to rounding."""
    before, after = collide(restitution)
    assert MASSES @ after.velocity == pytest.approx(MASSES @ before.velocity, abs=1e-12)
    overlap = 2 * RADIUS - (before.position[1, 0] - before.position[0, 0])
    assert SLOP < overlap < 2.0 / RATE, "found in the tick after they met"
    parting = after.velocity[1, 0] - after.velocity[0, 0]
    assert parting == pytest.approx(restitution**2 * 2.0 + ERP * (overlap - SLOP) * RATE, abs=1e-9)
    assert np.abs(after.angular_velocity).max() == 0.0


def test_an_impact_is_the_same_in_finer_ticks_than_steps(collide):
    (before, after), (seen_before, seen_after) = collide(0.5), collide(0.5, ticks=4)
    assert before.position.tobytes() == seen_before.position.tobytes()
    assert after.velocity.tobytes() == seen_after.velocity.tobytes()


@pytest.mark.parametrize(("restitution", "friction"), [(1.0, 0.0), (0.0, 0.0), (0.5, 0.7)])
def test_linear_and_angular_momentum_are_kept_in_a_glancing_impact(collide, restitution, friction):
    """Bullet lets the impulse act on each ball at its own surface: L is off by impulse times overlap at most."""
    before, after = collide(restitution, aside=0.4, friction=friction)
    assert MASSES @ after.velocity == pytest.approx(MASSES @ before.velocity, abs=1e-12)

    def angular(state):
        orbital = MASSES[:, None] * np.cross(before.position, state.velocity)
        return (orbital + INERTIAS[:, None] * state.angular_velocity).sum(axis=0)

    impulse = float(np.linalg.norm(MASSES[0] * (after.velocity[0] - before.velocity[0])))
    overlap = 2 * RADIUS - float(np.linalg.norm(before.position[1] - before.position[0]))
    assert angular(after) == pytest.approx(angular(before), abs=impulse * abs(overlap) + 1e-9)
    spins = np.abs(after.angular_velocity[:, 2])
    assert (spins > 0.1).all() if friction else (spins < 1e-9).all()
