"""Links on fixed joints: a body of several pieces moves as the one body that it is, near things and far from them."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.mechanism.tree import read_mechanism
from twin.mechanism.urdf import check_urdf, collision_points
from twin.mechanism.weld import welded, with_inertia
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.point_force import PointForce
from twin.specs import BodySpec, CommandField
from twin.state import Commands

RATE = 500


def link(name, mass=0.0, inertia=(0.0, 0.0, 0.0), shape=""):
    xx, yy, zz = inertia
    return (f'<link name="{name}"><inertial><mass value="{mass}"/><inertia ixx="{xx}" ixy="0" ixz="0" iyy="{yy}" '
            f'iyz="0" izz="{zz}"/></inertial>{shape}</link>')  # fmt: skip


def joint(name, kind, parent, child, xyz="0 0 0", rpy="0 0 0", more=""):
    return (f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
            f'<origin xyz="{xyz}" rpy="{rpy}"/>{more}</joint>')  # fmt: skip


BOX = '<collision><geometry><box size="0.2 0.2 0.2"/></geometry></collision>'
HUB = link("hub", 2.0, (0.02, 0.03, 0.04), BOX)
FRAME = '<link name="frame"/>'  # as cameras' optical frames are: no mass, no shape
CAMERA = link("camera", 0.5, (0.001, 0.002, 0.003), BOX)
# The frame sits 0.3 m ahead of the hub and is turned by a quarter about z; the camera 0.4 m along the frame's x.
CHAIN = (HUB, FRAME, CAMERA, joint("mount", "fixed", "hub", "frame", "0.3 0 0", f"0 0 {np.pi / 2!r}"),
         joint("lens", "fixed", "frame", "camera", "0.4 0 0"))  # fmt: skip
CENTRE = np.array([0.3, 0.4, 0.0]) * 0.5 / 2.5
ARMS = (-CENTRE, np.array([0.3, 0.4, 0.0]) - CENTRE)
HINGE = '<axis xyz="0 1 0"/><limit lower="-9" upper="9" effort="1" velocity="9"/>'
SWING = (link("rod", 0.4, (1e-3, 1e-3, 1e-3)), joint("hinge", "revolute", "camera", "rod", more=HINGE))


def written(folder, *parts):
    path = folder / "body.urdf"
    path.write_text(f'<robot name="r">{"".join(parts)}</robot>')
    return path


def flown(urdf, force, seconds, floor=None, height=10.0):
    spec = BodySpec(urdf=urdf, dynamics="force", command=(CommandField(name="f", size=3, unit="N"),))
    start, turn = np.array([[0.0, 0.0, height]]), np.array([[0.0, 0.0, 0.0, 1.0]])
    physics = BulletPhysics(RATE, [BodyGroup("b", spec, PointForce({}, 1), start, turn, ["b"])], floor)
    states = [physics.reset()]
    for _ in range(round(seconds * RATE)):
        states.append(physics.step(Commands({"b": np.array([force])}))[0])
    physics.close()
    return states


def test_the_whole_has_the_mass_centre_and_inertia_of_its_pieces(tmp_path):
    """Parallel axes (Steiner), with the camera's axes turned by a quarter."""
    path = welded(written(tmp_path, *CHAIN))
    inertia = np.diag([0.02, 0.03, 0.04]) + np.diag([0.002, 0.001, 0.003])
    for mass, arm in zip((2.0, 0.5), ARMS, strict=True):
        inertia = inertia + mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    check_urdf(path)
    assert read_mechanism(path).base_centre == pytest.approx(CENTRE)
    inertial = path.read_text().split("<inertial>")[1]
    found = [float(inertial.split(f'{name}="')[1].split('"')[0]) for name in ("ixx", "ixy", "iyy", "izz")]
    assert found == pytest.approx([inertia[0, 0], inertia[0, 1], inertia[1, 1], inertia[2, 2]], abs=1e-12)
    corners = collision_points(path)
    assert corners.max(axis=0) == pytest.approx([0.4, 0.5, 0.1] - CENTRE), "the camera's shape is where it was"


@pytest.mark.parametrize("scenery", [False, True])
def test_a_camera_on_a_free_body_flies_along(tmp_path, scenery):
    """F = m a of both together, in free space and in a world that Bullet steps."""
    floor = None
    if scenery:
        floor = tmp_path / "floor.obj"
        floor.write_text("v -50 -50 0\nv 50 -50 0\nv 0 50 0\nf 1 2 3\n")
    states = flown(written(tmp_path, *CHAIN), [5.0, 0.0, 2.5 * 9.81], 0.5, floor)
    assert states[-1].velocity[0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)
    assert np.linalg.norm(states[-1].angular_velocity[0]) < 1e-9, "a force at the centre of mass turns nothing"


def test_a_body_of_two_pieces_lands_on_its_lower_one(tmp_path):
    """The camera hangs below: the hub's centre of mass stays above the floor by what the camera needs."""
    floor = tmp_path / "floor.obj"
    floor.write_text("v -50 -50 0\nv 50 -50 0\nv 0 50 0\nf 1 2 3\n")
    below = (HUB, CAMERA, joint("mount", "fixed", "hub", "camera", "0 0 -0.5"))
    states = flown(written(tmp_path, *below), [0.0, 0.0, 0.0], 2.0, floor, height=1.0)
    rest = 0.1 + 0.5 * 2.0 / 2.5  # half the camera's box, and from its centre to that of both
    assert states[-1].position[0, 2] == pytest.approx(rest, abs=0.01)


def test_a_pendulum_on_a_piece_swings_and_the_whole_falls_together(tmp_path):
    """A movable joint hangs on the welded camera: momentum of all is that of the force on all."""
    states = flown(written(tmp_path, *CHAIN, *SWING), [0.0, 0.0, 2.9 * 9.81], 0.2)
    assert states[0].joint_position.shape == (1,)
    assert np.isfinite(states[-1].position).all() and abs(states[-1].velocity[0, 2]) < 0.2
    assert np.linalg.norm(states[-1].angular_velocity[0]) > 0.01, "the rod's weight turns the hub"


def test_a_file_without_fixed_joints_is_taken_as_it_is(tmp_path):
    path = written(tmp_path, HUB)
    assert welded(path) == path and welded(welded(path)) == path


@pytest.mark.parametrize(("parts", "words"), [
    ((HUB, link("rod"), joint("hinge", "revolute", "hub", "rod", more=HINGE)), "moves nothing that has a mass: rod"),
    ((HUB, CAMERA, joint("loose", "floating", "hub", "camera")), "found type 'floating'; allowed: revolute"),
    ((link("hub", 0.0), CAMERA, joint("hinge", "revolute", "hub", "camera", more=HINGE)), "root link has no mass"),
    ((HUB.replace('"2.0"', '"heavy"'), CAMERA, joint("mount", "fixed", "hub", "camera")), "found .heavy.; allowed: a"),
])  # fmt: skip
def test_what_nothing_could_move_is_refused(tmp_path, parts, words):
    with pytest.raises(ScenarioError, match=words):
        flown(written(tmp_path, *parts), [0.0, 0.0, 0.0], 0.01)


def test_a_mass_of_its_own_replaces_the_files(tmp_path):
    path = with_inertia(written(tmp_path, HUB), 4.0, (0.1, 0.1, 0.1))
    states = flown(path, [4.0, 0.0, 4.0 * 9.81], 0.5)
    assert states[-1].velocity[0] == pytest.approx([0.5, 0.0, 0.0], abs=1e-9)
    with pytest.raises(ScenarioError, match="body of one link"):
        with_inertia(written(tmp_path, *CHAIN), 4.0, None)
