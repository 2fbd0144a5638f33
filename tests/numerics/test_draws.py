import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.numerics.draws import generator, key, normal, uniform
from twin.numerics.kernels import kernel

LOSS, FADING = key("loss"), key("fading")
N = 100_000


@kernel
def uniforms(seed, stream, entity, n):
    values = np.empty(n)
    for i in range(n):
        values[i] = uniform(seed, stream, entity, i, 0)
    return values


@kernel
def normals(seed, stream, entity, n):
    values = np.empty(n)
    for i in range(n):
        values[i] = normal(seed, stream, entity, i, 0)
    return values


def test_uniform_moments_within_five_standard_errors():
    u = uniforms(1, LOSS, key("drone-0"), N)
    assert abs(u.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / N)
    assert abs(u.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / N)  # var of (u - 1/2)**2 is 1/180
    assert u.min() > 0 and u.max() < 1


def test_uniform_fills_its_cells():
    counts = np.bincount((uniforms(2, LOSS, key("drone-0"), N) * 100).astype(int), minlength=100)
    chi2 = ((counts - N / 100) ** 2 / (N / 100)).sum()
    assert abs(chi2 - 99) < 5 * np.sqrt(2 * 99)


def test_normal_moments_within_five_standard_errors():
    z = normals(1, FADING, key("drone-0"), N)
    assert abs(z.mean()) < 5 / np.sqrt(N)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / N)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / N)  # var of z**4 is 105 - 9


@pytest.mark.parametrize(
    "other",
    [(2, LOSS, "drone-0"), (1, FADING, "drone-0"), (1, LOSS, "drone-1")],
    ids=["seed", "stream", "entity"],
)
def test_what_a_draw_is_for_makes_it_independent(other):
    a = uniforms(1, LOSS, key("drone-0"), N)
    b = uniforms(other[0], other[1], key(other[2]), N)
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(N)


def test_successive_draws_and_attempts_are_independent():
    a = uniforms(1, LOSS, key("drone-0"), N)
    again = np.array([uniform(1, LOSS, key("drone-0"), i, 1) for i in range(10_000)])
    assert abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 5 / np.sqrt(N)
    assert abs(np.corrcoef(a[:10_000], again)[0, 1]) < 5 / np.sqrt(10_000)


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.integers(0, 100))
def test_a_draw_is_a_function_of_what_it_is_for(seed, sequence, attempt):
    entity = key("drone-0")
    first = uniform(seed, LOSS, entity, sequence, attempt)
    uniform(seed, FADING, entity, sequence + 1, attempt)
    assert uniform(seed, LOSS, entity, sequence, attempt) == first
    assert 0 < first < 1


def test_generators_are_spawned_by_name():
    assert generator(1, "mesa").random() == generator(1, "mesa").random()
    assert generator(1, "mesa").random() != generator(1, "wind").random()
    assert generator(1, "mesa").random() != generator(2, "mesa").random()
    assert generator(1, "a", "b").random() != generator(1, "ab").random()
