"""Kernels within kernels: typed once, no program of their own, and they say what is wrong."""

import numpy as np
import pytest

from twin.numerics.kernels import kernel, uncounted
from twin.numerics.parts import Kernel
from twin.numerics.sorting import ascending


@uncounted
def _scaled(x, factor):
    return x * factor + 1.0


@kernel
def _total(values, factor):
    total = 0.0
    for value in values:
        total += _scaled(value, factor)
    return total


@kernel
def _twice(values):
    return _total(values, 2) + _total(values, 3)


@kernel
def _checked(x):
    if x < 0.0:
        raise ValueError("found", x)
    return x


@kernel
def _through(x):
    return _checked(x) + 1.0


@kernel
def _factorial(n):
    return 1 if n < 2 else n * _factorial(n - 1)


@kernel
def _nth(pair, n):
    return pair[n]


@kernel
def _mixed(x):
    return _nth((x, 1), 0) + _nth((x, 1), 1)


@kernel
def _of_five():
    return _factorial(5)


def test_a_part_is_typed_once_whatever_numbers_stand_in_the_source():
    times = Kernel(lambda x, n: x * n, targetoptions={"nopython": True})  # cached nowhere
    both = Kernel(lambda x: times(x, 2) + times(x, 3), targetoptions={"nopython": True})
    assert both(1.5) == 7.5
    assert len(times._part.overloads) == 1 and not times.overloads, "no program of its own"


def test_python_may_call_a_part_as_well():
    assert _twice(np.arange(4.0)) == 2 * 6 + 4 + 3 * 6 + 4
    assert _total(np.arange(4.0), 2) == 16.0 and _scaled(2.0, 3.0) == 7.0


def test_what_a_part_raises_arrives_with_its_words():
    assert _through(1.0) == 2.0
    with pytest.raises(ValueError, match="'found', -1.0"):
        _through(-1.0)


def test_a_number_that_types_hang_on_is_taken_as_it_stands():
    assert _mixed(0.5) == 1.5  # a float and an int in one tuple: which is meant must be known


def test_a_part_may_call_itself():
    assert (_of_five(), _factorial(6)) == (120, 720)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 100, 257])
def test_kernels_sort_as_numpys_stable_sort(n):
    keys = np.random.default_rng(n).integers(0, max(n // 3, 1), n).astype(float)  # with ties
    np.testing.assert_array_equal(ascending(keys), np.argsort(keys, kind="stable"))
