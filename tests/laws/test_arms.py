"""Laws of arms: gravity in the joints, drives, brakes, what PyBullet makes of them, and who can't touch whom."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twin.mechanism.dynamics import inverse_dynamics
from twin.mechanism.joint_path import joints_at, plan_joints
from twin.mechanism.kinematics import Posture, inverse_kinematics, tool_jacobian, tool_pose
from twin.mechanism.tree import Frame, read_mechanism, with_load
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.interaction import packed
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.state import Commands

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(find_spec("pybullet_data").submodule_search_locations[0])
MODELS = ["kuka_iiwa/model.urdf", "franka_panda/panda.urdf"]
DOWN = (0.0, 0.0, -9.81)
RATE = 1000


@pytest.fixture
def arms(bullet):
    """Return physics, dynamics and kind of n arms side by side."""
    def make(name, n=1, apart=10.0, **parameters):
        kind = load_kind(ROOT / "agents" / name)
        body = kind.body
        dynamics = make_dynamics(body.dynamics, {**body.parameters, **parameters}, n, ROOT, body.urdf)
        place, turn = np.array([[apart * i, 0, 0] for i in range(n)]), np.tile([0.0, 0, 0, 1], (n, 1))
        group = BodyGroup("arm", body, dynamics, place, turn, [f"arm{i}" for i in range(n)])
        physics = bullet(RATE, [group])
        return physics, dynamics, body

    return make


def rest(body, n=1, **changes):
    command = np.tile(body.vector("initial"), (n, 1))
    for name, value in changes.items():
        command[:, body.components.index(name)] = value
    return Commands({"arm": command})


@pytest.mark.parametrize("model", MODELS)
def test_gravity_in_the_joints_is_that_of_the_jacobians_of_all_centres_of_mass(model):
    """Virtual work: tau = -sum_i m_i J_i^T g, with J_i of link i's centre of mass."""
    mechanism = read_mechanism(DATA / model)
    tree, rng = mechanism.tree, np.random.default_rng(1)
    for q in rng.uniform(-1, 1, (20, len(tree.mass))):
        zero = np.zeros_like(q)
        frames = [Frame(row, tree.centre[row], np.eye(3)) for row in range(len(q))]
        work = -sum(m * tool_jacobian(tree, f, q)[:3].T @ DOWN for m, f in zip(tree.mass, frames, strict=True))
        assert inverse_dynamics(tree, q, zero, zero, DOWN) == pytest.approx(work, abs=1e-12)


@pytest.mark.parametrize(("model", "link"), [(MODELS[0], "lbr_iiwa_link_7"), (MODELS[1], "panda_hand")])
def test_the_jacobian_is_the_derivative_of_the_pose_and_inverse_kinematics_its_inverse(model, link):
    mechanism = read_mechanism(DATA / model)
    tree, tool = mechanism.tree, mechanism.tool(link, (0.0, 0.02, 0.1))
    lower, upper = (np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))
    rng, h = np.random.default_rng(2), 1e-6
    for _ in range(5):
        q = lower + rng.uniform(0.3, 0.7, len(lower)) * (upper - lower)
        jacobian = tool_jacobian(tree, tool, q)
        for j in range(len(q)):
            step = np.eye(len(q))[j] * h
            slope = (tool_pose(tree, tool, q + step)[0] - tool_pose(tree, tool, q - step)[0]) / (2 * h)
            assert jacobian[:3, j] == pytest.approx(slope, abs=1e-8)  # h^2 and rounding 1e-16/h
        place, turn = tool_pose(tree, tool, q)
        near = np.clip(q + rng.uniform(-0.2, 0.2, len(q)), lower, upper)
        found = inverse_kinematics(tree, tool, Posture(lower, upper, near), near, place, turn, 100)
        at, axes = tool_pose(tree, tool, found)
        assert at == pytest.approx(place, abs=1e-4) and axes == pytest.approx(turn, abs=1e-3)


