"""Laws of diffraction: knife edge, continuity across both shadow boundaries, reciprocity, exact points on edges."""

import numpy as np
import pytest
from scipy.special import fresnel as fresnel_integrals

from twin.channel.tracer import RayTracer
from twin.channel.utd import transition, wedge_coefficients
from twin.link import SPEED_OF_LIGHT, Radio, frequency_response
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec
from twin.world.builder import GeometryBuilder

CARRIER = 3.5e9
WAVELENGTH = SPEED_OF_LIGHT / CARRIER


def metal(material, frequency):
    return 1.0 - 1e16j


def brick(material, frequency):
    return 3.91 - 0.15j


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
    soft, hard = wedge_coefficients(phi_in, phi_out, 2 * np.pi, 1.0, k_length, wavenumber, -1, 1, -1, 1)
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
