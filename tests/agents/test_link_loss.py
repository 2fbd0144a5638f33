"""A drone that is flown from the edge over a network, until the edge falls silent: it does as configured."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from twin.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = """schema = 1
world = "yard"
duration = "20 s"
network = { kind = "fixed", delay = "20 ms" }
rates = { physics = "200 Hz", channel = "10 Hz", record = "10 Hz" }
robots.edge.kind = "edge"
[robots.one]
kind = "drone"
controller = "./quiet.py:Quiet"
positions = [[0, 0, 12]]
spec.failsafe_parameters = { link_loss = "ACTION", hover_time = "2 s", return_height = "5 m" }
"""
QUIET = '''"""Flies east, and stops answering after 5 s."""
import numpy as np
from twin.state import Action

class Quiet:
    """Falls silent."""

    def reset(self, spec, rng):
        """Nothing to forget."""

    def act(self, observation):
        """Return 4 m/s eastwards at a height of 12 m."""
        if observation.time >= 5 * 10**9:
            return Action()
        position, velocity = observation.sensed["position"], observation.sensed["velocity"]
        return Action(np.array([4.0 - velocity[0], -velocity[1], 2 * (12 - position[2]) - 2 * velocity[2], 0.0]))
'''


@pytest.mark.parametrize(("action", "modes"), [("hold", ["hover"]), ("return", ["hover", "return", "land"]),
                                               ("land", ["hover", "land"])])  # fmt: skip
def test_a_silent_edge_leaves_the_drone_to_its_failsafe(command, tmp_path, action, modes):
    folder = tmp_path / "worlds/yard"
    shutil.copytree(ROOT / "tests/project/worlds/void", folder)
    text = (folder / "world.toml").read_text().replace('name = "void"', 'name = "yard"')
    (folder / "world.toml").write_text(text)
    (folder / "run.toml").write_text(SCENARIO.replace("ACTION", action))
    Path("quiet.py").write_text(QUIET)
    code, out, err = command("run", folder / "run.toml", "--json", "-o", "run.h5")
    assert code == 0, err
    summary = json.loads(out)
    with Recording("run.h5") as run:
        time, place = run["state/time"][:] / 1e9, run["state/position"][:, 0]
        events = [(event.time / 1e9, event.kind, event.detail) for frame in run.frames() for event in frame.events]
    lost = [when for when, kind, detail in events if detail == "nominal to hover"][-1]
    # The last command answers a sample of before 5 s; it may be 300 ms old when a control tick of 20 ms finds it so.
    assert 5.0 + 0.04 + 0.3 - 0.02 <= lost <= 5.0 + 0.04 + 0.3 + 0.04
    assert [detail.rpartition(" to ")[2] for _, kind, detail in events if kind in ("failsafe", "mode")] == modes
    assert summary["modes"] == dict.fromkeys(sorted(modes), 1) and summary["failsafes"] == 1
    turned, end = place[np.searchsorted(time, lost)], place[-1]
    assert turned[0] > 5.0
    if action == "hold":
        assert np.linalg.norm(end - turned) < 4.0 and abs(end[2] - 12) < 1.0
    elif action == "return":
        assert np.hypot(*end[:2]) < 3.0 and place[:, 2].max() > 15.5
    else:
        assert np.linalg.norm(end[:2] - turned[:2]) < 4.0 and end[2] < 8.0
