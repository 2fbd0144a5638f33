"""A first run says which kernels it compiles, each once, and not those that they call."""

import numba

from twin.cli.compiling import told


@numba.njit
def inner(x):
    return x + 1


@numba.njit
def outer(x):
    return inner(x) + 1


def test_the_kernel_that_is_compiled_is_said_and_not_what_it_calls(capsys):
    with told(True):
        assert outer(1) == 3
        assert outer(2) == 4
    names = [line.strip().rpartition(".")[2] for line in capsys.readouterr().err.splitlines()]
    assert names == ["outer"]


def test_nothing_is_said_unasked(capsys):
    with told(False):
        assert outer(1.5) == 3.5
    assert capsys.readouterr().err == ""
