"""Several sensors on one robot: union of fields, rates, delays, walks; joints read in the order of the URDF."""

from types import SimpleNamespace

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.project.readings import fields_of
from twin.sensors.errors import Noise
from twin.sensors.make import make_sensor
from twin.sensors.setting import Setting
from twin.specs import JointsNoise, JointsSpec, NavigationSpec
from twin.state import BodyState, Truth

MS = 1_000_000
ROW = np.array([0])
INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
ARM = f"""<robot name="arm"><link name="base">{INERTIAL}</link><link name="a">{INERTIAL}</link>
<link name="b">{INERTIAL}</link><link name="c">{INERTIAL}</link>
<joint name="turn" type="revolute"><parent link="base"/><child link="a"/>
  <limit lower="-1" upper="2" effort="3"/></joint>
<joint name="weld" type="fixed"><parent link="a"/><child link="b"/></joint>
<joint name="slide" type="prismatic"><parent link="b"/><child link="c"/>
  <limit lower="0" upper="0.1" velocity="1"/></joint>
</robot>"""


@pytest.fixture
def arm(tmp_path):
    urdf = tmp_path / "arm.urdf"
    urdf.write_text(ARM)

    def make(*sensors):
        kind = SimpleNamespace(sensors=sensors, body=SimpleNamespace(urdf=urdf), control=100)
        return Setting(["arm"], kind, None, None, 1)

    return make


def at(time):
    """Return a body that moves by 1 m/s, whose two joints move by 2 rad/s and 3 m/s."""
    t = time * 1e-9
    return BodyState(
        np.array([[t, 0, 0]]), np.array([[0.0, 0, 0, 1]]), np.array([[1.0, 0, 0]]), np.zeros((1, 3)),
        np.array([2 * t, 3 * t]), np.array([2.0, 3.0]), np.array([0, 2]), np.array([5.0, 6.0 + t]),
    )  # fmt: skip


def test_a_sample_is_the_union_and_each_field_has_its_own_time(arm):
    sensor = make_sensor(arm(NavigationSpec(delay="20 ms"), JointsSpec(kind="joints")))
    for time in range(0, 101 * MS, 10 * MS):
        (sample,) = sensor.read(Truth(time, at(time)), ROW, ROW)
    assert sample.time == sample.when("joint_position") == 100 * MS and sample.when("position") == 80 * MS
    assert sample["position"][0] == pytest.approx(0.08) and sample["joint_position"] == pytest.approx([0.2, 0.3])
    assert sample["joint_velocity"] == pytest.approx([2, 3]) and sample["joint_effort"] == pytest.approx([5, 6.1])


def test_fields_carry_the_units_of_their_joints(arm):
    ((_, fields),) = fields_of(arm(JointsSpec(kind="joints", noise=JointsNoise(effort=0.5))).kind)
    assert {name: (field.size, field.unit, field.noise) for name, field in fields.items()} == {
        "joint_position": (2, "rad or m", 0.0), "joint_velocity": (2, "rad or m/s", 0.0),
        "joint_effort": (2, "N m or N", 0.5),
    }  # fmt: skip
    assert fields["joint_position"].description == "of turn, slide"


def test_two_fields_of_one_name_are_refused(arm):
    twice = "navigation reads 'position', but navigation does so already"
    with pytest.raises(ScenarioError, match=twice) as refused:
        make_sensor(arm(JointsSpec(kind="joints"), NavigationSpec(), NavigationSpec(delay="1 ms")))
    assert refused.value.key == "sensors[2]"


@pytest.mark.parametrize(("rate", "delay"), [(25, 0), (25, 70), (30, 0), (30, 45), (100, 0)])
def test_readings_hold_between_beats_and_come_after_their_delay(arm, rate, delay):
    sensor = make_sensor(arm(JointsSpec(kind="joints", rate=rate, delay=f"{delay} ms")))
    ticks = range(0, 1001 * MS, 10 * MS)
    beats = [min(t for t in ticks if t * rate >= n * 10**9) for n in range(rate + 1)]
    for time in ticks:
        (sample,) = sensor.read(Truth(time, at(time)), ROW, ROW)
        there = [beat for beat in beats if beat + delay * MS <= time]
        assert sample.time == max(there, default=0)
        assert sample["joint_position"] == pytest.approx(at(sample.time).joint_position)


def test_a_bias_walks_with_the_root_of_time_and_is_the_robots_own():
    """After n steps of dt a walk of w has the variance w^2 n dt; over m robots the estimate is off by sqrt(2/m)."""
    m, steps, walk = 4000, 25, 0.3
    names, rows = [f"r{i}" for i in range(m)], np.arange(m)
    noise = Noise("gyro", names, 1, np.zeros(1), np.array([walk]))
    for step in range(steps + 1):
        table = np.zeros((m, 1))
        noise.add(step * 40 * MS, rows, table)
    assert table.var() == pytest.approx(walk**2 * steps * 0.04, rel=5 * np.sqrt(2 / m))
    alone = Noise("gyro", ["r7"], 1, np.zeros(1), np.array([walk]))
    for step in range(steps + 1):
        single = np.zeros((1, 1))
        alone.add(step * 40 * MS, ROW, single)
    assert single[0, 0] == table[7, 0], "others change nothing"
