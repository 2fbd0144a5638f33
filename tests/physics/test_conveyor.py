"""Parts on belts: dragged by friction up to the belt's speed, and nowhere else."""

import numpy as np
import pytest

from twin.physics.dynamics.conveyor import Conveyed
from twin.state import BodyState

BELT = {"start": (0, 0, 1), "end": (10, 0, 1), "width": 0.5, "speed": 0.3, "friction": 0.6}
PARTS = {"mass": 0.5, "half_height": 0.03, "belts": [BELT]}


def at(*places, velocity=(0.0, 0.0, 0.0)):
    n = len(places)
    return BodyState(np.array(places, float), np.tile([0.0, 0, 0, 1], (n, 1)), np.tile(np.array(velocity), (n, 1)),
                     np.zeros((n, 3)), np.zeros(0), np.zeros(0), np.zeros(n + 1, dtype=np.int64))  # fmt: skip


def test_friction_is_coulombs_until_the_part_goes_with_the_belt():
    """From rest mu m g; at the belt's speed nothing; the part is as fast after v/(mu g)."""
    parts, dt = Conveyed(PARTS, 1), 1e-3
    assert parts.wrench(at((5, 0, 1.03)), np.zeros((1, 0)), dt)[0] == pytest.approx([0.6 * 0.5 * 9.81, 0, 0, 0, 0, 0])
    assert not parts.wrench(at((5, 0, 1.03), velocity=(0.3, 0, 0)), np.zeros((1, 0)), dt).any()
    assert parts.wrench(at((5, 0, 1.03), velocity=(0.3, 0.5, 0)), np.zeros((1, 0)), dt)[0, 1] == -0.6 * 0.5 * 9.81
    speed, steps = 0.0, 0
    while speed < 0.29:
        speed += dt / 0.5 * parts.wrench(at((5, 0, 1.03), velocity=(speed, 0, 0)), np.zeros((1, 0)), dt)[0, 0]
        steps += 1
    assert steps * dt == pytest.approx(0.29 / (0.6 * 9.81), abs=2 * dt)


@pytest.mark.parametrize("place", [(5, 0.3, 1.03), (-0.1, 0, 1.03), (10.1, 0, 1.03), (5, 0, 1.04), (5, 0, 1.02)])
def test_beside_a_belt_or_lifted_off_it_there_is_no_friction(place):
    assert not Conveyed(PARTS, 1).wrench(at(place), np.zeros((1, 0)), 1e-3).any()
