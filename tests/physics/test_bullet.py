"""Bodies in Bullet: order, contacts as events, rebuilding, refusals, silence."""

import subprocess
import sys

import numpy as np
import pytest

from twin.errors import RunError, ScenarioError
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.point_force import PointForce
from twin.specs import BodySpec, CommandField
from twin.state import Commands

URDF = """<robot name="box"><link name="base">
  <inertial><origin xyz="{xyz}" rpy="{rpy}"/><mass value="1"/>
    <inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/></inertial>
  <collision><geometry><box size="0.4 0.4 0.4"/></geometry></collision>
</link>{more}</robot>"""
HINGE = """<joint name="hinge" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 1 0"/>
  <limit lower="-3" upper="3" effort="10" velocity="10"/></joint>
<link name="arm"><inertial><origin xyz="0 0 -0.5"/><mass value="0.5"/>
  <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>"""
FLOOR = """v -50 -50 0
v 50 -50 0
v 50 50 0
v -50 50 0
f 1 2 3
f 1 3 4
"""


@pytest.fixture
def floor(tmp_path):
    path = tmp_path / "floor.obj"
    path.write_text(FLOOR)
    return path


@pytest.fixture
def physics(tmp_path):
    made = []

    def group(name, positions, xyz="0 0 0", rpy="0 0 0", more="", dynamics=None):
        urdf = tmp_path / f"{name}.urdf"
        urdf.write_text(URDF.format(xyz=xyz, rpy=rpy, more=more))
        spec = BodySpec(urdf=urdf, dynamics="force", command=(CommandField(name="f", size=3, unit="N"),))
        n = len(positions)
        turn = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
        names = [f"{name}-{i}" for i in range(n)]
        return BodyGroup(name, spec, dynamics or PointForce({}, n), np.array(positions, dtype=float), turn, names)

    def make(*groups, obj=None):
        world = BulletPhysics(500, [group(**table) for table in groups], obj)
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


def idle(**counts):
    return Commands({name: np.zeros((n, 3)) for name, n in counts.items()})


def run(world, commands, ticks):
    events = []
    for _ in range(ticks):
        bodies, new = world.step(commands)
        events += new
    return bodies, events


def test_bodies_stand_one_after_another_in_the_order_of_groups(physics):
    world = physics(dict(name="a", positions=[(0, 0, 1), (2, 0, 1)]), dict(name="b", positions=[(4, 0, 1)]))
    bodies = world.reset()
    assert world.names == ["a-0", "a-1", "b-0"]
    assert bodies.position.tolist() == [[0, 0, 1], [2, 0, 1], [4, 0, 1]]
    assert bodies.joint_offset.tolist() == [0, 0, 0, 0]
    commands = idle(a=2, b=1)
    commands.values["b"][0] = [5.0, 0.0, 9.81]
    bodies, _ = world.step(commands)
    assert bodies.velocity[2] == pytest.approx([5.0 / 500, 0.0, 0.0], abs=1e-15)


def test_a_landing_is_one_event_with_the_speed_before_it(physics, floor):
    world = physics(dict(name="a", positions=[(0, 0, 1.2)]), obj=floor)
    world.reset()
    _, events = run(world, idle(a=1), 1000)
    (event,) = events
    assert (event.kind, event.robot, event.detail) == ("contact", "a-0", "world")
    # 1 m of fall down to the half height of 0.2 m; Bullet's contact margins act up to 4 cm early
    assert np.sqrt(2 * 9.81 * 0.96) < event.value <= np.sqrt(2 * 9.81) + 9.81 / 500
    assert event.time == pytest.approx(np.sqrt(2 / 9.81) * 1e9, abs=15e6)


def test_what_touches_from_the_start_is_no_event_and_leaving_and_coming_back_is_one(physics, floor):
    world = physics(dict(name="a", positions=[(0, 0, 0.2)]), obj=floor)
    world.reset()
    commands = idle(a=1)
    assert run(world, commands, 200)[1] == []
    commands.values["a"][0, 2] = 15.0
    assert run(world, commands, 200)[1] == []
    commands.values["a"][0, 2] = 0.0
    _, events = run(world, commands, 800)
    assert [event.detail for event in events] == ["world"]


