"""An arm, and a free body with arms, by MuJoCo at a fine step; optional."""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twin.mechanism.urdf import movable_joints
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.specs import BodySpec, CommandField
from twin.state import Commands

mujoco = pytest.importorskip("mujoco", reason="MuJoCo is not installed: pip install mujoco")
KUKA = Path(find_spec("pybullet_data").submodule_search_locations[0], "kuka_iiwa/model.urdf")
SECONDS = 0.2
LIMIT = '<limit lower="-9" upper="9" effort="99" velocity="99"/>'


def part(name, mass, xyz="0 0 0"):
    return (f'<link name="{name}"><inertial><origin xyz="{xyz}"/><mass value="{mass}"/><inertia ixx="0.02" ixy="0" '
            f'ixz="0" iyy="0.03" iyz="0" izz="0.04"/></inertial></link>')  # fmt: skip


def hinge(name, parent, child, xyz, axis):
    return (f'<joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/><origin '
            f'xyz="{xyz}"/><axis xyz="{axis}"/>{LIMIT}</joint>')  # fmt: skip


FLOATING = "<robot name='f'>" + "".join([
    part("hub", 2.0), part("left", 0.4, "0 0.2 0"), part("right", 0.4, "0 -0.2 0"), part("tip", 0.2, "0 0 -0.1"),
    hinge("l", "hub", "left", "0 0.2 0", "1 0 0"), hinge("r", "hub", "right", "0 -0.2 0", "0 0 1"),
    hinge("t", "left", "tip", "0 0.4 0", "0 1 0"),
]) + "</robot>"  # fmt: skip


class Drives:
    """Test dynamics: the command is each joint's effort."""

    midway = True

    def reset(self):
        pass

    def wrench(self, state, command, dt):
        return np.zeros((1, 6))

    def joint_effort(self, state, command, dt):
        return command


def ours(urdf, fixed, effort, rate):
    command = (CommandField(name="t", size=len(effort), unit="Nm"),)
    spec = BodySpec(urdf=urdf, dynamics="x", fixed=fixed, command=command)
    start, turn = np.array([[0.0, 0.0, 5.0]]), np.array([[0.0, 0.0, 0.0, 1.0]])
    physics = BulletPhysics(rate, [BodyGroup("a", spec, Drives(), start, turn, ["a"])])
    physics.reset()
    for _ in range(round(SECONDS * rate)):
        bodies, _ = physics.step(Commands({"a": effort[None]}))
    physics.close()
    return bodies


def theirs(urdf, fixed, effort):
    spec = mujoco.MjSpec.from_file(str(urdf))
    spec.compiler.fusestatic, spec.compiler.balanceinertia = False, False
    for geom in list(spec.geoms):
        spec.delete(geom)
    for mesh in list(spec.meshes):
        spec.delete(mesh)
    if not fixed:
        spec.worldbody.first_body().add_freejoint()
    model = spec.compile()
    model.opt.timestep, model.opt.integrator = 1e-4, mujoco.mjtIntegrator.mjINT_RK4
    model.opt.gravity[:] = [0.0, 0.0, -9.81]
    model.dof_damping[:] = model.dof_frictionloss[:] = model.dof_armature[:] = 0.0
    data = mujoco.MjData(model)
    order = [model.joint(joint.name).dofadr[0] for joint in movable_joints(urdf)]
    if not fixed:
        data.qpos[2] = 5.0
    for _ in range(round(SECONDS / 1e-4)):
        data.qfrc_applied[order] = effort
        mujoco.mj_step(model, data)
    return data


def test_an_arm_swings_as_mujoco_lets_it(tmp_path):
    text = "".join(line for line in KUKA.read_text().splitlines(True) if "<dynamics" not in line)
    text = re.sub(r'(lower|upper)="[^"]*"', lambda end: f'{end[1]}="{-9 if end[1] == "lower" else 9}"', text)
    urdf = tmp_path / "arm.urdf"
    urdf.write_text(text.replace('filename="', f'filename="{KUKA.parent}/'))
    effort = np.array([5.0, -80.0, 3.0, 40.0, 1.0, 2.0, 0.2])
    data = theirs(urdf, True, effort)
    errors = [np.abs(ours(urdf, True, effort, rate).joint_position - data.qpos).max() for rate in (500, 1000)]
    assert np.abs(data.qpos).max() > 0.1, "it swung"
    assert errors[0] < 1e-2 and errors[0] / errors[1] > 3.0


def test_a_free_body_with_arms_tumbles_as_mujoco_lets_it(tmp_path):
    """Bullet moves it, to the first order: half the step, half the error."""
    urdf = tmp_path / "floating.urdf"
    urdf.write_text(FLOATING)
    effort = np.array([0.5, -0.3, 0.2])
    data = theirs(urdf, False, effort)
    joints = np.array([data.joint(name).qpos[0] for name in ("l", "r", "t")])
    errors = []
    for rate in (1000, 2000):
        bodies = ours(urdf, False, effort, rate)
        gap = np.concatenate([bodies.joint_position - joints, bodies.position[0] - data.qpos[:3]])
        errors.append(np.abs(gap).max())
    assert np.abs(joints).max() > 0.2, "it moved"
    assert errors[0] < 5e-3 and errors[0] / errors[1] > 1.6