def test_a_load_is_a_welded_link(tmp_path):
    """A tree with a load takes the same efforts as that of a URDF in which the load is a link."""
    mechanism = read_mechanism(DATA / MODELS[0])
    link = '<inertial><mass value="2"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>'
    welded = f"""<link name="load">{link}</link><joint name="weld" type="fixed"><origin xyz="0.02 0.1 0.2"/>
      <parent link="lbr_iiwa_link_7"/><child link="load"/></joint></robot>"""
    (tmp_path / "loaded.urdf").write_text((DATA / MODELS[0]).read_text().replace("</robot>", welded))
    expected = read_mechanism(tmp_path / "loaded.urdf").tree
    tree = with_load(mechanism.tree, mechanism.tool("lbr_iiwa_link_7", (0.02, 0.1, 0.2)), 2.0, 0.01)
    for q, speed, gain in np.random.default_rng(3).uniform(-1, 1, (10, 3, 7)):
        efforts = [inverse_dynamics(t, q, speed, gain, DOWN) for t in (tree, expected)]
        assert efforts[0] == pytest.approx(efforts[1], abs=1e-10)


def test_planned_joints_lead_the_tool_along_its_path_and_come_back():
    """Between points 5 mm apart a cubic spline is off by far less than the 1 mm that each of them may be."""
    mechanism, body = read_mechanism(DATA / MODELS[0]), load_kind(ROOT / "agents/kuka").body
    tool, start = mechanism.tool("lbr_iiwa_link_7"), body.joint_start()
    bounds = tuple(np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))
    first, turn = tool_pose(mechanism.tree, tool, start)

    def place(way):  # once round a circle of 10 cm
        return first + 0.1 * np.array([0.0, np.sin(way / 0.1), 1 - np.cos(way / 0.1)])

    path, h = plan_joints(mechanism.tree, tool, bounds, start, place, 0.2 * np.pi), 1e-5
    for way in np.linspace(0, 1.5 * path.length, 50):
        joints, change = joints_at(path, way)
        at, axes = tool_pose(mechanism.tree, tool, joints)
        assert at == pytest.approx(place(way), abs=1e-3) and axes == pytest.approx(turn, abs=5e-3)
        slope = (joints_at(path, way + h)[0] - joints_at(path, way - h)[0]) / (2 * h)
        assert change == pytest.approx(slope, abs=1e-4)
    assert joints_at(path, path.length)[0] == pytest.approx(start, abs=1e-3)
    with pytest.raises(ValueError, match="misses"):
        plan_joints(mechanism.tree, tool, bounds, start, lambda way: 3 * place(way), path.length)


@pytest.mark.parametrize("name", ["kuka", "panda"])
def test_drives_that_only_make_up_for_gravity_leave_the_arm_where_it_is(arms, name):
    """Bullet's arm is the rigid arm of the URDF: what is left is the rounding of its URDF reader, 32-bit poses."""
    physics, _, body = arms(name, interface="effort")
    start = physics.bodies
    command = rest(body)
    command.values["arm"][:, :7] = 0.0
    for _ in range(500):
        bodies, _ = physics.step(command)
    assert bodies.joint_position[:7] == pytest.approx(start.joint_position[:7], abs=1e-6)
    tree, still = read_mechanism(body.urdf).tree, np.zeros(len(body.start))
    gravity = inverse_dynamics(tree, start.joint_position, still, still, DOWN)
    assert bodies.joint_effort[:7] == pytest.approx(gravity[:7], abs=1e-3)


@pytest.mark.parametrize("name", ["kuka", "panda"])
def test_the_position_loop_answers_a_step_as_a_critically_damped_one(arms, name):
    """q = a (1 - (1 + w t) exp(-w t)); sampling at dt delays by dt/2, so it is off by less than a w dt."""
    physics, dynamics, body = arms(name)
    start = physics.bodies.joint_position.copy()
    w, step = dynamics.drives.rate, 0.0005 * np.array([1, -1, 1, 1, -1, 1, -1])
    command = rest(body)
    command.values["arm"][:, :7] += step
    for tick in range(1, 300):
        bodies, _ = physics.step(command)
        t = tick / RATE
        expected = step * (1 - (1 + w * t) * np.exp(-w * t))
        assert bodies.joint_position[:7] - start[:7] == pytest.approx(expected, abs=0.0005 * w / RATE)
    assert dynamics.saturated.tolist() == [0]


