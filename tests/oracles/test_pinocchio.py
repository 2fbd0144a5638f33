"""An arm by Pinocchio: mass matrix, efforts and accelerations of the same URDF; optional."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twin.mechanism.dynamics import forward_dynamics, inverse_dynamics
from twin.mechanism.tree import read_mechanism

pinocchio = pytest.importorskip("pinocchio", reason="Pinocchio is not installed: pip install pin")
KUKA = Path(find_spec("pybullet_data").submodule_search_locations[0], "kuka_iiwa/model.urdf")
DOWN = (0.0, 0.0, -9.81)


def test_an_arms_mass_matrix_efforts_and_accelerations_are_pinocchios():
    tree = read_mechanism(KUKA).tree
    model = pinocchio.buildModelFromUrdf(str(KUKA))
    data, rng = model.createData(), np.random.default_rng(3)
    n, none = model.nq, np.zeros(model.nq)
    assert [model.names[i + 1] for i in range(n)] == [joint.name for joint in read_mechanism(KUKA).joints]
    for _ in range(5):
        q, v, a = rng.uniform(-1.5, 1.5, (3, n))
        wanted = pinocchio.rnea(model, data, q, v, a)
        assert inverse_dynamics(tree, q, v, a, DOWN) == pytest.approx(wanted, abs=1e-10)
        matrix = pinocchio.crba(model, data, q).copy()
        matrix = np.triu(matrix) + np.triu(matrix, 1).T
        ours = np.stack([inverse_dynamics(tree, q, none, e, (0.0, 0.0, 0.0)) for e in np.eye(n)], axis=1)
        assert ours == pytest.approx(matrix, abs=1e-11)
        assert forward_dynamics(tree, q, v, wanted, DOWN) == pytest.approx(a, abs=1e-8)
