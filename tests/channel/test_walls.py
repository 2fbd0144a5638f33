"""Walls that a path passes, and faces that lie close together."""

import numpy as np
import pytest

from twin.channel.fields.fields import slab_transmission
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.world.builder import GeometryBuilder
from twin.world.materials import permittivity

CARRIER = 1.9e9
VACUUM = AtmosphereSpec(pressure=1e-6, vapour=0.0)


def rows_of_walls(count, gap=1.0):
    builder = GeometryBuilder()
    for x in gap * np.arange(1, count + 1):
        corners = np.array([[x, -50, -50], [x, 50, -50], [x, 50, 50], [x, -50, 50]], dtype=float)
        builder.add_polygon([corners], "plasterboard", builder.add_object(f"wall {x}"))
    return builder.build()


def trace(geometry, a, b, **spec):
    radios = [Radio(i, i, None, tuple(p), CARRIER) for i, p in enumerate((a, b))]
    return RayTracer(geometry, radios, RayTracingSpec(**({"atmosphere": VACUUM, "rays": 2_000} | spec))).trace()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 12, 20])
def test_walls_add_as_their_slabs_do(count):
    through = {"plasterboard": SurfaceSpec(transparent=True, thickness=0.0125)} if count else {}
    geometry = rows_of_walls(count) if count else rows_of_walls(1, gap=100.0)
    links = trace(geometry, (0.0, 0.0, 0.0), (21.0, 0.0, 0.0), order=0, surfaces=through)
    wavelength = SPEED_OF_LIGHT / CARRIER
    one = slab_transmission(1.0, permittivity("plasterboard", CARRIER), 0.0125, wavelength)[0]
    free = 20 * np.log10(wavelength / (4 * np.pi * 21.0))
    assert links.path_gain_db[0] == pytest.approx(free + count * 20 * np.log10(abs(one)), abs=1e-9)


def test_what_walls_take_together_ends_a_path():
    through = {"plasterboard": SurfaceSpec(transparent=True, thickness=0.0125)}
    ends = (0.0, 0.0, 0.0), (21.0, 0.0, 0.0)
    one = slab_transmission(1.0, permittivity("plasterboard", CARRIER), 0.0125, SPEED_OF_LIGHT / CARRIER)[0]
    loss = -20 * np.log10(abs(one))
    for allowed, paths in ((4.5 * loss, 0), (5.5 * loss, 1)):
        links = trace(rows_of_walls(5), *ends, order=0, surfaces=through, wall_loss=float(allowed))
        assert len(links.path_delay) == paths


def test_a_path_given_up_for_want_of_room_is_counted():
    radios = [Radio(i, i, None, (27.0 * i, 0.0, 0.0), CARRIER) for i in range(2)]
    through = {"plasterboard": SurfaceSpec(transparent=True, thickness=0.001)}
    tracer = RayTracer(rows_of_walls(25), radios, RayTracingSpec(order=0, surfaces=through))
    assert len(tracer.trace().path_delay) == 0
    assert tracer.counts == {"paths_beyond_24_walls": 1}


@pytest.mark.parametrize("offset", [1.0, 3e-3, 2e-4])
def test_a_reflection_beside_a_transparent_wall_is_the_same_from_both_ends(offset):
    """The point of reflection lies `offset` from the foot of a wall: the path meets the wall there, at one point."""
    builder = GeometryBuilder()
    ground = np.array([[-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]], dtype=float)
    builder.add_polygon([ground], "concrete")
    x = 5.0 + offset
    wall = np.array([[x, -50, 0], [x, 50, 0], [x, 50, 20], [x, -50, 20]], dtype=float)
    builder.add_polygon([wall], "plasterboard", builder.add_object("wall"))
    through = {"plasterboard": SurfaceSpec(transparent=True, thickness=0.0125)}
    ends = (0.0, 0.0, 2.0), (10.0, 0.7, 2.0)
    there, back = (trace(builder.build(), *pair, order=1, surfaces=through) for pair in (ends, ends[::-1]))
    assert sorted(there.path_length.tolist()) == sorted(back.path_length.tolist()) == [1, 2]
    np.testing.assert_allclose(there.path_amplitude, back.path_amplitude, rtol=1e-9)
    crossing = there.path_vertex[there.path_length == 2][0]
    height = offset * 2.0 / 5.0  # on the leg from the ground up to the far end
    assert sorted(crossing[:2, 2]) == pytest.approx([0.0, height], abs=1e-9)


@pytest.mark.parametrize("apart", [2e-5, 5e-4, 0.9e-3, 5e-3])
def test_of_two_faces_that_nearly_touch_only_the_front_one_reflects(apart):
    builder = GeometryBuilder()
    for x in (0.0, apart):
        corners = np.array([[x, -20, -20], [x, 20, -20], [x, 20, 20], [x, -20, 20]], dtype=float)
        builder.add_polygon([corners], "metal", builder.add_object(f"face {x}"))
    geometry = builder.build()
    links = trace(geometry, (-10.0, -3.0, 0.0), (-10.0, 3.0, 0.0), order=1)
    assert links.path_length.tolist() == [0, 1]
    assert links.path_vertex[1, 0, 0] == pytest.approx(0.0, abs=1e-9)
    links = trace(geometry, (10.0, -3.0, 0.0), (10.0, 3.0, 0.0), order=1)
    assert links.path_vertex[1, 0, 0] == pytest.approx(apart, abs=1e-9)
    assert links.path_length.tolist() == [0, 1]
