"""Processes that need the same kernel at once compile it once: the others wait, and load it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = """
from twin.numerics.kernels import kernel

@kernel
def total(values):
    least = values.min()
    return sum(sorted([x - least for x in values]))
"""
CALLED = """
import sys, time
import numpy as np
from numba.core import event
from own import total
from twin.numerics.shared import WAITING

print("ready", flush=True)
sys.stdin.readline()
with event.install_recorder("numba:compile") as compiled, event.install_recorder(WAITING) as waited:
    answer = total(np.arange(4.0))
mine = any(e.data["dispatcher"] is total for _, e in compiled.buffer)
print(answer, mine, bool(waited.buffer))
"""


def test_one_of_three_processes_compiles_and_the_others_load_what_it_made(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    environment = os.environ | {"TWIN_CACHE": str(tmp_path / "cache"), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    started = [
        subprocess.Popen([sys.executable, "-c", CALLED], env=environment, text=True, cwd=tmp_path,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0].split() for process in started]
    assert [float(answer) for answer, _, _ in answers] == [6.0] * 3
    assert [mine for _, mine, _ in answers].count("True") == 1
    assert "True" not in [waited for _, mine, waited in answers if mine == "True"]
