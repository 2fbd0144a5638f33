"""Judges of arm tasks: parts in the bin or past the end; the tool beside the hand."""

from pathlib import Path

import numpy as np
import pytest

from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import read_mechanism
from twin.scenario import load_kind
from twin.specs import PickingSpec, TeleoperationSpec
from twin.state import BodyState, Frame, Node
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
