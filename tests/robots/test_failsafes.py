"""Failsafes that robots of several kinds share."""

from math import pi
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.robots.failsafes import HOLD, STOPPED, ProtectiveStop
from twin.state import NOMINAL, Observation, Sample

BEAMS, FAR = 360, 8.0
ANGLES = np.linspace(-pi, pi, BEAMS, endpoint=False)


@pytest.fixture
def guard():
    kind = load_kind(Path(__file__).resolve().parents[2] / "agents/amr")
    made = ProtectiveStop()
    made.reset(RobotSpec("amr", "amr", 0, kind), np.random.default_rng(0))
    return made


def look(guard, time, speed, *, point=None, heard=None, sideways=0.0):
    """Let the robot drive and see one point (x, y), at `time` [s]."""
    ranges = np.full(BEAMS, FAR)
    if point is not None:
        beam = np.argmin(np.abs(ANGLES - np.arctan2(point[1], point[0])))
        ranges[beam] = np.hypot(*point)
    values = {"ranges": ranges, "odometry_velocity": np.array([speed, sideways, 0.0])}
    now = round(time * NS)
    heard = now if heard is None else round(heard * NS)
    return guard.update(Observation(now, "amr", Sample(now, values), heard=heard, answers=heard))


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.5])
def test_the_protective_field_is_the_way_that_stopping_takes(guard, speed):
    p = guard.parameters
    far = p.front + speed**2 / (2 * p.braking) + speed * p.reaction + p.margin
    assert look(guard, 0.0, speed, point=(far + 0.01, 0.0)) == NOMINAL
    assert look(guard, 0.02, speed, point=(far - 0.01, 0.0)) == STOPPED


@pytest.mark.parametrize("point", [(0.7, 0.4), (-0.6, 0.0), (0.6, -0.4)])
def test_what_is_beside_or_behind_does_not_stop_it(guard, point):
    assert look(guard, 0.0, 1.0, point=point) == NOMINAL


def test_driving_backwards_or_sideways_it_looks_there(guard):
    assert look(guard, 0.0, -1.0, point=(-0.8, 0.0)) == STOPPED
    guard.mode = NOMINAL
    assert look(guard, 5.0, 0.0, sideways=1.0, point=(0.0, 0.7)) == STOPPED


def test_it_stays_as_long_as_something_is_in_the_way_and_a_while_more(guard):
    assert look(guard, 0.0, 1.0, point=(0.6, 0.0)) == STOPPED
    assert look(guard, 5.0, 0.0, point=(0.5, 0.0)) == STOPPED, "standing, it still looks where it went"
    assert look(guard, 5.9, 0.0) == STOPPED
    assert look(guard, 6.1, 0.0) == NOMINAL


def test_old_commands_stop_it_too(guard):
    assert look(guard, 1.0, 1.0, heard=0.9) == NOMINAL
    assert look(guard, 1.2, 1.0, heard=0.9) == HOLD
    assert look(guard, 1.22, 0.9) == NOMINAL
