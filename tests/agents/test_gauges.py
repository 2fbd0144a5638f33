"""What a power take-off took out of the waves is in the recording, as physics counted it."""

import pytest

from twin.recording.reader import Recording


def test_absorbed_energy_is_recorded_as_the_work_of_the_damper(command):
    """The work of force -b v over each step of 5 ms, b = 10 kN s/m all along: sum of b v^2 dt of the recorded speed."""
    sets = ["network.kind=ideal", "robots.harvester.controller=reactive", "robots.harvester.phase=0",
            "robots.harvester.parameters={share = 0.0, damping = 10000.0}", "rates.record=200 Hz"]  # fmt: skip
    code, _, err = command(
        "run", "harbour/wave-energy", "--duration", "2 s", "-q", "-o", "a.h5", *(p for s in sets for p in ("--set", s))
    )
    assert code in (0, 5, 6), err
    with Recording("a.h5") as run:
        logs, speed = run.logs(), run["state/velocity"][:, :, 2]
        for robot, node in ((0, 1), (3, 4)):
            mine = logs[(logs["node"] == node) & (logs["name"] == "absorbed_energy")]
            assert len(mine) == 2 * 20 + 1
            body = [r for i, r in enumerate(run.robots) if i == node][0].body
            work = 10_000.0 * (speed[:-1, body] ** 2).sum() * 0.005
            assert mine["value"][-1] == pytest.approx(work, rel=1e-6), robot
