"""Every example runs, for a short time, as its reader would run it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twin.recording.reader import Recording

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def run(*words, path=(), **options):
    places = os.pathsep.join(map(str, (ROOT, *path)))
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": places}, **options)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example package, installed into a folder of its own, without a network."""
    target = tmp_path_factory.mktemp("site")
    run("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", target,
        EXAMPLES / "plugin-package")  # fmt: skip
    return target


def twin(installed, *words, cwd):
    return run(ROOT / "cli.py", *words, path=[installed], cwd=cwd)


SCENARIO = """
schema = 1
world = "city"
duration = "1 s"
[robots.lamp]
kind = "glow_drone"
positions = [[0, 0, 120]]
parameters = { radius = 2.0 }
[robots.other]
kind = "drone"
controller = "spiral"
positions = [[20, 0, 120]]
[robots.edge]
kind = "edge"
"""


def test_an_installed_package_brings_a_controller_and_a_robot(installed, tmp_path):
    (tmp_path / "spiral.toml").write_text(SCENARIO)
    listed = json.loads(twin(installed, "list", "--json", cwd=tmp_path))
    assert "spiral" in {entry["name"] for entry in listed["controllers"]}
    assert "glow_drone" in {entry["name"] for entry in listed["robots"]}
    described = json.loads(twin(installed, "describe", "glow_drone", "--json", cwd=tmp_path))
    assert described["command"][0]["field"] == "acceleration"
    figures = json.loads(twin(installed, "run", "spiral.toml", "--json", "-o", "run.h5", cwd=tmp_path))
    assert figures["complete"] and figures["failsafes"] == 0 and figures["packets_sent"] > 100


@pytest.mark.parametrize("controller", ["hold.py:Hold", "process:hold.py"])
def test_a_controller_inside_and_in_another_process(controller, tmp_path):
    chosen = f"robots.scout.controller={controller}"
    out = run(ROOT / "cli.py", "run", EXAMPLES / "process/hold.toml", "--duration", "1 s", "--json", "--set", chosen,
              "-o", tmp_path / "run.h5", cwd=EXAMPLES / "process")  # fmt: skip
    figures = json.loads(out)
    assert figures["complete"] and "controller" not in figures["events"] and figures["tracking_rms"] < 0.5


def test_mobile_robots_do_the_orders_of_a_fleet_control(tmp_path):
    folder = EXAMPLES / "vda5050"
    out = run(ROOT / "cli.py", "run", folder / "tour.toml", "--json", "-o", tmp_path / "tour.h5", cwd=folder)
    assert json.loads(out)["collisions"] == 0
    with Recording(tmp_path / "tour.h5") as recording:
        carriers = [robot.name for robot in recording.robots]
        end = np.asarray(recording["state/position"][-1:])[0]
    goals = {}
    for line in (folder / "tour.jsonl").read_text().splitlines():
        entry = json.loads(line)
        place = entry["message"]["nodes"][-1]["nodePosition"]
        goals[entry["robot"]] = place["x"], place["y"]
    assert end[:, :2] == pytest.approx(np.array([goals[name] for name in carriers]), abs=0.35)


def test_a_policy_learns_to_fly_better_than_untrained_over_100_ms():
    out = run(EXAMPLES / "learning/train.py", "--generations", "2", "--population", "6")
    reward = {line.partition(":")[0]: float(line.split()[1]) for line in out.splitlines()[-2:]}
    assert reward["trained"] > reward["untrained"] + 1.0  # m, mean distance from the reference


SAYS = {
    "compare_networks": r"fixed, 120 ms each way +241\.5 ms +0\.\d+ m  failed",
    "crowd": r"\d+ of 50 walkers were flown over",
    "draw_coverage": r"coverage\.png: \d+% of the outdoor points",
    "learn": r"best: 5\.7 1/s2",
    "own_sensor": r"-5\d\.\d dBm at 8 m, -[23]\d\.\d dBm at [2-9]\d m",
    "own_dynamics": r"rises at (3\.53\d) m/s; expected 3\.533 m/s",
    "plot_latency": r"latency\.png: \d+ packets",
    "read_recording": r"<Run patrol in city: 4 robots, 2 base stations, 1 edge server; 5 s, seed 1, \w+>",
    "step_by_hand": r"patrol-3: -\d+\.\d dB at",
}
"""Each short script, and what it says."""


@pytest.mark.parametrize("name", SAYS)
def test_a_short_script_says_what_it_shows(name, installed, tmp_path):
    assert re.search(SAYS[name], out := run(EXAMPLES / f"{name}.py", path=[installed], cwd=tmp_path)), out


def test_every_short_script_is_run_here_and_is_short():
    scripts = {path.stem: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(scripts) == set(SAYS) and max(scripts.values()) <= 45


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_cell_by_cell(notebook, tmp_path, monkeypatch):
    client = pytest.importorskip("nbclient", reason="notebooks need nbclient and ipykernel")
    nbformat = pytest.importorskip("nbformat", reason="notebooks need nbclient and ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cells = nbformat.read(notebook, 4)
    client.NotebookClient(cells, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in cells.cells for output in cell.get("outputs", ())]
    assert shown and not [output for output in shown if output.output_type == "error"]
    said = [line for output in shown if output.get("name") == "stderr" for line in output["text"].splitlines()]
    assert all(line.endswith("its formula is extended") for line in said), "what is approximated is said, nothing else"


def test_an_environment_goes_into_stable_baselines3():
    pytest.importorskip("stable_baselines3", reason="stable-baselines3 isn't installed: twin doesn't need it")
    out = run(EXAMPLES / "learning/ppo.py", "--steps", "128")
    assert "after 128 steps:" in out
