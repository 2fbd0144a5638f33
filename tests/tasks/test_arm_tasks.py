"""Judges of arm tasks: parts in the bin or past the end; the tool beside the hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.errors import ScenarioError
from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import read_mechanism
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.specs import HandOverSpec, PickingSpec, TeleoperationSpec, ToolPathSpec
from twin.state import BodyState, Event, Frame, Node, Observation, Sample
from twin.tasks import make_task

ROOT = Path(__file__).resolve().parents[2]


def frame(time, places, joints=(), logs=()):
    n = len(places)
    turn = np.tile([0.0, 0, 0, 1], (n, 1))
    offset = np.array([0, *[len(joints)] * n])
    bodies = BodyState(np.array(places, float), turn, np.zeros((n, 3)), np.zeros((n, 3)), np.array(joints, float),
                       np.zeros(len(joints)), offset)  # fmt: skip
    return Frame(time, bodies, None, {}, ["nominal"] * n, logs=logs)


def test_parts_count_once_in_the_bin_or_past_the_end():
    spec = PickingSpec(kind="picking", parts="parts", bin=((1, 1, 0), (2, 2, 1)), end=(0, 5, 0), along=(0, 1, 0))
    nodes = [Node("arm", "arm", "kuka", 0), *(Node(f"p{i}", "parts", "part", i + 1, row=i) for i in range(3))]
    judge = make_task(spec, 1).judge("arm", nodes)
    judge.take(frame(0, [(0, 0, 0), (0, 0, 0.9), (0, 1, 0.9), (0, 2, 0.9)]))
    assert judge.figures() == {"parts_placed": 0, "missed_picks": 0, "cycle_time": None, "completion_time": None}
    judge.take(frame(2 * 10**9, [(0, 0, 0), (1.5, 1.5, 0.5), (0, 1, 0.9), (0, 5.1, 0.9)]))
    judge.take(frame(6 * 10**9, [(0, 0, 0), (1.5, 9.0, 0.5), (1.2, 1.2, 0.5), (1.5, 1.5, 0.5)]))
    assert judge.figures() == {"parts_placed": 2, "missed_picks": 1, "cycle_time": 4.0, "completion_time": None}


def test_a_part_is_handed_over_once_both_held_it_and_dropped_where_nobody_holds_it_in_the_air():
    spec = HandOverSpec(kind="hand_over", parts="parts", bin=((1, 1, 0), (2, 2, 1)))
    nodes = [Node("a", "pair", "kuka", 0), Node("b", "pair", "kuka", 1, row=1),
             *(Node(f"p{i}", "parts", "part", i + 2, row=i) for i in range(3))]  # fmt: skip
    judge = make_task(spec, 2).judge("pair", nodes)
    arms, low = [(0, 0, 0)] * 2, [(0, 0, 0.1)] * 3

    def told(time, places, *events):
        events = [Event(round(at * 1e9), kind, robot, part) for at, kind, robot, part in events]
        judge.take(replace(frame(round(time * 1e9), [*arms, *places]), events=events))

    told(0, low)
    told(1, [(0, 0, 0.5), *low[1:]],
         (0.1, "gripped", "a", "p0"), (0.6, "gripped", "b", "p0"), (0.9, "released", "a", "p0"))  # fmt: skip
    told(2, [(1.5, 1.5, 0.5), *low[1:]], (2.0, "released", "b", "p0"))
    told(3, [(1.5, 1.5, 0.1), (0, 0, 0.11), low[2]], (2.5, "gripped", "a", "p1"), (3.0, "released", "a", "p1"))
    assert judge.figures() == {
        "handed_over": 1, "dropped": 0, "handover_time": pytest.approx(0.3), "completion_time": None
    }  # fmt: skip
    told(4, [(1.5, 1.5, 0.1), low[1], (1.5, 1.5, 0.4)], (3.5, "gripped", "a", "p2"), (4.0, "torn off", "a", "p2"))
    assert judge.figures()["dropped"] == 1, "over the bin, but it was never handed over"


def test_a_hand_over_takes_pairs():
    with pytest.raises(ScenarioError, match="found 3"):
        make_task(HandOverSpec(kind="hand_over", parts="parts", bin=((0, 0, 0), (1, 1, 1))), 3)


def test_the_error_of_tools_on_a_path_is_their_distance_from_it():
    body = load_kind(ROOT / "agents/kuka").body
    mechanism, joints = read_mechanism(body.urdf), body.joint_start()
    at, _ = tool_pose(mechanism.tree, mechanism.tool("lbr_iiwa_link_7"), joints)
    way = [(at + gap).tolist() for gap in ([0, 0, 0], [0, 0.1, 0], [0, 0.1, 0.1])]
    spec = ToolPathSpec(kind="tool_path", link="lbr_iiwa_link_7", waypoints=way, speed=0.1, acceleration=0.5)
    task = make_task(spec, 1, body)
    judge = task.judge("arm", [Node("arm", "arm", "kuka", 0)])
    judge.take(frame(0, [(5, 5, 5)], joints))
    judge.take(frame(10**9, [(5, 5, 5)], joints))
    off = np.linalg.norm(task.point(0.1 * 1.0 - 0.1**2 / 0.5 / 2) - at)  # v t - v^2/2a
    assert judge.figures() == pytest.approx({"tool_error_rms": off / 2**0.5, "tool_error_max": off}, abs=1e-6)
    with pytest.raises(ScenarioError, match="isn't where the tool starts"):
        make_task(spec.model_copy(update={"waypoints": ((0.0, 0.0, 1.0), *map(tuple, way[1:]))}), 1, body)


def test_a_tools_error_is_its_distance_from_the_hand():
    body = load_kind(ROOT / "agents/panda").body
    mechanism, joints = read_mechanism(body.urdf), body.joint_start()
    at, _ = tool_pose(mechanism.tree, mechanism.tool("panda_hand"), joints)
    base = np.array([1.0, 2.0, 3.0])
    route = [(base + at + gap).tolist() for gap in ([0.03, 0, 0.04], [1, 0, 0], [0, 1, 0])]
    spec = TeleoperationSpec(kind="teleoperation", link="panda_hand", waypoints=route, speed=0.1)
    judge = make_task(spec, 1, body).judge("arm", [Node("arm", "arm", "panda", 0)])
    logs = [(0, 0, "force", 3.0), (0, 0, "force", 7.0), (0, 0, "other", 9.0)]
    judge.take(frame(0, [base + mechanism.base_centre], joints, logs))
    assert judge.figures() == pytest.approx({"tool_error_rms": 0.05, "tool_error_max": 0.05, "felt_force_max": 7.0})


WAY = ((0.588, 0.0, 0.398), (0.5, 0.3, 0.45), (0.55, 0.05, 0.6), (0.5, -0.3, 0.45))
SERVO = {"body": {"command": [{"name": "velocity", "size": 7, "joints": "velocity", "unit": "rad/s"},
                              {"name": "suction", "unit": "1"}, {"name": "brake", "unit": "1"}],
                  "parameters": {"interface": "velocity"}}}  # fmt: skip


def test_arms_asked_at_once_are_told_what_each_is_told_alone():
    """Two entries of one controller, with drives of positions and of velocities, each arm at a time of its own."""
    rng, controllers, observations = np.random.default_rng(4), [], []
    place = {"link": "lbr_iiwa_link_7", "place": (0.0, 0.0, 0.12)}
    for group, override in (("set", None), ("servo", SERVO)):
        kind = load_kind(ROOT / "agents/kuka", override)
        task = make_task(ToolPathSpec(kind="tool_path", waypoints=WAY, speed=0.4, **place), 3, kind.body)
        for row in range(3):
            controllers.append(plugins.load_controller("path", ROOT / "agents/kuka").value())
            controllers[-1].reset(RobotSpec(f"{group}-{row}", group, row, kind, task), rng)
            now = int(rng.integers(NS, 9 * NS))
            sample = Sample(now - NS // 100, {"joint_position": rng.normal(size=7)})
            observations.append(Observation(now, f"{group}-{row}", sample if row else None))
    mixed = rng.permutation(6)
    together = type(controllers[0]).act_batch([controllers[i] for i in mixed], [observations[i] for i in mixed])
    for i, action in zip(mixed, together, strict=True):
        alone = controllers[i].act(observations[i]).command
        assert (alone is None) == (action.command is None) == (observations[i].sensed is None)
        assert alone is None or action.command.tobytes() == alone.tobytes()


def test_joints_that_are_planned_lead_the_tool_along_its_path_at_its_speed():
    kind = load_kind(ROOT / "agents/kuka")
    spec = ToolPathSpec(kind="tool_path", link="lbr_iiwa_link_7", place=(0.0, 0.0, 0.12), waypoints=WAY, speed=0.4)
    task, mechanism, h = make_task(spec, 1, kind.body), read_mechanism(kind.body.urdf), 1e-4
    times = np.linspace(0.5, 8.0, 40)  # beyond a lap
    joints, velocity = task.planned(times)
    later, before = (task.planned(times + dt)[0] for dt in (h, -h))
    assert velocity == pytest.approx((later - before) / (2 * h), abs=1e-4)
    for time, q in zip(times, joints, strict=True):
        at, _ = tool_pose(mechanism.tree, mechanism.tool(spec.link, spec.place), q)
        assert at == pytest.approx(task.goal(time).position, abs=1e-3)  # what the plan may miss
