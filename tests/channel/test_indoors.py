"""Eight rooms on two floors: a radio in any of them reaches all others."""

import numpy as np

from twin.channel.fields.fields import slab_transmission
from twin.channel.tracer import RayTracer
from twin.link import SPEED_OF_LIGHT, Radio
from twin.specs import RayTracingSpec, SurfaceSpec
from twin.world.builder import GeometryBuilder
from twin.world.materials import permittivity

CARRIER = 1.9e9
SIZE, FLOOR = 5.0, 3.0
PARTITION, SLAB = 0.125, 0.2


def panel(builder, name, corners, material):
    builder.add_polygon([np.array(corners, dtype=float)], material, builder.add_object(name))


def building():
    """Return 4 x 1 rooms of 5 m on each of two floors, behind outer walls of brick."""
    builder, width = GeometryBuilder(), 4 * SIZE
    for k in range(3):
        z = k * FLOOR
        panel(builder, f"slab {k}", [[0, 0, z], [width, 0, z], [width, SIZE, z], [0, SIZE, z]], "concrete")
    for level in range(2):
        low, high = level * FLOOR, (level + 1) * FLOOR
        for i in range(5):
            x, outer = i * SIZE, i in (0, 4)
            corners = [[x, 0, low], [x, SIZE, low], [x, SIZE, high], [x, 0, high]]
            panel(builder, f"wall {level} {i}", corners, "brick" if outer else "plasterboard")
        for y in (0.0, SIZE):
            corners = [[0, y, low], [width, y, low], [width, y, high], [0, y, high]]
            panel(builder, f"front {level} {y}", corners, "brick")
    return builder.build()


def rooms():
    """Return a place in each room, off its middle."""
    rng = np.random.default_rng(2)
    return [
        ((i + 0.5) * SIZE + dx, 0.5 * SIZE + dy, level * FLOOR + 1.5 + dz)
        for level in range(2)
        for i in range(4)
        for dx, dy, dz in [rng.uniform(-1, 1, 3)]
    ]


THROUGH = {
    "plasterboard": SurfaceSpec(transparent=True, thickness=PARTITION),
    "concrete": SurfaceSpec(transparent=True, thickness=SLAB),
    "brick": SurfaceSpec(transparent=True, thickness=0.3),
}


def test_no_link_is_dead():
    radios = [Radio(i, i, None, p, CARRIER) for i, p in enumerate(rooms())]
    links = RayTracer(building(), radios, RayTracingSpec(order=2, rays=20_000, surfaces=THROUGH)).trace()
    assert len(links.a) == 28
    assert np.isfinite(links.path_gain_db).all()


def test_walls_and_floors_take_what_their_slabs_take():
    """Along the row of rooms through three partitions, and straight up through one floor."""
    wavelength = SPEED_OF_LIGHT / CARRIER

    def loss(material, thickness):
        through = slab_transmission(1.0, permittivity(material, CARRIER), thickness, wavelength)[0]
        return 20 * np.log10(abs(through))

    for a, b, expected in (
        ((1.0, 2.0, 1.0), (19.0, 2.0, 1.0), 3 * loss("plasterboard", PARTITION)),
        ((1.0, 2.0, 1.0), (1.0, 2.0, 5.0), loss("concrete", SLAB)),
    ):
        radios = [Radio(i, i, None, p, CARRIER) for i, p in enumerate((a, b))]
        links = RayTracer(building(), radios, RayTracingSpec(order=0, surfaces=THROUGH)).trace()
        distance = np.linalg.norm(np.subtract(a, b))
        free = 20 * np.log10(wavelength / (4 * np.pi * distance))
        assert abs(links.path_gain_db[0] - free - expected) < 1e-3  # the air's
