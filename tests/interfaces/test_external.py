"""Controllers in other processes: the same bits as inside, and every way to fail has a name."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zmq

from twin.assembly.build import build
from twin.errors import PluginError, RunError
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.run import run
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/process"
SCENARIO = """
schema = 1
world = "void"
duration = "1 s"
[network]
kind = "fixed"
delay = "10 ms"
jitter = { kind = "exponential", scale = "3 ms" }
loss = 0.05
[robots.scout]
kind = "drone"
count = 2
task = { kind = "route", speed = "6 m/s", waypoints = [[-20, -20, 540], [20, -20, 545], [20, 20, 540]] }
[robots.edge]
kind = "edge"
"""
FAULTY = """
import os, sys, time
import msgpack, zmq
fault, at = sys.argv[1], int(sys.argv[2])
socket = zmq.Context().socket(zmq.REP)
if fault == "absent": time.sleep(60)
socket.curve_serverkey = os.environ["TWIN_KEY"].encode()
socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
socket.connect(os.environ["TWIN_ADDRESS"])
while True:
    request = msgpack.unpackb(socket.recv())
    if request["type"] != "act":
        socket.send(msgpack.packb({"type": "ready", "version": 7 if fault == "version" else 1}))
        continue
    step, seen = request["step"], request["observations"]
    actions = [{"command": [0.0, 0.0, 0.0, 0.0]} for _ in seen]
    reply = {"type": "actions", "step": step, "actions": actions}
    if step == at:
        if fault == "dead": sys.exit(3)
        if fault == "killed": os.kill(os.getpid(), 9)
        if fault == "hang": time.sleep(60)
        if fault == "slow": time.sleep(1.5)
        if fault == "nan": actions[-1]["command"][2] = float("nan")
        if fault == "shape": actions[-1]["command"] = [0.0]
        if fault == "text": actions[-1]["command"] = ["a", 0.0, 0.0, 0.0]
        if fault == "count": actions.append(actions[0])
        if fault == "step": reply["step"] += 1
        if fault == "list": reply = [1, 2]
        if fault == "message": actions[-1]["messages"] = [{"to": "edge"}]
        if fault == "log": actions[-1]["log"] = {"x": "y"}
        if fault == "bytes":
            socket.send(b"\\xc1\\x00garbage")
            continue
    socket.send(msgpack.packb(reply))
"""


@pytest.fixture
def fly(tmp_path, monkeypatch):
    """Build the scenario with a controller and overrides; return it and the scenario."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    path = tmp_path / "flight.toml"
    path.write_text(SCENARIO)
    built = []

    def make(controller, *overrides, project=EXAMPLES):
        overrides = [f"robots.scout.controller={controller!r}", *overrides]
        scenario, _ = load_scenario(path, [f"world={ROOT / 'tests/project/worlds/void'}/", *overrides])
        built.append(build(scenario, Project(project)))
        return built[-1], scenario

    yield make
    for one in built:
        one.close()


@pytest.fixture
def faulty(fly, tmp_path):
    (tmp_path / "faulty.py").write_text(FAULTY)

    def make(fault, *overrides, at=20):
        waits = "500 ms" if fault in ("hang", "slow") else "20 s"
        timeouts = (f"robots.scout.external.timeout={waits}", "robots.scout.external.start_timeout=60 s")
        return fly(f"process:{tmp_path}/faulty.py {fault} {at}", *timeouts, *overrides)

    return make


