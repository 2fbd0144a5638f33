"""Gain from a to b is that from b to a, with everything that a path can meet."""

from pathlib import Path

import numpy as np
import pytest

from twin.channel.tracer import RayTracer
from twin.link import Radio
from twin.specs import AntennaSpec, AtmosphereSpec, RayTracingSpec, SurfaceSpec
from twin.world.opening import open_world

CITY = Path(__file__).resolve().parents[2] / "worlds" / "city"


def test_over_random_pairs_of_places_in_a_city():
    """Reflections, edges, transparent rough walls that scatter, rain, slanted antennas: 1e-9 dB a path and a link."""
    world, rng = open_world(CITY), np.random.default_rng(3)
    solid = {"concrete", "brick", "marble", "wood", "glass", "metal"} & set(world.geometry.materials)
    rough = {name: SurfaceSpec(thickness=0.2, transparent=True, roughness=2e-3, scattering=0.3) for name in solid}
    spec = RayTracingSpec(
        order=1, diffraction=True, surfaces=rough, tile=40.0, max_paths=100_000,
        atmosphere=AtmosphereSpec(rain=25.0),
    )  # fmt: skip
    place = np.column_stack([rng.uniform(-150, 150, (12, 2)), np.full(12, 200.0)])
    place[:, 2] = world.height_below(place) + rng.uniform(0.5, 30.0, 12)
    antennas = [AntennaSpec(pattern="dipole", slant=s) for s in rng.uniform(0, 3, 12).tolist()]

    def trace(order):
        radios = [
            Radio(i, i, None, tuple(place[k]), 28e9, antenna=antennas[k]) for i, k in enumerate(order)
        ]
        return RayTracer(world.geometry, radios, spec).trace()

    there, back = trace(range(12)), trace(range(11, -1, -1))
    swapped = {(11 - b, 11 - a): i for i, (a, b) in enumerate(zip(back.a.tolist(), back.b.tolist(), strict=True))}
    kinds, paths = set(), 0
    for i, (a, b) in enumerate(zip(there.a.tolist(), there.b.tolist(), strict=True)):
        j = swapped[a, b]
        one, other = (
            first + np.argsort(delay[first:last], kind="stable")
            for delay, first, last in (
                (there.path_delay, *there.path_offset[i : i + 2]), (back.path_delay, *back.path_offset[j : j + 2])
            )
        )  # fmt: skip
        assert there.path_gain_db[i] == pytest.approx(back.path_gain_db[j], abs=1e-9)
        np.testing.assert_allclose(there.path_delay[one], back.path_delay[other], rtol=1e-12)
        large = np.abs(there.path_transfer[one]).max(axis=(1, 2))
        apart = np.abs(there.path_transfer[one] - back.path_transfer[other].swapaxes(1, 2)).max(axis=(1, 2))
        assert (apart <= 1e-10 * large).all()
        kinds |= set(there.path_kind[one].ravel().tolist())
        paths += len(one)
    assert kinds == {-1, 0, 1, 2, 4}
    assert paths > 1_000
