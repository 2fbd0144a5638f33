"""Random changes to every built-in scenario: refused in words, or run to the end; never a traceback, NaN or hang.

`TWIN_FUZZ=2000 pytest tests/fuzz/test_built_in_scenarios.py -n 2` tries that many; by default a few of each scenario.
"""

import os
import random
import signal
import tomllib
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import tomli_w

from twin.assembly.build import build
from twin.errors import TwinError
from twin.project.project import Project, find_scenario
from twin.runs.run import run
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(Project.around(ROOT).scenarios())
COUNT = int(os.environ.get("TWIN_FUZZ", 3 * len(SCENARIOS)))
END = 200_000_000  # ns
LIMIT = 120.0  # s of processor time for one case; the slowest takes a few
TEXTS = ["", "nonsense", "NaN", "../../../etc/passwd", "10 ms", "-3 dBm", "0 m", "\0", "é" * 50, "a.b", "file.py:Class"]
NUMBERS = [0, 1, -1, 2, 3, 7, 0.5, 1e-9, -1e-3, 1e6, 1e30, float("nan"), float("inf")]
KINDS = {"network": ["ideal", "fixed", "simple", "nr", "trace", "recorded"], "channel": ["freespace", "raytracing"]}
WORDS = [*TEXTS, *KINDS["network"], *KINDS["channel"], "route", "hover", "drone", "edge", "base_station"]


def places(table, path=()):
    """Return where each value of nested tables and lists is."""
    found = []
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, (dict, list)):
            found += places(value, (*path, key))
    return found


def changed(value, chance):
    """Return something else in place of a value: plausible two times of three, nonsense otherwise."""
    if chance.random() < 0.67:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return type(value)(value * chance.choice([0, 0.1, 0.5, 0.9, 1.1, 2, 3]))
        if isinstance(value, (str, bool)):
            return not value if value in (True, False) else value
        if isinstance(value, list) and all(isinstance(v, (int, float)) for v in value):
            return [changed(v, chance) if chance.random() < 0.3 else v for v in value]
    if isinstance(value, bool):
        return chance.choice([not value, "yes", 2])
    if isinstance(value, (int, float)):
        return chance.choice([*NUMBERS, value * 2, value / 2, -value, str(value), f"{value} ms", [value]])
    if isinstance(value, str):
        return chance.choice([*WORDS, value + "x", value.upper(), 5, [value]])
    if isinstance(value, list):
        short = value[: len(value) // 2]
        return chance.choice([[], short, value + value, [None if v is None else "x" for v in value[:2]], 0])
    return chance.choice([{}, {"kind": chance.choice(WORDS)}, [], "table", {**value, "unheard_of": 1}])


def mutate(data, chance):
    """Change one to three things of a scenario; return what was done."""
    done = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        part = chance.choice([None, None, None, None, *KINDS])
        if part is not None:  # all of that part as another kind has it
            data[part] = {"kind": chance.choice(KINDS[part])}
            done.append(f"{part} = {data[part]}")
            continue
        path = chance.choice(places(data))
        table = data
        for key in path[:-1]:
            table = table[key]
        if chance.random() < 0.15:
            del table[path[-1]]
            done.append(f"{path} removed")
        else:
            table[path[-1]] = changed(table[path[-1]], chance)
            done.append(f"{path} = {str(table[path[-1]])[:80]!r}")
    return done


def cases():
    """Return each case's scenario and number; the number is the seed of its changes."""
    return [(SCENARIOS[i % len(SCENARIOS)], i) for i in range(COUNT)]


@contextmanager
def no_longer_than(seconds):
    """Interrupt what takes more processor time."""

    def stop(number, stack):
        raise AssertionError(f"hangs: more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def nan_free(recording):
    """Return the data sets of a recording that hold a NaN."""
    found = []

    def look(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fc" and np.isnan(item[()]).any():
            found.append(name)

    with h5py.File(recording) as file:
        file.visititems(look)
    return found


@pytest.mark.parametrize(("scenario", "number"), cases())
def test_a_changed_scenario_is_refused_or_runs(scenario, number, tmp_path):
    project, path = find_scenario(scenario)
    original, _ = load_scenario(path)
    data = tomllib.loads(original.to_toml())
    done = mutate(data, random.Random(number))
    file, output = tmp_path / "changed.toml", tmp_path / "run.h5"
    file.write_text(tomli_w.dumps(data))
    with no_longer_than(LIMIT):
        try:
            loaded, _ = load_scenario(file)
            built = build(loaded, project)
            outcome = run(built, loaded, output, until=END)
        except TwinError as error:
            assert len(str(error)) > 10, f"{done}: {error!r} says nothing"
            assert "Traceback" not in str(error), done
        else:
            assert outcome.error is None or str(outcome.error), done
            assert nan_free(output) == [], done