def test_a_joint_never_exceeds_its_velocity_nor_its_effort(arms):
    physics, _, body = arms("panda")
    command = rest(body, **{"position.0": 2.5, "position.5": 3.5})
    fastest, strongest = np.zeros(9), np.zeros(9)
    for _ in range(1500):
        bodies, _ = physics.step(command)
        fastest = np.maximum(fastest, np.abs(bodies.joint_velocity))
        strongest = np.maximum(strongest, np.abs(bodies.joint_effort))
    assert bodies.joint_position[[0, 5]] == pytest.approx([2.5, 3.5], abs=1e-3)
    assert 2.1 < fastest[0] <= 2.1751 and fastest[5] <= 2.6101 and np.all(strongest[:7] <= [87, 87, 87, 87, 12, 12, 12])


def test_brakes_stop_a_moving_arm_within_its_stopping_distance_and_hold_it(arms):
    physics, dynamics, body = arms("kuka", interface="velocity")
    start = physics.bodies.joint_position.copy()
    moving = rest(body, **{f"position.{i}": 0.0 for i in range(7)})
    moving.values["arm"][:, 0] = 1.0
    for _ in range(400):
        bodies, _ = physics.step(moving)
    speed, place = bodies.joint_velocity[0], bodies.joint_position[0]
    assert speed == pytest.approx(1.0, abs=1e-3)
    moving.values["arm"][:, -1] = 1.0
    for _ in range(1000):
        bodies, _ = physics.step(moving)
    d = dynamics.drives
    place += speed / (2 * RATE)  # the drives look in the middle of a step
    stop = place + speed / (2 * d.rate) + speed**2 / (2 * d.acceleration)
    assert bodies.joint_position[0] == pytest.approx(stop, abs=1e-4)
    assert np.abs(bodies.joint_velocity).max() < 1e-6
    assert bodies.joint_position[1:] == pytest.approx(start[1:], abs=1e-4), "the others stayed"


def test_arms_that_can_reach_each_other_share_a_world_and_no_others_need_to(arms, monkeypatch):
    monkeypatch.setattr("twin.physics.bullet.partition.packed", lambda sets: sets)
    far, _, _ = arms("kuka", n=3, apart=4.0)
    far.reset()
    assert [sorted(world.bodies) for world in far.worlds] == [[0], [1], [2]]
    near, _, _ = arms("kuka", n=3, apart=1.0)
    near.reset()
    assert [sorted(world.bodies) for world in near.worlds] == [[0, 1, 2]]


def test_sets_are_put_together_until_a_world_is_full():
    assert packed([[0, 3], [1], [2, 4, 5], [6]], 3) == [[0, 1, 3], [2, 4, 5], [6]]
    assert packed([[0, 1, 2, 3], [4]], 3) == [[0, 1, 2, 3], [4]], "what can touch stays together"


def test_worlds_apart_are_the_same_to_the_bit_as_one(arms, monkeypatch):
    runs = []
    for together in (False, True):
        physics, _, body = arms("kuka", n=2, apart=4.0)
        packed = (lambda s: [sum(s, [])]) if together else (lambda s: s)
        monkeypatch.setattr("twin.physics.bullet.partition.packed", packed)
        physics.reset()
        assert len(physics.worlds) == (1 if together else 2)
        command = rest(body, n=2, **{"position.3": -0.5})
        for _ in range(300):
            bodies, _ = physics.step(command)
        runs.append((bodies.joint_position.tobytes(), bodies.joint_effort.tobytes()))
    assert runs[0] == runs[1]