def recorded(flight, path):
    outcome = run(*flight, path)
    assert outcome.error is None, outcome.error
    with Recording(path) as recording:
        return {name: np.asarray(recording[name][:]) for name in recording.columns}


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert [name for name in a if a[name].tobytes() != b[name].tobytes()] == []


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory):
    """What hold.mjs imports, or a reason why it isn't here."""
    folder = tmp_path_factory.mktemp("node")
    for name in ("hold.mjs", "package.json"):
        shutil.copy(EXAMPLES / name, folder)
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node.js on this machine")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
    done = subprocess.run(["npm", "install", *quiet], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"npm install: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class TestSameBits:
    def test_python_in_another_process_records_what_it_records_inside(self, fly, tmp_path):
        inside = recorded(fly("hold.py:Hold"), tmp_path / "inside.h5")
        outside = recorded(fly("process:hold.py"), tmp_path / "outside.h5")
        assert_same(inside, outside)
        assert np.abs(inside["state/position"][-1] - inside["state/position"][0]).max() > 0.5, "it flew"

    def test_javascript_records_the_same(self, fly, tmp_path, node_modules):
        inside = recorded(fly("hold.py:Hold"), tmp_path / "inside.h5")
        assert_same(inside, recorded(fly("process:node hold.mjs", project=node_modules), tmp_path / "node.h5"))

    def test_on_board_and_over_an_address(self, fly, tmp_path):
        onboard = "robots.scout.runs_on=onboard"
        inside = recorded(fly("hold.py:Hold", onboard), tmp_path / "inside.h5")
        address = f"tcp://127.0.0.1:{free_port()}"
        process = subprocess.Popen([sys.executable, EXAMPLES / "hold.py", address], env=os.environ)
        try:
            for number in range(2):  # it answers one twin after another
                assert_same(inside, recorded(fly(address, onboard), tmp_path / f"{number}.h5"))
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


FAULTS = {
    "dead": "its process ended with exit code 3",
    "killed": "its process ended with signal SIGKILL",
    "hang": "no answer within 500 ms",
    "slow": "no answer within 500 ms",
    "nan": "must be 4 finite numbers, found [0.0, 0.0, nan, 0.0]",
    "shape": "must be 4 numbers, found [0.0]",
    "text": "must be 4 finite numbers, found ['a'",
    "count": "actions, found",
    "step": "expected 'actions' with step 20, found 'actions' with step 21",
    "list": "expected a map, found [1, 2]",
    "message": "is malformed: KeyError: 'payload'",
    "log": "could not convert string to float",
    "bytes": "its answer is no msgpack",
    "version": "expected 'ready' with version 1, found 'ready' with version 7",
}


def scout_modes(built, frame):
    return [mode for node, mode in zip(built.nodes, frame.modes, strict=True) if node.group == "scout"]


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_the_run_stops_with_the_name_of_the_culprit(self, faulty, fault):
        built, scenario = faulty(fault)
        outcome = run(built, scenario)
        assert isinstance(outcome.error, RunError) and FAULTS[fault] in str(outcome.error)
        assert "faulty.py" in str(outcome.error) and "scout-" in str(outcome.error)

    def test_or_the_robots_fall_to_their_failsafe(self, faulty):
        built, scenario = faulty("dead", "robots.scout.external.on_failure=failsafe", "duration=2 s")
        frames = list(built.twin.frames(scenario.duration))
        faults = [event for frame in frames for event in frame.events if event.kind == "controller"]
        assert {event.robot for event in faults} <= {"scout-0", "scout-1"} and len(faults) in (1, 2)
        assert all("ended with exit code 3" in event.detail for event in faults)
        assert scout_modes(built, frames[-1]) == ["hover", "hover"]

    def test_also_when_the_controller_is_on_board(self, faulty):
        built, scenario = faulty("nan", "robots.scout.external.on_failure=failsafe", "robots.scout.runs_on=onboard",
                                 "duration=2 s")  # fmt: skip
        frames = list(built.twin.frames(scenario.duration))
        first = next(e.time for f in frames for e in f.events if e.kind == "controller")
        taken = next(frame.time for frame in frames if "hover" in scout_modes(built, frame))
        timeout = 300_000_000  # command_timeout of the drone
        period = 20_000_000
        assert first + timeout - period <= taken <= first + timeout + period

    def test_one_that_never_comes_is_waited_for_only_so_long(self, faulty):
        built, scenario = faulty("absent", "robots.scout.external.start_timeout=300 ms")
        outcome = run(built, scenario)
        assert "nobody took a message within 300 ms" in str(outcome.error)

    def test_an_address_where_nobody_is(self, fly):
        outcome = run(*fly("tcp://127.0.0.1:9", "robots.scout.external.start_timeout=200 ms"))
        assert "nobody took a message within 200 ms" in str(outcome.error)

    def test_the_command_says_so_in_a_line_without_a_traceback(self, command):
        code, _, err = command("run", EXAMPLES / "hold.toml", "-o", "run.h5",
                               "--set", "robots.scout.controller=tcp://127.0.0.1:9",
                               "--set", "robots.scout.external.on_failure=stop",
                               "--set", "robots.scout.external.start_timeout=200 ms")  # fmt: skip
        assert code == 3 and "nobody took a message within 200 ms" in err
        assert "Traceback" not in err and "LinkLost" not in err

    def test_no_process_outlives_its_run(self, faulty):
        for fault in ("hang", "none"):
            built, scenario = faulty(fault, "duration=0.3 s")
            link = next(entry.controller.link for entry in built.entries if entry.name == "scout")
            processes = []
            ask = link.ask

            def spy(*arguments, link=link, ask=ask, processes=processes, **question):
                reply = ask(*arguments, **question)
                processes.append(link._ends.process)
                return reply

            link.ask = spy
            run(built, scenario)
            assert processes and processes[0].poll() is not None


class TestStrangers:
    def test_who_connects_to_the_port_without_the_key_is_asked_nothing(self, faulty, monkeypatch):
        built, scenario = faulty("none", "duration=0.5 s")
        link = next(entry.controller.link for entry in built.entries if entry.name == "scout")
        context, heard, strangers = zmq.Context(), [], []

        def join(address):
            for secure in (False, True):
                stranger = context.socket(zmq.REP)
                stranger.linger = 0
                if secure:  # with a key that it made up
                    stranger.curve_serverkey, _ = zmq.curve_keypair()
                    stranger.curve_publickey, stranger.curve_secretkey = zmq.curve_keypair()
                stranger.connect(address)
                strangers.append(stranger)

        ask = link.ask

        def spy(*arguments, **question):
            reply = ask(*arguments, **question)
            if not strangers:
                join(link._ends.socket.getsockopt_string(zmq.LAST_ENDPOINT))
            heard.extend(s for s in strangers if s.poll(0))
            return reply

        link.ask = spy
        assert run(built, scenario).error is None
        assert strangers and not heard
        context.destroy(0)

    @pytest.mark.parametrize("mine", ["same", "other", "none"])
    def test_an_address_with_a_key_is_talked_to_only_if_it_has_it(self, fly, tmp_path, mine):
        key = os.urandom(32).hex()
        (tmp_path / "key.hex").write_text(key + "\n")
        address = f"tcp://127.0.0.1:{free_port()}"
        theirs = {"same": repr(key), "other": repr("0" * 63 + "1"), "none": "None"}[mine]
        line = "from hold import Hold; from twin.interfaces.client import serve; "
        line += f"serve(Hold, {address!r}, key={theirs})"
        process = subprocess.Popen([sys.executable, "-c", line], cwd=EXAMPLES)
        try:
            built, scenario = fly(address, f"robots.scout.external.key={tmp_path / 'key.hex'}", "duration=0.1 s",
                                  f"robots.scout.external.start_timeout={'30 s' if mine == 'same' else '2 s'}")
            error = run(built, scenario).error
            assert error is None if mine == "same" else "as one with another key does" in str(error)
        finally:
            process.kill()
            process.wait()

    def test_a_controller_ends_with_its_twin_however_that_ends(self, fly, tmp_path):
        sleeps = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(99)\n"
        (tmp_path / "sleeper.py").write_text(sleeps.replace("'pid'", repr(str(tmp_path / "pid"))))
        twin = subprocess.Popen([sys.executable, ROOT / "cli.py", "run", EXAMPLES / "hold.toml", "-o", "x.h5", "--set",
                                 f"robots.scout.controller=process:{tmp_path}/sleeper.py"], cwd=tmp_path)  # fmt: skip
        pid = tmp_path / "pid"
        while not (pid.exists() and pid.read_text()):
            assert twin.poll() is None
            time.sleep(0.05)
        twin.kill()
        twin.wait()
        end = time.monotonic() + 5
        while Path(f"/proc/{pid.read_text()}").exists():
            assert time.monotonic() < end, "it outlives its twin"
            time.sleep(0.05)

    def test_a_client_takes_no_rubbish_for_a_twin(self):
        address = f"tcp://127.0.0.1:{free_port()}"
        process = subprocess.Popen([sys.executable, EXAMPLES / "hold.py", address])
        try:
            with zmq.Context() as context, context.socket(zmq.REQ) as stranger:
                stranger.linger = 0
                stranger.connect(address)
                for rubbish in (b"", b"\xc1", b"\x93\x01", b"\x91" * 2000, os.urandom(50)):
                    stranger.send(rubbish)
                    assert stranger.poll(30_000) and msgpack.unpackb(stranger.recv()) == {"type": "refused"}
        finally:
            process.kill()
            process.wait()


class TestRefused:
    def test_an_address_beyond_this_machine_needs_permission(self, fly):
        with pytest.raises(PluginError, match="allow_remote"):
            fly("tcp://192.0.2.1:5555")
        fly("tcp://192.0.2.1:5555", "robots.scout.external.allow_remote=true")

    @pytest.mark.parametrize("rest", ["", ":", ":0", ":65536", ":-1", ":http", ":*", ":5555/path"])
    def test_an_address_without_a_port_that_could_be(self, fly, rest):
        with pytest.raises(PluginError, match="expected tcp://127.0.0.1:5555, with a port from 1 to 65535"):
            fly(f"tcp://127.0.0.1{rest}")

    def test_the_client_listens_on_loopback_only(self):
        from twin.interfaces.client import is_loopback, serve

        with pytest.raises(ValueError, match="can be reached from outside"):
            serve(object, "tcp://0.0.0.0:5555")
        addresses = ("tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///tmp/x", "tcp://*:1", "tcp://a.b:1")
        assert [is_loopback(a) for a in addresses] == [True] * 4 + [False] * 2

    @pytest.mark.parametrize("reference", ["process:", "process:./nothing", "process:no-such-program-here 1"])
    def test_a_program_that_is_not_there(self, fly, reference):
        with pytest.raises(PluginError, match="robots.scout.controller.*process:"):
            fly(reference)
