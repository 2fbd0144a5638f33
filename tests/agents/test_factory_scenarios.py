"""What stands in the factory's scenarios is what their descriptions say."""

from pathlib import Path

import pytest

from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]


def fleet(name):
    scenario, _ = load_scenario(ROOT / f"worlds/factory/scenarios/{name}.toml")
    counts = {}
    for robot in scenario.robots.values():
        counts[robot.kind] = counts.get(robot.kind, 0) + robot.count
    return scenario, counts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("amr-fleet", {"amr": 30}),
        ("mixed", {"kuka": 10, "amr": 20, "drone": 2}),
        ("line", {"kuka": 20, "amr": 30}),
        ("hand-over", {"kuka": 2}),
    ],
)
def test_as_many_robots_as_the_description_says(name, expected):
    _, counts = fleet(name)
    assert {kind: counts[kind] for kind in expected} == expected


def test_the_line_has_four_servo_loops_at_1_khz_over_a_traced_radio_network():
    scenario, _ = fleet("line")
    fast = [robot for robot in scenario.robots.values() if robot.control == 1000]
    assert sum(robot.count for robot in fast) == 4 and {robot.trigger for robot in fast} == {1000}
    assert all(robot.spec["body"]["parameters"]["interface"] == "velocity" for robot in fast)
    assert (scenario.channel.kind, scenario.network.kind) == ("raytracing", "nr")
