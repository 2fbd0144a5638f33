"""Arms in scenarios: they repeat, hold without commands, keep to their limits, pick and feel."""

from pathlib import Path

import numpy as np
import pytest

from twin.analysis.metrics import Metrics
from twin.clock import NS, periodic
from twin.errors import ScenarioError
from twin.mechanism.urdf import movable_joints
from twin.project.robots import load_kind
from twin.state import COMMAND, TELEMETRY, Node

FACTORY = "worlds/factory/scenarios"
ALONE = ("network.kind=ideal", "channel.kind=freespace")
FAR = """
import numpy as np
from twin.state import Action
class Far:
    runs_on = "onboard"
    def reset(self, spec, rng): pass
    def act(self, observation):
        return Action(np.array([0, 999, 0, 0, 0, 0, 0, 0, 0.0]))
"""


@pytest.fixture
def frames(stage):
    def run(name, seconds, *overrides):
        built = stage(f"{FACTORY}/{name}.toml", *ALONE, *overrides)
        found = list(built.twin.frames(round(seconds * NS)))
        built.close()
        return found

    return run


def trace(frames):
    """Return all that a run leaves, as bytes."""
    parts = [frame.bodies.joint_position.tobytes() + frame.bodies.position.tobytes() for frame in frames]
    packets = [(p.source, p.kind, p.sequence, p.created, p.arrived, p.fate) for f in frames for p in f.packets]
    return parts, packets, [e for f in frames for e in f.events], [log for f in frames for log in f.logs]


@pytest.mark.parametrize("name", ["picking", "teleoperation"])
def test_a_run_repeats_to_the_bit(frames, name):
    late = ("network.kind=fixed", "network.delay=7 ms", "network.jitter.kind=exponential", "network.jitter.scale=3 ms")
    assert trace(frames(name, 0.3, *late)) == trace(frames(name, 0.3, *late))


def test_a_part_that_comes_along_is_picked(frames):
    near = "robots.parts.positions=[[28.65, -8.45, 0.93]]"
    run = frames("picking", 3.4, near, "robots.parts.count=1")
    kinds = [(e.kind, e.detail) for f in run for e in f.events if e.robot == "arm" and e.kind != "contact"]
    assert kinds == [("gripped", "parts"), ("released", "parts")]
    assert max(frame.bodies.position[-1, 2] for frame in run) > 1.1, "it was lifted"


def test_streams_are_packets_at_their_exact_times(frames):
    """60 pictures and 1000 packets each way a second: event n at n 10^9 // rate, telemetry at its own offset."""
    run = frames("teleoperation", 0.2, "robots.arm.send_offset=0 s", "robots.arm.phase=0")
    created = {kind: sorted(p.created for f in run for p in f.packets if p.kind == kind)
               for kind in ("camera", TELEMETRY, COMMAND)}  # fmt: skip
    assert created["camera"] == [periodic(n, 60) + 15_000_000 for n in range(13)]
    assert created[TELEMETRY] == [n * 1_000_000 for n in range(201)]
    assert set(created[COMMAND]) <= {periodic(n, 1000) for n in range(202)} and len(created[COMMAND]) >= 199


def test_without_commands_the_brakes_hold_the_arm_and_let_it_go_again(frames):
    """Commands stop when the network is slower than the timeout, from the first instant on."""
    run = frames("picking", 1.0, "network.kind=fixed", "network.delay=300 ms")
    modes = [frame.modes[0] for frame in run]
    assert modes[0] == "nominal" and modes.count("hold") * 2e-3 == pytest.approx(0.5, abs=0.03)
    assert modes[-1] == "nominal", "commands come, every 10 ms, as late as they are"
    held = [frame.bodies.joint_position for frame, mode in zip(run, modes, strict=True) if mode == "hold"]
    assert np.abs(held[-1] - held[0]).max() < 1e-4


@pytest.mark.parametrize(
    ("interface", "limit"), [("position", "upper"), ("velocity", "velocity"), ("effort", "effort")]
)
def test_a_command_out_of_limits_is_clipped_counted_and_said(frames, tmp_path, interface, limit):
    """Once said, at each control tick counted: 0.1 s at 100 Hz are 11 of them, both ends included."""
    (tmp_path / "far.py").write_text(FAR)
    fields = f"{{name='joint', size=7, joints='{interface}', unit='1'}}, "
    fields += "{name='suction', unit='1'}, {name='brake', unit='1'}"
    run = frames("picking", 0.1, f"robots.arm.controller={tmp_path}/far.py:Far", "robots.arm.parameters={}",
                 "robots.arm.phase=0", f"robots.arm.spec.body.parameters.interface={interface}",
                 f"robots.arm.spec.body.command=[{fields}]")  # fmt: skip
    (event,) = (event for frame in run for event in frame.events if event.kind == "clipped")
    body = load_kind(Path(__file__).resolve().parents[2] / "agents/kuka").body
    most = getattr(movable_joints(body.urdf)[1], limit)
    assert (event.robot, event.detail) == ("arm", "joint.1 beyond its limits")
    assert event.value == pytest.approx(999 - most) and run[-1].commands["arm"][0, 1] == most
    metrics = Metrics([Node("arm", "arm", "kuka", 0)], {}, 0)
    for frame in run:
        metrics.take(frame)
    assert metrics.summary()["clipped"] == 11


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("robots.arm.spec.body.urdf='pybullet_data:kuka_iiwa/gone.urdf'", "pybullet_data:kuka_iiwa/gone.urdf"),
        ("robots.arm.spec.body.urdf='no_such_package:arm.urdf'", "no_such_package"),
        ("robots.arm.spec.body.start=[0.0, 1.0]", "found 2 positions; allowed: 7"),
        ("robots.arm.spec.body.parameters.vacuum.link=hand", "no link 'hand'; allowed: lbr_iiwa_link_0"),
        ("robots.arm.spec.body.parameters.fingers=['thumb']", "no joint 'thumb'"),
    ],
)
def test_what_does_not_fit_the_arm_is_refused(stage, override, says):
    with pytest.raises(ScenarioError) as refused:
        stage(f"{FACTORY}/picking.toml", override)
    assert says in str(refused.value)
