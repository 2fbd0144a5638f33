"""Force on a tool, cameras whose pictures are packets, and what a suction cup holds."""

from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS, periodic
from twin.mechanism.kinematics import tool_pose
from twin.physics.bodies import BodyGroup
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.protocols import Stream
from twin.sensors.camera import Camera
from twin.sensors.setting import Setting
from twin.sensors.tool_force import ToolForce
from twin.specs import CameraSpec, ToolForceSpec
from twin.state import Commands, Truth

ROOT = Path(__file__).resolve().parents[2]
RATE, CUP = 500, (0.0, 0.0, 0.12)
UPRIGHT = np.array([[0.0, 0.0, 0.0, 1.0]])
ROW = np.array([0])


@pytest.fixture
def cell(bullet):
    """A KUKA with the top of a part just below its cup, both in the air; the part may be heavier than it says."""
    def make(**vacuum):
        arm, part = load_kind(ROOT / "agents/kuka"), load_kind(ROOT / "agents/part")
        parameters = arm.body.parameters | {"vacuum": arm.body.parameters["vacuum"] | vacuum}
        dynamics = make_dynamics("manipulator", parameters, 1, ROOT, arm.body.urdf)
        mechanism = dynamics.mechanism
        tip, _ = tool_pose(mechanism.tree, mechanism.tool("lbr_iiwa_link_7", CUP), arm.body.joint_start())
        things = make_dynamics("conveyed", part.body.parameters, 1, ROOT)
        groups = [
            BodyGroup("arm", arm.body, dynamics, np.zeros((1, 3)), UPRIGHT, ["arm"]),
            BodyGroup("part", part.body, things, (tip - [0, 0, 0.032])[None], UPRIGHT, ["part"]),
        ]
        physics = bullet(RATE, groups)
        return physics, arm, Commands({"arm": arm.body.vector("initial")[None], "part": np.zeros((1, 0))})

    return make


def test_what_a_cup_holds_weighs_on_the_tool_and_falls_when_it_lets_go(cell):
    """At rest the tool carries m g; the drives' model is Bullet's arm to rounding, Bullet's joint soft to 1e-3."""
    physics, arm, commands = cell()
    sensor = ToolForce(ToolForceSpec(kind="tool_force", link="lbr_iiwa_link_7", place=CUP),
                       Setting(["arm"], arm, None, None, 1))  # fmt: skip
    commands.values["arm"][0, 7] = 1.0
    events = []
    for _ in range(1500):
        bodies, new = physics.step(commands)
        (sample,) = sensor.read(Truth(physics.clock.now, bodies), ROW, ROW)
        events += [(event.kind, event.robot, event.detail) for event in new]
    assert events == [("gripped", "arm", "part")]
    assert sample["tool_force"] == pytest.approx([0, 0, -0.5 * 9.81], abs=0.02)
    commands.values["arm"][0, 7:] = [0.0, 1.0]
    assert physics.step(commands)[1] == [], "the brake keeps what is held"
    commands.values["arm"][0, 8] = 0.0
    (released,) = physics.step(commands)[1]
    assert (released.kind, released.robot, released.detail) == ("released", "arm", "part")
    height = bodies.position[1, 2]
    for _ in range(100):
        bodies, _ = physics.step(commands)
    assert height - bodies.position[1, 2] == pytest.approx(0.5 * 9.81 * 0.2**2, abs=9.81 * 0.2 * 3 / RATE)


def test_what_is_too_heavy_for_a_cup_is_torn_off(cell):
    physics, _, commands = cell(force="2 N")
    commands.values["arm"][0, 7] = 1.0
    kinds = [event.kind for _ in range(300) for event in physics.step(commands)[1]]
    assert kinds[:2] == ["gripped", "torn off"]


def test_pictures_leave_at_exact_times_whatever_the_control_rate():
    stream = Stream("camera", 1, 60, 0, None)
    found = [periodic(n, 60) for t in range(0, NS, 4_000_000) for n in stream.beats(t, t + 4_000_000)]
    assert found == [n * NS // 60 for n in range(60)]


def test_a_camera_sees_the_nearest_parts_from_its_robots_root_link(cell):
    physics, arm, commands = cell()
    bodies, _ = physics.step(commands)
    setting = Setting(["arm"], arm, None, None, 1, {"part": np.array([1])})
    spec = CameraSpec(kind="camera", sees="part", mount=(0.6, 0, 1.5), slots=2)
    (sample,) = Camera(spec, setting).read(Truth(0, bodies), ROW, ROW)
    assert sample["parts"][:3] == pytest.approx(bodies.position[1], abs=1e-9) and np.isnan(sample["parts"][3:]).all()
    (none,) = Camera(spec.model_copy(update={"range": 0.01}), setting).read(Truth(0, bodies), ROW, ROW)
    assert np.isnan(none["parts"]).all()
