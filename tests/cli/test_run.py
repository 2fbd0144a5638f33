"""`twin run` from the outside: exit codes, what is said, and what is left behind."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin.cli.running import headline
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")
HEIGHT = str(ROOT / "tests/project/worlds/void/scenarios/height.toml")


MINE = """
import numpy as np
from twin.state import Action

class Mine:
    def reset(self, spec, rng):
        self.name = spec.name
    def act(self, observation):
        {body}
        return Action(np.array([0.0, 0.0, 9.81]), log={{"seen": 1.0}})
"""


def write_controller(body="pass", name="mine.py"):
    Path(name).write_text(MINE.format(body=body))
    return "robots.ball.controller=./mine.py:Mine"


def test_a_run_leaves_a_complete_recording_and_says_its_figures(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "1 s", "--json")
    figures = json.loads(out)
    assert code == 0 and figures["complete"] and figures["duration"] == 1.0
    assert figures["packets_sent"] == figures["packets_delivered"] == 2 * 2 * 201
    with Recording("run.h5") as run:
        assert run.complete and run.summary["packets_sent"] == figures["packets_sent"]
        assert [robot.name for robot in run.robots] == ["ball-0", "ball-1", "edge"]


def test_the_table_fits_80_columns(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "1 s")
    assert code == 0 and "round trip p99" in out and "recorded in run.h5" in out
    assert max(len(line) for line in out.splitlines()) <= 80


FIXED = ("network.kind=fixed", "network.jitter.kind=normal", "network.jitter.scale=2 ms", "network.loss=0.01")


def test_the_headline_says_what_was_stated(command):
    sets = (*FIXED, "channel.kind=raytracing", "channel.rays=10", "channel.blockers=false", "channel.atmosphere.rain=2")
    words = [word for one in sets for word in ("--set", one)]
    code, out, err = command("run", PATROL, "-o", "run.h5", "--duration", "0.1 s", *words)
    assert out.splitlines()[:4] == [
        "patrol in city, 0.1 s, seed 1",
        "channel: ray-traced, up to 3 reflections; rays 10, blockers false, atmosphere",
        "  (rain 2 mm/h)",
        "network: a fixed delay; jitter (normal, scale 2 ms), loss 0.01",
    ]


@pytest.mark.parametrize("path", sorted(ROOT.glob("worlds/*/scenarios/*.toml")), ids=lambda path: path.stem)
def test_the_headline_of_every_scenario_fits_80_columns_and_holds_no_tables(path):
    text = headline(path, load_scenario(path)[0], cells=2)
    assert text.startswith(f"{path.stem} in {path.parts[-3]}, ") and "\nchannel: " in text and "\nnetwork: " in text
    assert max(map(len, text.splitlines())) <= 80 and not set("{}[]'") & set(text)


def test_into_a_file_no_line_ends_in_blanks_and_without_colours_nothing_is_dim(command):
    line = [sys.executable, str(ROOT / "cli.py"), "run", HEIGHT, "-o", "run.h5", "--duration", "0.1 s"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "FORCE_COLOR": "1"}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert "packets sent" in done.stdout and not re.search(r" \n|\x1b", done.stdout)


def test_without_a_name_the_run_is_named_after_scenario_and_time(command):
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    code, out, err = command("run", "void/height", "--duration", "0.1 s", "-q")
    assert code == 0, err
    assert [path.name.startswith("height-") for path in Path("recordings").glob("*.h5")] == [True]


def test_a_controller_in_a_users_file_flies_without_installing(command):
    mine = ("--set", write_controller(), "--set", "robots.ball.parameters={}")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "0.5 s", *mine, "-q")
    assert code == 0, err
    with Recording("run.h5") as run:
        assert set(run.header.plugins) > {"./mine.py:Mine"}
        assert run["state/command/ball"][-1][:, 2] == pytest.approx([9.81, 9.81])


def test_a_wrong_signature_is_refused_before_the_run(command):
    Path("mine.py").write_text("class Mine:\n    def act(self):\n        return None\n")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--set", "robots.ball.controller=./mine.py:Mine")
    assert code == 2 and not Path("run.h5").exists()
    assert "missing: def reset(self, spec" in err and "expected: def act(self, observation" in err


def test_a_controller_that_raises_ends_the_run_as_incomplete(command):
    body = "1 / 0 if observation.time >= 250_000_000 else None"
    mine = ("--set", write_controller(body), "--set", "robots.ball.parameters={}")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "1 s", *mine)
    assert code == 3
    assert "ZeroDivisionError" in err and "mine.py" in err and "Mine of ball-0" in err
    with Recording("run.h5") as run:
        assert not run.complete and "ZeroDivisionError" in run.reason
        times = [frame.time // 1_000_000 for frame in run.frames()]
        assert times == [*range(0, 260, 20), 249], "each recorded instant, and the last one that is good"


@pytest.mark.parametrize("value", ["[1.0, 2.0]", "[0.0, 0.0, float('nan')]", "'up'"])
def test_a_command_of_wrong_shape_or_not_finite_ends_the_run(command, value):
    body = f"return Action({value})"
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--set", write_controller(body),
                          "--set", "robots.ball.parameters={}")  # fmt: skip
    assert code == 3 and "command of ball-0 at 0 s" in err


def test_a_controller_that_returns_something_else_is_named(command):
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--set", write_controller("return 7"),
                          "--set", "robots.ball.parameters={}")  # fmt: skip
    assert code == 3 and "controller Mine must return" in err and "int" in err


def test_an_existing_recording_is_kept(command):
    Path("run.h5").write_text("precious")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "0.1 s")
    assert code == 1 and "run.h5" in err and Path("run.h5").read_text() == "precious"


def test_what_a_change_of_kind_drops_is_said(command):
    code, out, err = command("check", HEIGHT, "--set", "network.kind=fixed", "--set", "network.kind=ideal")
    assert code == 0 and "good" in out


def everything(path):
    """Return the bytes of every dataset and attribute of an HDF5 file."""
    found = {}

    def take(name, thing):
        found.update({f"{name}@{key}": np.asarray(value).tobytes() for key, value in thing.attrs.items()})
        if isinstance(thing, h5py.Dataset):
            found[name] = (thing.shape, str(thing.dtype), thing[()].tobytes())

    with h5py.File(path) as file:
        take("/", file)
        file.visititems(take)
    return found


def test_the_same_bytes_in_every_dataset_and_attribute_from_two_processes(tmp_path):
    for seed in ("1", "2"):
        line = [sys.executable, str(ROOT / "cli.py"), "run", HEIGHT, "-o", str(tmp_path / f"{seed}.h5"), "-q",
                   "--duration", "1.5 s", "--set", "network.kind=fixed", "--set", "network.loss=0.1",
                   "--set", "robots.ball.phase=3"]  # fmt: skip
        subprocess.run(line, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
    one, two = everything(tmp_path / "1.h5"), everything(tmp_path / "2.h5")
    assert one == two and len(one) > 50


def has_begun(path):
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with Recording(path) as run:
            return run.rows["state"] > 1
    except RecordingError as error:
        assert "is being begun" in str(error)
        return False


def test_ctrl_c_closes_the_recording(tmp_path):
    path = tmp_path / "run.h5"
    line = [sys.executable, "-u", str(ROOT / "cli.py"), "run", HEIGHT, "-o", str(path), "--duration", "1 h"]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    while not has_begun(path):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and said.index("stopping: the recording is being closed") < said.index("SIGINT")
    with Recording(path) as run:
        assert not run.complete and run.reason == "SIGINT" and run.duration > 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("from twin.state import Message; return Action(messages=(Message('edge', None, 9, 'command'),))",
         "kind 'command'"),
        ("from twin.state import Message; return Action(messages=(Message('edge', None, 0),))", "size 0"),
        ("from twin.state import Message; return Action(messages=(Message('egde', None, 9),))", "mean 'edge'?"),
        ("return Action(np.zeros(3), size=0)", "size of a packet of ball-0 at 0 s must be 1 byte at least, found 0"),
        ("return Action(messages=('hello',))", "'hello'; allowed: twin.state.Message"),
        ("return Action(log={'x': np.ones(2)})", "log of edge at 0 s"),
        ("raise SystemExit(7)", "raised SystemExit"),
        ("return Action(observation.sensed['pose'])", "no sensor reads pose; there is: position, "),
    ],
)  # fmt: skip
def test_what_a_controller_may_not_do_is_said(command, body, words):
    mine = ("--set", write_controller(body), "--set", "robots.ball.parameters={}")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *mine)
    assert code == 3 and words in err


def test_a_failsafe_that_can_not_sense_what_it_needs_is_named(command):
    lame = ("--set", "robots.patrol.spec.sensors=[{kind='battery'}]")
    code, out, err = command("run", PATROL, "-o", "run.h5", *lame)
    assert code == 3 and "the run stopped early: failsafe HoldReturnLand of patrol-" in err
    assert "no sensor reads position; there is: state_of_charge" in err


def test_a_controller_that_fails_at_its_start_is_named(command):
    write_controller()
    Path("mine.py").write_text(Path("mine.py").read_text().replace("self.name = spec.name", "spec.nothing"))
    mine = ("--set", "robots.ball.controller=./mine.py:Mine", "--set", "robots.ball.parameters={}")
    code, out, err = command("check", HEIGHT, *mine)
    assert code == 2 and "Mine of ball-0, at its start: AttributeError" in err and "Traceback" not in err


def test_the_network_carries_the_bytes_that_a_controllers_encoding_has(command):
    write_controller("return Action(np.zeros(3), size=7 + (observation.time > 0))")
    sizes = "    telemetry_size = staticmethod(lambda spec, sample: 30 + spec.row)\n"
    Path("mine.py").write_text(Path("mine.py").read_text() + sizes)
    mine = ("--set", "robots.ball.controller=./mine.py:Mine", "--set", "robots.ball.parameters={}")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", "--duration", "0.1 s", "-q", *mine)
    assert code == 0, err
    with Recording("run.h5") as run:
        packets, nodes = run.packets(), {robot.name: i for i, robot in enumerate(run.robots)}
    for row in (0, 1):
        up = packets[(packets["source"] == nodes[f"ball-{row}"]) & (packets["kind"] == "telemetry")]
        down = packets[(packets["destination"] == nodes[f"ball-{row}"]) & (packets["kind"] == "command")]
        assert set(up["size"]) == {30 + row} and down["size"].tolist() == [7] + [8] * (len(down) - 1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["robots.edge.count=2"], "servers are: edge-0, edge-1"),
        (["robots.ball-0.kind=mass", "robots.ball-0.positions=[[9,9,501]]"], "another robot is called 'ball-0'"),
        (["robots.ball.positions=[[0,0,501],[0,0,501]]"], "ball-1 and ball-0 are both at"),
        (["robots.ball.positions=[[0,0,-5],[0,0,501]]"], "ball-0 at (0, 0, -5) m is inside of ground"),
    ],
)
def test_robots_that_do_not_fit_together_are_refused(command, settings, words):
    code, out, err = command("check", HEIGHT, *(part for setting in settings for part in ("--set", setting)))
    assert code == 2 and words in err and "Traceback" not in err


@pytest.fixture
def mended():
    """Copy the test project here; return what changes a file of its robot."""
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)

    def change(name, old, new):
        path = Path("agents/mass") / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def test_check_loads_the_bodies_and_their_meshes(command, mended):
    mended("mass.urdf", '<sphere radius="0.1"/>', '<mesh filename="ball.obj"/>')
    Path("agents/mass/ball.obj").write_text("no mesh at all")
    code, out, err = command("check", "void/height")
    assert code == 2 and "mass.urdf" in err and "ball.obj" in err


def test_check_compares_the_body_with_its_parameters(command, mended):
    shutil.copytree(ROOT / "agents/drone", "agents/heavy")
    urdf = Path("agents/heavy/quadrotor.urdf")
    urdf.write_text(urdf.read_text().replace('<mass value="1.0"/>', '<mass value="1.5"/>'))
    heavy = ["robots.ball.kind=heavy", "robots.ball.controller=hover", "robots.ball.parameters={}"]
    code, out, err = command("check", "void/height", *(part for setting in heavy for part in ("--set", setting)))
    assert code == 2 and "mass of the URDF is 1.5, but the parameters of ball say 1.0" in err


def test_check_tells_all_robots_that_are_wrong(command, mended):
    wrong = ["world=viod", "robots.ball.controller=heigt", "robots.edge.kind=egde"]
    code, out, err = command("check", "void/height", *(part for setting in wrong for part in ("--set", setting)))
    assert code == 2 and "3 mistakes" in err
    assert all(hint in err for hint in ("mean 'void'?", "mean 'height'?", "mean 'edge'?"))


def test_a_recordings_folder_that_cannot_be_made_is_said(command):
    shutil.copytree(ROOT / "tests/project", ".", dirs_exist_ok=True)
    Path("recordings").write_text("in the way")
    code, out, err = command("run", "void/height", "--duration", "0.1 s")
    assert code == 1 and "recordings" in err and "name a file by -o" in err


def test_what_the_library_warns_of_is_said(command, monkeypatch):
    def warn(*_):
        logging.getLogger("twin.world.materials").warning("[%s] is extended", "ground")
        raise RecordingError("enough")

    monkeypatch.setattr("twin.cli.running.execute", warn)
    code, out, err = command("run", PATROL)
    assert (code, out, err) == (1, "", "[ground] is extended\nerror: enough\n")
