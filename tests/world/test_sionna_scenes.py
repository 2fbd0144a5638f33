"""The scenes of sionna-rt, where its wheel is installed or unpacked (SIONNA_SCENES)."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from twin.world.importers import import_world
from twin.world.importers.triangles import PLANAR

TRIANGLES = {"simple_street_canyon": None, "etoile": None, "munich": 38_936, "florence": None, "san_francisco": 268_041}
"""In the files, as other readers count them; level ground adds two."""


@pytest.fixture
def scenes():
    places = [os.environ.get("SIONNA_SCENES"), *(Path(entry) / "sionna/rt/scenes" for entry in sys.path)]
    found = next((Path(place) for place in places if place and Path(place).is_dir()), None)
    if found is None:
        pytest.skip("sionna-rt is not here: pip install --no-deps sionna-rt, or unpack it and set SIONNA_SCENES")
    return found


@pytest.mark.parametrize("name", TRIANGLES)
def test_a_scene_is_used_whole(scenes, name):
    world, report = import_world(scenes / name / f"{name}.xml")
    geometry = world.geometry
    assert report.found == report.used > 0
    assert (report.skipped, report.assumed) == ({}, {})  # every radio material is known
    if TRIANGLES[name]:
        assert len(geometry.triangles) == TRIANGLES[name] + 2
    face = geometry.triangle_face
    height = np.einsum("tkj,tj->tk", geometry.vertices[geometry.triangles], geometry.face_normal[face])
    assert np.abs(height - geometry.face_offset[face][:, None]).max() <= PLANAR + 1e-9
    # The ground that the scene brings lies above level ground: nothing is met below it.
    low, high = geometry.bounds()
    rng = np.random.default_rng(0)
    places = np.column_stack([rng.uniform(low[:2], high[:2], (1000, 2)), np.full(1000, high[2] + 10.0)])
    assert (world.height_below(places) >= report.ground - 1e-9).all()
