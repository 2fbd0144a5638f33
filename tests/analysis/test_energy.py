"""Energy: torque times rate times time, and nothing back from a brake; what batteries gave is in the report."""

import numpy as np
import pytest

from twin.analysis.energy import work_of_drives
from twin.assembly.build import build
from twin.clock import NS
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
from twin.runs.run import run
from twin.specs.scenario import load_scenario
from twin.state import BodyState, Frame, LinkState, Node


def frame_at(tick):
    one, none = np.zeros((2, 3)), np.zeros(0)
    braking = tick > 100
    return Frame(
        tick * NS // 50,
        BodyState(one, np.ones((2, 4)), one, one, np.zeros(2), np.array([3.0, -0.5]), np.array([0, 0, 2]),
                  np.array([-4.0 if braking else 4.0, -2.0])),
        LinkState(0, none.astype(np.int32), none.astype(np.int32), none, none > 0, np.zeros(1, np.int64), none + 0j,
                  none, none, np.zeros((0, 3)), np.zeros((0, 3))),
        {},
        ["nominal", "nominal"],
    )  # fmt: skip


def test_the_work_of_drives_is_torque_times_rate_while_they_push(tmp_path):
    robots = [Node("ball", "ball", "mass", 0), Node("arm", "arm", "arm", 1)]
    with Writer(tmp_path / "run.h5", Header(Layout.of(frame_at(0)), robots, "", 4 * NS, 1, 50, 50, 50)) as writer:
        for tick in range(201):
            writer.write(frame_at(tick))
        writer.finish({}, complete=True)
    with Recording(tmp_path / "run.h5") as recording:
        # joint 0 pushes for 2 s with 12 W, then brakes; joint 1 pushes for 4 s with 1 W
        assert work_of_drives(recording) == {"arm": pytest.approx(2 * 12 + 4 * 1, rel=1e-12)}


PARKED = """schema = 1
world = "factory"
duration = "2 s"
[network]
kind = "fixed"
delay = "0 ms"
loss = 1.0
[robots.amr]
kind = "amr"
count = 2
[robots.amr.task]
kind = "rounds"
lanes = [[[0, -1], [6, -1], [6, 1], [0, 1], [0, -1]]]
places = { a = [0, -1], b = [6, -1] }
rounds = [["a", "b"], ["b", "a"]]
[robots.amr.spec.body.parameters.battery]
hotel = 617.0
[robots.edge]
kind = "edge"
"""


def test_what_batteries_gave_is_in_the_recording_and_in_the_report(tmp_path):
    pytest.importorskip("plotly", reason="the extra `report` is not installed")
    from twin.analysis.report_run import take_apart
    from twin.analysis.report_tables import robots

    (tmp_path / "parked.toml").write_text(PARKED)
    scenario, _ = load_scenario(tmp_path / "parked.toml")
    run(build(scenario, Project.around(tmp_path)), scenario, tmp_path / "run.h5")
    with Recording(tmp_path / "run.h5") as recording:
        energy = recording.summary["battery_energy_by_robot"]
        # robots that stand still use what all takes besides the drives: 617 W for 2 s
        assert energy == {"amr-0": pytest.approx(1234.0), "amr-1": pytest.approx(1234.0)}
        text = robots(take_apart(recording, None))
    assert "energy from the battery" in text and text.count("1.23 kJ") == 2
