"""Energy: torque times rate times time, and nothing back from a brake."""

import numpy as np
import pytest

from twin.analysis.energy import work_of_drives
from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
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