def test_two_bodies_that_meet_are_one_event_that_names_both(physics):
    world = physics(dict(name="a", positions=[(0, 0, 50)]), dict(name="b", positions=[(1, 0, 50)]))
    world.reset()
    commands = idle(a=1, b=1)
    commands.values["a"][0] = [20.0, 0.0, 0.0]
    _, events = run(world, commands, 300)
    assert [(event.kind, event.robot, event.detail) for event in events] == [("contact", "a-0", "b-0")]


def test_reset_rebuilds_the_same_world_bit_for_bit(physics, floor):
    world = physics(dict(name="a", positions=[(0, 0, 1), (0.1, 0, 1.6)]), obj=floor)
    runs = []
    for _ in range(2):
        world.reset()
        bodies, events = run(world, idle(a=2), 700)
        runs.append((bodies.position.tobytes(), bodies.angular_velocity.tobytes(), repr(events)))
    assert runs[0] == runs[1]


def test_state_is_that_of_the_centre_of_mass_in_the_bodys_own_axes(physics):
    world = physics(dict(name="a", positions=[(0, 0, 1)], xyz="0.1 0 0.05", rpy="0.3 -0.2 0.5"))
    bodies = world.reset()
    assert bodies.position[0] == pytest.approx([0.1, 0.0, 1.05], abs=1e-15)
    assert bodies.orientation[0] == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-15)


def test_joints_swing_freely_and_have_their_own_offsets(physics):
    world = physics(dict(name="a", positions=[(0, 0, 50)]), dict(name="b", positions=[(3, 0, 50)], more=HINGE))
    assert world.reset().joint_offset.tolist() == [0, 0, 1]
    commands = idle(a=1, b=1)
    commands.values["b"][0] = [5.0, 0.0, 0.0]
    bodies, _ = run(world, commands, 50)
    assert bodies.joint_position.shape == bodies.joint_velocity.shape == (1,)
    assert abs(bodies.joint_position[0]) > 0.01


def test_a_state_that_is_not_finite_ends_the_run_with_the_robots_name(physics):
    world = physics(dict(name="a", positions=[(0, 0, 1), (2, 0, 1)]))
    world.reset()
    commands = idle(a=2)
    commands.values["a"][1] = [np.nan, 0.0, 0.0]
    with pytest.raises(RunError, match="a-1"):
        world.step(commands)


def test_mass_of_parameters_and_urdf_must_agree(physics):
    class Heavy(PointForce):
        mass, inertia = 1.2, np.array([0.02, 0.03, 0.04])

    world = physics(dict(name="a", positions=[(0, 0, 1)], dynamics=Heavy({}, 1)))
    with pytest.raises(ScenarioError, match=r"a\.urdf: mass of the URDF is 1\.0.*1\.2"):
        world.reset()


def test_a_missing_world_is_refused(physics, tmp_path):
    with pytest.raises(ScenarioError, match=r"gone\.obj"):
        physics(dict(name="a", positions=[(0, 0, 1)]), obj=tmp_path / "gone.obj")


def test_a_world_that_bullet_can_not_read_is_refused(physics, tmp_path):
    (tmp_path / "empty.obj").write_text("# nothing\n")
    with pytest.raises(ScenarioError, match=r"empty\.obj"):
        physics(dict(name="a", positions=[(0, 0, 1)]), obj=tmp_path / "empty.obj").reset()


def test_importing_bullet_prints_nothing():
    done = subprocess.run(
        [sys.executable, "-c", "import twin.physics.bullet.physics"], capture_output=True, text=True, check=True
    )
    assert done.stdout == done.stderr == ""


def test_loading_prints_nothing(physics, floor, capfd):
    physics(dict(name="a", positions=[(0, 0, 1)], more=HINGE), obj=floor).reset()
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
