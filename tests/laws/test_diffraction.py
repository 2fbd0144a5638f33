"""Laws of diffraction: knife edge, continuity across both shadow boundaries, reciprocity, exact points on edges."""

import numpy as np
import pytest
from scipy.special import fresnel as fresnel_integrals

from twin.channel.fields.utd import Wedge, transition, wedge_coefficients
from twin.channel.search.images import DIFFRACTION
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio, frequency_response
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec
from twin.state import BodyState
from twin.world.builder import GeometryBuilder

CARRIER = 3.5e9
WAVELENGTH = SPEED_OF_LIGHT / CARRIER


def metal(material, frequency):
    return 1.0 - 1e16j


def brick(material, frequency):
    return 3.91 - 0.15j


def town():
    """Return nine houses of unlike size on a square of ground."""
    builder, rng = GeometryBuilder(), np.random.default_rng(4)
    builder.add_polygon([100.0 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "ground")
    for x in (-30.0, 0.0, 30.0):
        for y in (-30.0, 0.0, 30.0):
            low = np.array([x, y, 0.0]) + [*rng.uniform(-8.0, -4.0, 2), 0.0]
            high = low + [*rng.uniform(6.0, 14.0, 2), rng.uniform(4.0, 15.0)]
            builder.add_box(tuple(low), tuple(high), "brick", builder.add_object(f"house {x} {y}"), floor=False)
    return builder.build()


def house():
    builder = GeometryBuilder()
    builder.add_box((-5.0, -5.0, 0.0), (5.0, 5.0, 10.0), "brick", builder.add_object("house"))
    return builder.build()


def trace(geometry, a, b, slant=0.0, permittivity=metal, order=1):
    spec = RayTracingSpec(
        order=order, rays=500, diffraction=True, surfaces={}, atmosphere=AtmosphereSpec(pressure=1e-6, vapour=0)
    )
    antenna = AntennaSpec(slant=slant)
    radios = [
        Radio(index=i, owner=i, body=None, mount=tuple(p), carrier=CARRIER, antenna=antenna)
        for i, p in enumerate((a, b))
    ]
    return RayTracer(geometry, radios, spec, permittivity=permittivity).trace()


@pytest.mark.parametrize("x", [1e-6, 0.01, 0.5, 3.99, 4.01, 20.0, 1e4])
def test_transition_function(x):
    """F(x) from Fresnel's integrals: int_u^inf e^{-jt^2} dt = sqrt(pi/2) [(1 - j)/2 - C + j S] at u sqrt(2/pi)."""
    u = np.sqrt(x)
    s, c = fresnel_integrals(u * np.sqrt(2 / np.pi))
    rest = np.sqrt(np.pi / 2) * (0.5 - 0.5j - c + 1j * s)
    # The difference of the integrals loses what they have in common: about 1e-16 u relative to 1 / 2u.
    assert transition(x) == pytest.approx(2j * u * np.exp(1j * x) * rest, abs=1e-12 + 1e-15 * x)


@pytest.mark.parametrize(("nu", "loss_db"), [(0.0, 6.0206), (1.0, 13.864)])
def test_knife_edge(nu, loss_db):
    """A thin screen without reflection (half of soft and hard together) far away is Fresnel's knife edge.

    Far: the obliquity of UTD, 1 / cos of half the bend, is below 1e-4 here.
    """
    before, after = 40_000.0, 60_000.0
    wavenumber = 2 * np.pi / WAVELENGTH
    height = nu / np.sqrt(2 / WAVELENGTH * (1 / before + 1 / after))
    phi_in, phi_out = np.pi / 2 - np.arctan(height / before), 3 * np.pi / 2 + np.arctan(height / after)
    s_in, s_out = np.hypot(before, height), np.hypot(after, height)
    k_length = wavenumber * s_in * s_out / (s_in + s_out)
    soft, hard = wedge_coefficients(Wedge(phi_in, phi_out, 2 * np.pi, 1.0, k_length, wavenumber), (-1, 1), (-1, 1))
    field = 0.5 * (soft + hard) * np.sqrt((s_in + s_out) / (s_in * s_out))
    assert -20 * np.log10(abs(field)) == pytest.approx(loss_db, abs=0.001)


@pytest.mark.parametrize("slant", [0.0, np.pi / 2])
@pytest.mark.parametrize("permittivity", [metal, brick])
@pytest.mark.parametrize("boundary", ["incident", "reflected"])
def test_the_field_is_continuous_across_a_shadow_boundary(boundary, permittivity, slant):
    """The direct (or reflected) path ends where the diffracted one has just what is missing.

    The two points are 1.4 um apart: other waves turn their phase by less than 2e-4 between them.
    """
    source, radius = np.array([-25.0, 0.0, 5.0]), 40.0
    corner = np.array([-5.0, 5.0])
    towards = corner - source[:2]
    angle = np.arctan2(towards[1], towards[0])
    if boundary == "reflected":
        angle = np.pi - angle
    fields = []
    for off in np.radians([-1e-6, 1e-6]):
        end = corner + radius * np.array([np.cos(angle + off), np.sin(angle + off)])
        links = trace(house(), source, (*end, 5.0), slant, permittivity)
        # the corner's vertical edge and geometric optics only: other edges add their own waves on both sides
        fields.append(
            sum(
                links.path_amplitude[p]
                for p in range(len(links.path_delay))
                if links.path_length[p] == 0 or links.path_length[p] == 1 and abs(links.path_vertex[p, 0, 2] - 5) < 1e-6
            )
        )
    assert abs(fields[0] - fields[1]) < 1e-3 * abs(fields[0])
    assert abs(fields[0]) > 0.0


def test_reciprocity():
    a, b = (-20.0, 0.3, 4.0), (1.0, 25.0, 6.0)
    there, back = trace(house(), a, b, 0.4, brick), trace(house(), b, a, 0.4, brick)
    assert len(there.path_delay) > 0
    np.testing.assert_allclose(there.path_amplitude, back.path_amplitude, rtol=1e-9)
    np.testing.assert_allclose(there.path_transfer, back.path_transfer.swapaxes(1, 2), atol=1e-12)


def test_the_point_on_an_edge_makes_the_path_stationary():
    """Keller's law: equal angles with the edge; the corner of the house between two streets."""
    a, b = np.array([-20.0, 0.3, 4.0]), np.array([1.0, 25.0, 6.0])
    links = trace(house(), a, b)
    corner = [p for p in range(len(links.path_delay)) if links.path_kind[p, 0] == 2 and links.path_length[p] == 1]
    points = links.path_vertex[corner, 0]
    upright = points[np.all(np.isclose(points[:, :2], [-5.0, 5.0]), axis=1)][0]
    before, after = upright - a, b - upright
    assert before[2] / np.linalg.norm(before) == pytest.approx(after[2] / np.linalg.norm(after), rel=1e-12)
    response = frequency_response(links, np.array([CARRIER]), 0.0, 0.0, 0.0, 1)
    assert np.isfinite(response).all()


@pytest.mark.parametrize("source_moves", [False, True])
def test_certificates_decide_what_is_looked_at_never_what_is_found(source_moves):
    """Steps from nothing to two metres among houses: every detour examined at every step gives the same paths."""
    rng, count = np.random.default_rng(6), 5
    place = np.column_stack([rng.uniform(-45, 45, (count, 2)), rng.uniform(1, 18, count)])
    radios = [Radio(i, i, i if i or source_moves else None, (0.0, 0.0, 0.0), CARRIER) for i in range(count)]
    if not source_moves:
        radios[0] = Radio(0, 0, None, tuple(place[0]), CARRIER, role="cell")
    tracers = [
        RayTracer(
            town(),
            radios,
            RayTracingSpec(order=1, rays=500, diffraction=True, mode=mode, max_paths=1000),
            permittivity=brick,
        )
        for mode in ("kinetic", "exhaustive")
    ]
    velocity, paths, zero = rng.normal(size=(count, 3)) * [1.0, 1.0, 0.1], 0, np.zeros((count, 3))
    for step in range(300):
        place = place + rng.choice([0.0, 0.01, 0.1, 2.0], p=[0.1, 0.5, 0.3, 0.1]) * velocity
        place[:, 2] = np.maximum(place[:, 2], 0.5)
        velocity = np.where(np.abs(place) > 50.0, -np.sign(place) * np.abs(velocity), velocity)
        state = BodyState(
            place, np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)), zero, zero, np.zeros(0), np.zeros(0),
            np.zeros(count + 1, dtype=np.int64),
        )  # fmt: skip
        one, other = (tracer.trace(step, state) for tracer in tracers)
        np.testing.assert_array_equal(one.path_offset, other.path_offset, err_msg=f"step {step}")
        np.testing.assert_allclose(one.path_delay, other.path_delay, rtol=0, atol=1e-15)
        np.testing.assert_array_equal(one.path_kind, other.path_kind)
        paths += np.count_nonzero((one.path_kind == DIFFRACTION).any(axis=1))
    assert paths > 5_000
