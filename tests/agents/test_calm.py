"""A look at all drones' failsafes at once says of each what its own `update` would."""

from pathlib import Path

import numpy as np

from twin.clock import NS
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.robots.observations import Observations
from twin.state import NOMINAL, Readings

DRONE = Path(__file__).resolve().parents[2] / "agents/drone"
COUNT = 40


def test_who_is_calm_is_who_stays_nominal():
    kind, rng = load_kind(DRONE), np.random.default_rng(4)
    failsafe = plugins.load_class("failsafe.py:HoldReturnLand", object, DRONE).value
    drones = [failsafe() for _ in range(COUNT)]
    for row, one in enumerate(drones):
        one.reset(RobotSpec(f"d{row}", "d", row, kind, None), rng)
    names, inboxes, time = [f"d{row}" for row in range(COUNT)], [()] * COUNT, 20 * NS

    def seen(now, age):
        left = rng.uniform(0.0, 0.6, (COUNT, 1))
        columns = {"position": rng.normal(size=(COUNT, 3)) * 40, "velocity": rng.normal(size=(COUNT, 3)),
                   "orientation": np.tile([0.0, 0.0, 0.0, 1.0], (COUNT, 1)), "state_of_charge": left,
                   "energy_used": np.full((COUNT, 1), 150.0 * 20)}  # fmt: skip
        heard, answers = (now - rng.integers(0, age, COUNT)).tolist(), (now - rng.integers(0, age, COUNT)).tolist()
        return Observations(now, names, Readings([now] * COUNT, columns), inboxes, heard, answers)

    first = seen(0, 1)
    assert failsafe.calm(drones, first) == [False] * COUNT, "nobody knows its home yet"
    assert [one.update(o) for one, o in zip(drones, first, strict=True)] == [NOMINAL] * COUNT
    then = seen(time, 4 * NS // 10)
    quiet = failsafe.calm(drones, then)
    modes = [one.update(o) for one, o in zip(drones, then, strict=True)]
    assert quiet == [mode == NOMINAL for mode in modes]
    assert 3 < sum(quiet) < COUNT - 3 and {"hover", "battery return"} <= set(modes)
    again = failsafe.calm(drones, seen(time, 1))
    assert not any(calm for calm, mode in zip(again, modes, strict=True) if mode != NOMINAL)
