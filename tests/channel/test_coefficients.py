"""Stored paths evaluated again: for other materials, antennas and carriers, without a search, and with derivatives."""

import numpy as np
import pytest

from twin.channel.coefficients import derivative
from twin.channel.tracer import RayTracer
from twin.errors import RunError
from twin.link import Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.world.builder import GeometryBuilder

CARRIER = 3.5e9
VACUUM = AtmosphereSpec(pressure=1e-6, vapour=0.0)


def yard():
    builder = GeometryBuilder()
    builder.add_polygon([60.0 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "concrete")
    for x in (-20.0, 10.0):
        builder.add_box((x, -4.0, 0.0), (x + 8.0, 9.0, 12.0), "brick", builder.add_object(f"house {x}"), floor=False)
    return builder.build()


def radios(carrier=CARRIER, antenna=AntennaSpec()):  # noqa: B008  a frozen default
    places = (-40.0, 3.0, 8.0), (2.0, 20.0, 1.5), (30.0, -12.0, 2.0)
    return [Radio(i, i, None, p, carrier, antenna=antenna) for i, p in enumerate(places)]


def spec(**more):
    return RayTracingSpec(**({"order": 2, "rays": 5_000, "diffraction": True, "atmosphere": VACUUM} | more))


def test_other_materials_antennas_and_carriers_give_what_a_new_search_gives():
    tracer = RayTracer(yard(), radios(), spec())
    first = tracer.trace()
    stored = tracer.stored()
    np.testing.assert_array_equal(stored.links().path_amplitude, first.path_amplitude)
    dipole = AntennaSpec(pattern="dipole", slant=0.3)
    surfaces = {"brick": SurfaceSpec(thickness=0.3, roughness=1e-3)}
    searched = RayTracer(yard(), radios(6e9, dipole), spec(surfaces=surfaces)).trace()
    again = stored.links(spec=spec(surfaces=surfaces), antennas=[dipole] * 3, carriers=[6e9] * 3)
    for name in ("path_amplitude", "path_transfer", "path_delay", "path_vertex", "path_gain_db"):
        np.testing.assert_array_equal(getattr(again, name), getattr(searched, name))
    assert np.abs(again.path_gain_db - first.path_gain_db).min() > 0.1


def test_stored_paths_stay_when_the_tracer_goes_on():
    tracer = RayTracer(yard(), radios(), spec())
    with pytest.raises(RunError, match="trace first"):
        tracer.stored()
    tracer.trace()
    stored = tracer.stored()
    before = stored.links().path_amplitude
    tracer._paths.vertex[:] = 0.0
    np.testing.assert_array_equal(stored.links().path_amplitude, before)
    with pytest.raises(RunError, match="found 2 carriers, expected one a radio: 3"):
        stored.links(carriers=[1e9, 2e9])


def test_the_derivative_by_permittivity_is_fresnels():
    """TE on the ground: R = (c - r) / (c + r) with r = sqrt(eps - 1 + c^2), so dR / deps = -c / (r (c + r)^2)."""
    builder = GeometryBuilder()
    builder.add_polygon([99.0 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)], "concrete")
    across = AntennaSpec(slant=np.pi / 2)
    pair = [Radio(i, i, None, p, CARRIER, antenna=across) for i, p in enumerate(((0.0, 0, 9.0), (30.0, 0, 2.0)))]
    tracer = RayTracer(builder.build(), pair, spec(order=1, diffraction=False), permittivity=lambda n, f: 5.0 - 0.2j)
    tracer.trace()
    stored = tracer.stored()
    found = derivative(lambda e: stored.links(permittivity=lambda n, f: e - 0.2j).path_amplitude, 5.0, 1e-3)
    length = np.hypot(30.0, 11.0)
    c = 11.0 / length
    r = np.sqrt(5.0 - 0.2j - 1.0 + c * c)
    relative = -c / (r * (c + r) ** 2) * (c + r) / (c - r)  # dR / deps over R
    assert found[0] == 0.0
    assert found[1] == pytest.approx(relative * stored.links().path_amplitude[1], rel=1e-9)
