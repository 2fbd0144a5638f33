"""Mooring lines against the closed form of the catenary."""

from __future__ import annotations

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.physics.dynamics.mooring import LineSpec, add_mooring, catenary, make_lines
from twin.state import BodyState

STIFF = 1e15  # N, where stretch is below rounding of what is compared


@pytest.mark.parametrize("a", [0.5, 5.0, 20.0, 200.0])
@pytest.mark.parametrize("lying", [0.0, 30.0])
def test_a_line_from_the_floor_is_the_closed_catenary(a, lying):
    """z = a (cosh(x / a) - 1), s = a sinh(x / a), H = w a, V = w s, with `lying` m more on the floor."""
    weight, rise = 40.0, 15.0
    x = a * np.arccosh(1 + rise / a)
    s = a * np.sinh(x / a)
    level, down = catenary(x + lying, rise, s + lying, weight, STIFF, 0.0, 0.0)
    assert level == pytest.approx(weight * a, rel=1e-6)
    assert down == pytest.approx(weight * s, rel=1e-6)


@pytest.mark.parametrize("a", [2.0, 10.0, 100.0])
def test_a_line_that_leaves_its_anchor_upwards_is_a_part_of_a_catenary(a):
    """Between x1 and x2 of z = a cosh(x / a)."""
    weight, (x1, x2) = 40.0, (0.4 * a, 1.7 * a)
    span, rise = x2 - x1, a * (np.cosh(x2 / a) - np.cosh(x1 / a))
    length = a * (np.sinh(x2 / a) - np.sinh(x1 / a))
    level, down = catenary(span, rise, length, weight, STIFF, 0.0, 0.0)
    assert (level, down) == pytest.approx((weight * a, weight * a * np.sinh(x2 / a)), rel=1e-6)


def test_a_taut_line_stretches_by_its_tension():
    """Straight and nearly weightless: T = EA (chord / L - 1), along the chord; the weight's share is below 1e-4."""
    stiffness, length, span, rise = 1e6, 50.0, 40.0, 31.0
    chord = np.hypot(span, rise)
    level, down = catenary(span, rise, length, 0.01, stiffness, 0.0, 0.0)
    tension = stiffness * (chord / length - 1)
    assert (level, down) == pytest.approx((tension * span / chord, tension * rise / chord), rel=1e-4)


def test_a_slack_line_hangs_by_its_weight_alone():
    """Its hanging part stretches by w l^2 / 2 EA."""
    level, down = catenary(1.0, 20.0, 40.0, 30.0, 1e8, 0.0, 0.0)
    hanging = down / 30.0
    assert level == 0.0
    assert hanging + 30.0 * hanging**2 / 2e8 == pytest.approx(20.0, rel=1e-12)


def test_every_line_that_can_be_has_a_solution_and_its_start_does_not_matter():
    rng = np.random.default_rng(3)
    for _ in range(3000):
        rise, slack, weight = rng.uniform(2, 200), rng.uniform(0.98, 3.0), 10 ** rng.uniform(0, 4)
        span = rise * 10 ** rng.uniform(-2, 1)
        length, stiffness = np.hypot(span, rise) * slack, 10 ** rng.uniform(6, 9)
        cold = catenary(span, rise, length, weight, stiffness, 0.0, 0.0)
        warm = catenary(span, rise, length, weight, stiffness, cold[0] * 1.7, cold[1] * 0.7)
        assert np.isfinite(cold).all(), (span, rise, length, weight, stiffness)
        assert warm == pytest.approx(cold, rel=1e-4, abs=1e-6 * weight * length)


def test_force_is_the_slope_of_the_line_s_energy():
    """A static line's force has a potential: dFx/dz = dFz/dx, by central differences."""
    h = 1e-3
    at = [catenary(60 + dx, 20 + dz, 70.0, 50.0, 1e7, 0.0, 0.0) for dx, dz in ((h, 0), (-h, 0), (0, h), (0, -h))]
    assert at[2][0] - at[3][0] == pytest.approx(at[0][1] - at[1][1], rel=1e-4)


def test_three_lines_pull_a_body_back_to_their_middle():
    angle = np.radians([0, 120, 240])
    anchors = 60 * np.column_stack([np.cos(angle), np.sin(angle)])
    specs = tuple(LineSpec(anchor=place, length=66.0, weight=60.0) for place in anchors.tolist())
    start = np.array([[10.0, 5.0, 0.0]])
    lines, still = make_lines(specs, start, 20.0), (0.0, 0.0, 0.0, 1.0)
    at_rest, moved = np.zeros(6), np.zeros(6)
    add_mooring(lines, 0, start[0], still, at_rest)
    add_mooring(lines, 0, start[0] + [1.0, 0.0, 0.0], still, moved)
    assert at_rest[:2] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert at_rest[2] < 0.0 and moved[0] < 0.0


@pytest.mark.parametrize(("length", "says"), [(15.0, "shorter than the 20 m"), (40.0, "must reach")])
def test_a_line_that_is_too_short_is_refused(length, says):
    spec = LineSpec(anchor=(60.0, 0.0), length=length, weight=60.0)
    with pytest.raises(ScenarioError, match=says):
        make_lines((spec,), np.zeros((1, 3)), 20.0)


def pulls(span, rise, length, weight, stiffness):
    """Return what MoorDyn's line pulls a body with, after it came to rest: towards its anchor, and down."""
    pytest.importorskip("moordyn", exc_type=ImportError)
    from twin.physics.dynamics.line_dynamics import MovingLines

    depth = 30.0
    spec = LineSpec(anchor=(span, 0.0), length=length, weight=weight, stiffness=stiffness, diameter=0.1, segments=60)
    at = np.array([[0.0, 0.0, rise - depth]])
    lines = MovingLines([spec], at, depth, 1025.0)
    zero = np.zeros((1, 3))
    still = BodyState(at, np.array([[0.0, 0.0, 0.0, 1.0]]), zero, zero, np.zeros(0), np.zeros(0), np.zeros(2, int))
    for i in range(2000):
        wrench = lines.wrench(still, i * 0.01, 0.01)
    lines.reset()
    return wrench[0, 0], -wrench[0, 2]


@pytest.mark.parametrize(("span", "length"), [(40.0, 44.0), (40.0, 50.0), (40.0, 45.0)])
def test_moordyn_s_line_comes_to_rest_as_the_catenary(span, length):
    """1 % of the tension; MoorDyn's floor gives way by 60 N/m / (1e5 Pa/m 0.1 m) = 6 mm under what lies on it."""
    weight, stiffness, rise = 60.0, 5e6, 14.0
    level, down = catenary(span, rise, length, weight, stiffness, 0.0, 0.0)
    found = pulls(span, rise, length, weight, stiffness)
    tension = np.hypot(level, down)
    assert np.hypot(*found) == pytest.approx(tension, rel=0.01)
    assert found == pytest.approx((level, down), abs=0.01 * tension)
