"""Commands say which kernels they compile, each once, and not those that they call."""

from pathlib import Path

import numba

from twin.cli.compiling import told

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")


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
    header, *lines = capsys.readouterr().err.splitlines()
    assert header.startswith("compiling kernels")
    assert [line.strip().rpartition(".")[2] for line in lines] == ["outer"]
    with told():
        assert outer(3) == 5
    assert capsys.readouterr().err == "", "it is compiled"


def test_nothing_is_said_unasked(capsys):
    with told(False):
        assert outer(1.5) == 3.5
    assert capsys.readouterr().err == ""


OWN = """import numba

class Own:
    def reset(self, spec, rng):
        numba.njit(lambda x: x)(1)

    def act(self, observation):
        raise NotImplementedError
"""


def test_a_command_says_what_it_compiles(command, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    code, _, err = command("check", PATROL, "--set", f"robots.patrol.controller={tmp_path / 'own.py'}:Own")
    assert code == 0 and "compiling kernels" in err and err.count("<lambda>") == 4, "one for each drone"
