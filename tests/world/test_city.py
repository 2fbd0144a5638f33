"""The built-in city is made by its seed: the same for the same one, another for another one."""

from pathlib import Path

import numpy as np

from twin.project.plugins import load_object

CITY = Path(__file__).resolve().parents[2] / "worlds/city"


def test_a_seed_makes_one_city_and_another_seed_another_one():
    generate = load_object("generate.py:generate", CITY).value
    first, again, other = generate(1), generate(1), generate(2)
    assert first.digest() == again.digest()
    assert np.array_equal(first.vertices, again.vertices)
    assert first.digest() != other.digest()


def test_landmarks_are_the_same_in_every_city():
    """Scenarios stand on them: the houses with the base stations, and the tower in the park."""
    generate = load_object("generate.py:generate", CITY).value
    one, other = generate(1), generate(2)
    for landmark in range(3):
        of = [city.vertices[city.triangles[city.face_object[city.triangle_face] == landmark]] for city in (one, other)]
        assert len(of[0]) and np.array_equal(*of)
