"""Commands say what they compile: each kernel that Python calls, and not those that a kernel calls."""

import re
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import numba
import pytest
from numba.core import event

from twin.cli.compiling import Compiling, Lines, part_of, told
from twin.numerics.parts import READY

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")


@numba.njit
def inner(x):
    return x + 1


@numba.njit
def outer(x):
    return inner(x) + 1


def test_a_kernel_is_said_while_it_is_compiled_and_what_it_calls_is_a_part_of_it():
    compiling, said = Compiling(total=40), []
    compiling.changed = lambda: said.append(compiling.text)
    with compiling.listening():
        for _ in range(11):
            with event.trigger_event(READY):
                pass
        assert outer(1) == 3
        assert outer(2) == 4, "it is compiled"
    begun, ended = said
    assert re.fullmatch(r"compiling 12 of about 40: .*test_compiling\.outer, 0 s", begun) and ended == ""


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("twin.channel.search.search", "follow", "ray tracer"),
        ("twin.channel.fields.links", "assemble", "fields of radio paths"),
        ("twin.network.nr.mac", "advance", "5G slots"),
        ("twin.physics.dynamics.rotorcraft", "_wrenches", "physics"),
    ],
)
def test_kernels_are_called_by_what_they_are_for(module, name, words):
    kernel = getattr(import_module(module), name)
    assert part_of(getattr(kernel, "py_func", kernel)) == words


def test_a_long_compilation_is_told_of_again_and_again(capsys, monkeypatch):
    monkeypatch.setattr("twin.cli.compiling.EVERY", 0.02)
    with Lines(lambda: "compiling 3 of about 40: ray tracer, 7 s"):
        end = time.monotonic() + 20.0
        lines = []
        while len(lines) < 3 and time.monotonic() < end:
            time.sleep(0.02)
            lines += capsys.readouterr().err.splitlines()
    assert len(lines) >= 3 and set(lines) == {"compiling 3 of about 40: ray tracer, 7 s"}


def test_nothing_is_said_unasked_or_of_what_is_compiled(capsys):
    with told(False):
        assert outer(1.5) == 3.5
    with told():
        assert outer(2.5) == 4.5
    assert capsys.readouterr().err == ""


OWN = """import numba

class Own:
    def reset(self, spec, rng):
        numba.njit(lambda x: x)(1)

    def act(self, observation):
        raise NotImplementedError
"""


def test_a_command_says_once_that_it_compiles(command, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    code, _, err = command("check", PATROL, "--set", f"robots.patrol.controller={tmp_path / 'own.py'}:Own")
    assert code == 0 and err.count("compiling kernels") == 1, "not for each of four drones"


COUNTED = """
from twin.cli import main
from twin.numerics.parts import READY
from numba.core import event

with event.install_recorder(READY) as ready:
    try:
        main()
    except SystemExit:
        print(len(ready.buffer) // 2)
"""


@pytest.mark.parametrize("changes", [[], ["--set", "channel.kind=freespace", "--set", "network.kind=ideal"]])
def test_how_many_kernels_are_said_to_come_is_about_how_many_come(changes, tmp_path):
    from twin.runs.warming import expected_kernels
    from twin.specs.scenario import load_scenario

    root = Path(__file__).resolve().parents[2]
    scenario, _ = load_scenario(root / "worlds/city/scenarios/patrol.toml", changes[1::2])
    arguments = ["run", "city/patrol", "-q", "--duration", "0.1 s", "-o", str(tmp_path / "run.h5"), *changes]
    done = subprocess.run([sys.executable, "-c", COUNTED, *arguments], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pytest.approx(expected_kernels(scenario), rel=0.15), done.stderr
