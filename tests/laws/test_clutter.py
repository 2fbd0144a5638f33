"""Laws of static clutter: Lambert's ground by an integral, mirrors at right angles, and tiles of any size."""

import numpy as np
import pytest
from scipy.integrate import quad

from twin.channel.clutter import APART, site_clutter
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.world.builder import GeometryBuilder

CARRIER = 6e9
LENGTH = SPEED_OF_LIGHT / CARRIER
VACUUM = AtmosphereSpec(pressure=1e-6, vapour=0.0)


def conductor(material, frequency):
    return 1.0 - 1e16j


def ground(size):
    builder = GeometryBuilder()
    builder.add_polygon([size * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "ground")
    return builder


def site(height, **more):
    return Radio(3, 5, None, (0.0, 0.0, height), CARRIER, role="cell", **more)


def clutter(geometry, radio, tile, scattering=0.3, alpha=4, **surfaces):
    surfaces = {"ground": SurfaceSpec(alpha_r=alpha)} | surfaces
    spec = RayTracingSpec(tile=tile, surfaces=surfaces, atmosphere=VACUUM, rays=2_000)
    return site_clutter(geometry, (radio, radio), spec, scattering, conductor)


def within(found, near, far):
    """Return the power of echoes whose ways there and back are 2 `near` to 2 `far` metres."""
    way = 0.5 * found.delay * SPEED_OF_LIGHT
    return (np.abs(found.amplitude[(way > near) & (way < far)]) ** 2).sum()


@pytest.mark.parametrize(("near", "far"), [(40.0, 70.0), (70.0, 120.0)])
def test_lambert_ground_returns_its_integral(near, far):
    """Rings of a conductor: S^2 lambda^2 / (16 pi^3) int cos_1 cos_2 / (R_1^2 R_2^2) dA, 30 and 31 m above.

    Edges of tiles of 2 m move a ring's power by less than 1 / 30 a side.
    """
    found = clutter(ground(130.0).build(), site(30.0), 2.0, alpha=0)
    low, high = 30.0, 30.0 + APART

    def density(rho):
        first, second = np.hypot(rho, low), np.hypot(rho, high)
        return low * high / (first * second) ** 3 * 2.0 * np.pi * rho

    inner, outer = np.sqrt(near**2 - 30.5**2), np.sqrt(far**2 - 30.5**2)
    expected = 0.3**2 * LENGTH**2 / (16.0 * np.pi**3) * quad(density, inner, outer)[0]
    assert within(found, near, far) == pytest.approx(expected, rel=0.04)


def test_tiles_of_any_size_return_the_same_power():
    """20, 10 and 5 m, of ground and a house 48 m below: total within 0.5 dB."""
    builder = ground(150.0)
    thing = builder.add_object("house")
    builder.add_box((60.0, -40.0, 0.0), (90.0, 40.0, 20.0), "brick", thing, floor=False)
    geometry, radio = builder.build(), site(48.0)
    power = [within(clutter(geometry, radio, tile), 0.0, 500.0) for tile in (20.0, 10.0, 5.0)]
    assert np.ptp(10.0 * np.log10(power)) < 0.5


def test_a_mirror_at_right_angles_is_the_image_of_the_site():
    """A wall 40 m away: lambda / (4 pi 2 R) from the image, but for the part sqrt(1 - S^2); nothing else mirrors."""
    builder = GeometryBuilder()
    thing = builder.add_object("wall")
    builder.add_polygon(
        [np.array([[40, -30, 0], [40, 30, 0], [40, 30, 60], [40, -30, 60]], dtype=float)], "ground", thing
    )
    found = clutter(builder.build(), site(30.0), 5.0, ground=SurfaceSpec(scattering=0.0))
    assert len(found.delay) == 1
    way = np.hypot(80.0, APART)
    assert found.delay[0] == pytest.approx(way / SPEED_OF_LIGHT, rel=1e-12)
    assert abs(found.amplitude[0]) == pytest.approx(LENGTH / (4.0 * np.pi * way), rel=1e-4)


def test_the_leakage_to_the_panel_is_left_out_and_phases_are_those_of_the_array():
    """No echo is nearer than the ground below; the array's phase between rows is pi times the direction's height."""
    antenna = AntennaSpec(rows=8, columns=8)
    found = clutter(ground(60.0).build(), site(20.0, antenna=antenna), 10.0)
    assert found.delay.min() * SPEED_OF_LIGHT >= 2 * 20.0
    assert np.all(np.diff(found.delay) >= 0.0)
    height = -20.0 / (0.5 * found.delay * SPEED_OF_LIGHT)
    np.testing.assert_allclose(found.phase[0, :, 0], np.pi * height, atol=0.12)  # half a metre of 20
