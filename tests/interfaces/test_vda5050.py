"""A fleet control sends vehicles round by VDA 5050: from files, over a broker, and again from the recording."""

import json
import re
import runpy
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from twin.assembly.build import build
from twin.errors import RunError, TwinError
from twin.interfaces.vda5050.broker import Played
from twin.interfaces.vda5050.controller import Vehicles, battery
from twin.interfaces.vda5050.messages import BatteryState, Connection, State
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.run import run
from twin.specs.scenario import load_scenario
from twin.state import Sample

ROOT = Path(__file__).resolve().parents[2]
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto on this machine: no broker to talk to")
ROBOT = """
schema = 1
agent = "cart.py:CartRobot"
failsafe = "cart.py:Stop"
[body]
urdf = "cart.urdf"
dynamics = "cart.py:Cart"
command = [{ name = "speed", unit = "m/s", lower = -2.0, upper = 2.0 }, { name = "turning", unit = "rad/s" }]
[[sensors]]
kind = "navigation"
"""
# A cart on an air cushion: what it is told it does within a tenth of a second.
CART = """
import numpy as np
from twin.robots.robot import Robot
from twin.state import Action

class CartRobot(Robot):
    pass

class Cart:
    def __init__(self, parameters, n): pass
    def reset(self): pass
    def wrench(self, state, command, dt):
        x, y, z, w = state.orientation.T
        ahead = np.stack([1 - 2 * (y * y + z * z), 2 * (w * z + x * y), 0 * x], axis=1)
        out = np.zeros((len(command), 6))
        out[:, :3] = 10.0 * (command[:, :1] * ahead - state.velocity) + [0, 0, 9.81]
        out[:, 5] = 0.004 * 10.0 * (command[:, 1] - state.angular_velocity[:, 2])
        return out

class Stop:
    def reset(self, spec, rng): pass
    def update(self, observation): return "stop" if observation.time - max(observation.heard, 0) > 10**8 else "nominal"
    def act(self, observation): return Action(np.zeros(2))
"""
SCENARIO = """
schema = 1
world = "{world}/"
duration = "14 s"
[robots.cart]
kind = "cart"
count = {count}
positions = {positions}
controller = "{controller}"
external = {{ start_timeout = "30 s" }}
"""
PATIENT = "robots.cart.parameters.patience=60 s"
HEADER = {"headerId": 0, "timestamp": "2025-01-01T00:00:00.00Z", "version": "2.0.0", "manufacturer": "twin"}

# What version 2 requires, with the optional fields (?) that twin tells: state and connection after json_schemas/ of
# github.com/VDA5050/VDA5050, the order after the text of the guideline as we know it.
POSITION = {"x": float, "y": float, "mapId": str, "theta?": float, "allowedDeviationXY?": float}
ABOUT = {"headerId": int, "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"),
         "version": re.compile(r"2\.\d\.\d"), "manufacturer": str, "serialNumber": str}  # fmt: skip
CONNECTION = ABOUT | {"connectionState": {"ONLINE", "OFFLINE", "CONNECTIONBROKEN"}}
STATE = ABOUT | {
    "orderId": str, "orderUpdateId": int, "lastNodeId": str, "lastNodeSequenceId": int, "driving": bool,
    "nodeStates": [{"nodeId": str, "sequenceId": int, "released": bool, "nodePosition?": POSITION}],
    "edgeStates": [{"edgeId": str, "sequenceId": int, "released": bool}],
    "actionStates": [{"actionId": str, "actionType?": str, "resultDescription?": str, "actionStatus": {
        "WAITING", "INITIALIZING", "RUNNING", "PAUSED", "FINISHED", "FAILED"}}],
    "batteryState": {"batteryCharge": float, "charging": bool},
    "operatingMode": {"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACHIN"},
    "errors": [{"errorType": str, "errorLevel": {"WARNING", "FATAL"}, "errorDescription?": str,
                "errorReferences?": [{"referenceKey": str, "referenceValue": str}]}],
    "safetyState": {"eStop": {"AUTOACK", "MANUAL", "REMOTE", "NONE"}, "fieldViolation": bool},
    "agvPosition?": {"x": float, "y": float, "theta": float, "mapId": str, "positionInitialized": bool},
    "velocity?": {"vx?": float, "vy?": float, "omega?": float}, "paused?": bool, "newBaseRequest?": bool,
}  # fmt: skip
ORDER = ABOUT | {
    "orderId": str, "orderUpdateId": int,
    "nodes": [{"nodeId": str, "sequenceId": int, "released": bool, "actions": [dict], "nodePosition?": POSITION}],
    "edges": [{"edgeId": str, "sequenceId": int, "released": bool, "startNodeId": str, "endNodeId": str,
               "actions": [dict], "maxSpeed?": float}],
}  # fmt: skip


def hold_against(standard, value):
    """Assert that a value is what the standard says: fields by name, elements, one of a set, a pattern or a type."""
    if isinstance(standard, dict):
        assert {name for name in standard if not name.endswith("?")} <= set(value)
        assert set(value) <= {name.rstrip("?") for name in standard}
        for name, inner in standard.items():
            if name.rstrip("?") in value:
                hold_against(inner, value[name.rstrip("?")])
    elif isinstance(standard, list):
        assert isinstance(value, list)
        for element in value:
            hold_against(standard[0], element)
    elif isinstance(standard, set):
        assert value in standard
    elif isinstance(standard, re.Pattern):
        assert standard.fullmatch(value)
    else:
        assert type(value) in ({int, float} if standard is float else {standard}), value


class Ear(Played):
    """Plays messages to a vehicle and keeps what it says."""

    def __init__(self, will, messages):
        super().__init__(messages)
        self.said = [("connection", json.loads(will))]

    def tell(self, topic, text, *, lasting=False):
        self.said.append((topic, json.loads(text)))

    def close(self, farewell):
        self.tell("connection", farewell)


def order(robot, *places, order_id="o1", update=0, first=0, base=None):
    base = len(places) if base is None else base
    nodes, edges = [], []
    for i, (x, y) in enumerate(places):
        n, at = first + i, {"x": x, "y": y, "mapId": "void"}
        nodes.append({"nodeId": f"n{n}", "sequenceId": 2 * n, "released": i < base, "actions": [], "nodePosition": at})
        edges.append({"edgeId": f"e{n}", "sequenceId": 2 * n + 1, "released": i + 1 < base, "actions": [],
                      "startNodeId": f"n{n}", "endNodeId": f"n{n + 1}"})  # fmt: skip
    about = {"serialNumber": robot, "orderId": order_id, "orderUpdateId": update}
    return HEADER | about | {"nodes": nodes, "edges": edges[:-1]}


def request(robot, what):
    action = {"actionType": what, "actionId": f"{robot} {what}", "blockingType": "NONE"}
    return HEADER | {"serialNumber": robot, "actions": [action]}


@pytest.fixture
def stage(tmp_path):
    """Build the carts with a controller and overrides; return the twin and its scenario."""
    folder = tmp_path / "agents/cart"
    folder.mkdir(parents=True)
    for name, text in (("robot.toml", ROBOT), ("cart.py", CART)):
        (folder / name).write_text(text)
    shutil.copy(ROOT / "tests/project/agents/mass/mass.urdf", folder / "cart.urdf")
    built = []

    def make(controller, *overrides, count=1):
        world, places = ROOT / "tests/project/worlds/void", [[0, 6 * i, 501] for i in range(count)]
        text = SCENARIO.format(world=world, count=count, positions=places, controller=controller)
        (tmp_path / "run.toml").write_text(text)
        scenario, _ = load_scenario(tmp_path / "run.toml", overrides)
        built.append(build(scenario, Project(tmp_path)))
        return built[-1], scenario

    yield make
    for one in built:
        one.close()


def script(folder, *entries):
    lines = [json.dumps({"time": t, "robot": r, "topic": topic, "message": m}) for t, r, topic, m in entries]
    (folder / "day.jsonl").write_text("\n".join(lines) + "\n")
    return "vda5050:day.jsonl"


def everything(path):
    with Recording(path) as recording:
        return {name: np.asarray(recording[name][:]).tobytes() for name in recording.columns}


def test_the_battery_is_told_in_per_cent_or_as_good_where_nothing_measures_it():
    measured = Sample(0, {"state_of_charge": np.array([0.426]), "charging": np.array([1.0])})
    assert battery(measured) == BatteryState(battery_charge=43, charging=True)
    assert battery(Sample(0, {})) == BatteryState(battery_charge=80, charging=False)


class TestFromFile:
    def test_a_vehicle_goes_through_its_nodes_and_stops_at_the_last(self, stage, tmp_path):
        message = order("cart", (0, 0), (4, 0), (4, 3))
        built, scenario = stage(script(tmp_path, ("1 s", "cart", "order", message)))
        frames = list(built.twin.frames(scenario.duration))
        x, y = np.array([frame.bodies.position[0, :2] for frame in frames]).T
        times = np.array([frame.time for frame in frames]) / 1e9
        assert np.abs([x[times < 1], y[times < 1]]).max() < 1e-9, "no order yet"
        assert np.hypot(x - 4, y).min() < 0.1 and np.hypot(x[-1] - 4, y[-1] - 3) < 0.15
        assert np.abs(y[x < 3.8]).max() < 0.05, "along the first edge"
        assert np.hypot(*frames[-1].bodies.velocity[0, :2]) < 1e-3

    def test_the_recording_holds_what_was_heard_and_plays_it_again_bit_for_bit(self, stage, tmp_path):
        entries = [("1 s", "cart", "order", order("cart", (0, 0), (4, 0), (4, 3), base=2)),
                   ("3.21 s", "cart", "order", order("cart", (4, 0), (6, 0), first=1, update=1)),
                   ("6 s", "cart", "instantActions", request("cart", "cancelOrder"))]  # fmt: skip
        assert run(*stage(script(tmp_path, *entries), "duration=8 s"), tmp_path / "one.h5").error is None
        assert run(*stage("vda5050:one.h5", "duration=8 s"), tmp_path / "two.h5").error is None
        assert everything(tmp_path / "one.h5") == everything(tmp_path / "two.h5")
        with Recording(tmp_path / "one.h5") as recording:
            heard = [event for event in recording.events() if event.kind == "input"]
        assert [e.time // 10**9 for e in heard] == [1, 3, 6] and heard[0].detail.startswith('order {"headerId": 0')

    @pytest.mark.parametrize("line", ["{", "[]", '{"time": "1 s"}', '{"time": "soon", "robot": "cart"}',
                                      '{"time": 1, "robot": "cart", "topic": "lunch", "message": {}}'])  # fmt: skip
    def test_a_line_that_is_wrong_is_named(self, stage, tmp_path, line):
        (tmp_path / "day.jsonl").write_text("\n" + line + "\n")
        with pytest.raises(TwinError, match="day.jsonl:2: "):
            stage("vda5050:day.jsonl")


@contextmanager
def mosquitto(folder, more="allow_anonymous true"):
    """Run a broker of our own at a free port of this machine: its process and port."""
    for _ in range(5):  # another process may take the port between our look and the broker's start
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (folder / "conf").write_text(f"listener {port} 127.0.0.1\n{more}\nuser root\npersistence false\n")
        process = subprocess.Popen([MOSQUITTO, "-c", folder / "conf"], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    yield process, port
                    process.terminate()
                    process.wait(30)
                    return
            time.sleep(0.05)
        process.kill()
        process.wait()
    pytest.fail("mosquitto doesn't start")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """The address of a broker, and its port."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as (_, port):
        yield f"vda5050:mqtt://127.0.0.1:{port}", port


class FleetControl:
    """Sends each vehicle its next order when a state says that it is idle, and keeps all that vehicles say.

    Where there is no order left it asks for a state, so that no vehicle waits for one.
    """

    def __init__(self, port, orders):
        self.orders = {robot: list(messages) for robot, messages in orders.items()}
        self.states, self.connections, self.sent = {}, {}, set()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self.hear
        subscribed = []
        self.client.on_subscribe = lambda *_: subscribed.append(True)
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([("uagv/v2/twin/+/state", 0), ("uagv/v2/twin/+/connection", 1)])
        end = time.monotonic() + 60
        while not subscribed and time.monotonic() < end:
            self.client.loop(0.1)
        self.client.loop_start()

    def hear(self, client, data, message):
        *_, robot, topic = message.topic.split("/")
        if topic == "connection":
            if message.payload:
                self.connections.setdefault(robot, []).append(Connection.model_validate_json(message.payload))
            return
        state = State.model_validate_json(message.payload)
        self.states.setdefault(robot, []).append(state)
        if state.node_states or (robot, state.order_id) in self.sent:
            return
        self.sent.add((robot, state.order_id))
        if waiting := self.orders.get(robot):
            client.publish(f"uagv/v2/twin/{robot}/order", json.dumps(waiting.pop(0)))
        else:
            client.publish(f"uagv/v2/twin/{robot}/instantActions", json.dumps(request(robot, "stateRequest")))

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def until(self, true, patience=60.0):
        end = time.monotonic() + patience
        while not true():
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture
def control(broker):
    """Start a fleet control with orders; what vehicles left on the broker is forgotten before."""
    address, port = broker
    made = []

    def start(orders):
        cleaner = Client(CallbackAPIVersion.VERSION2)
        cleaner.connect("127.0.0.1", port)
        cleaner.loop_start()
        for robot in ("cart", "cart-0", "cart-1"):
            cleaner.publish(f"uagv/v2/twin/{robot}/connection", None, qos=1, retain=True).wait_for_publish(60)
        cleaner.disconnect()
        cleaner.loop_stop()
        made.append(FleetControl(port, orders))
        return made[-1]

    yield start
    for one in made:
        one.close()


class TestStandard:
    def test_what_a_vehicle_tells_is_what_the_schemas_require(self, stage, monkeypatch):
        ears = []
        told = [(1, "order", order("cart", (0, 0), (2, 0), (3, 0), base=2)),
                (2, "order", order("cart", (50, 0), (60, 0), order_id="far")),
                (3, "instantActions", request("cart", "startPause"))]  # fmt: skip
        messages = [(second * 10**9, topic, json.dumps(message)) for second, topic, message in told]
        monkeypatch.setattr(Vehicles, "meet", lambda fleet, prefix, will: ears.append(Ear(will, messages)) or ears[0])
        built, scenario = stage("vda5050:mqtt://127.0.0.1:1883", "duration=4 s")
        assert run(built, scenario).error is None
        built.close()
        states = [message for topic, message in ears[0].said if topic == "state"]
        connections = [message for topic, message in ears[0].said if topic == "connection"]
        for name in ("nodeStates", "edgeStates", "errors", "actionStates"):
            assert any(state[name] for state in states), name
        for state in states:
            hold_against(STATE, state)
        for connection in connections:
            hold_against(CONNECTION, connection)
        assert [c["connectionState"] for c in connections] == ["CONNECTIONBROKEN", "ONLINE", "OFFLINE"]

        example = runpy.run_path(str(ROOT / "examples/vda5050/fleet_control.py"))
        hold_against(ORDER, example["order"]("cart", states[0], 0))

    @pytest.mark.parametrize("wrong", [{"driving": 1}, {"operatingMode": "AUTO"}, {"paused": None}, {"speed": 1.0}])
    def test_and_something_else_would_be_noticed(self, wrong):
        state = HEADER | {"serialNumber": "cart", "driving": False, "operatingMode": "MANUAL"}
        some = {name: kind for name, kind in STATE.items() if name.rstrip("?") in (*state, "paused")}
        hold_against(some, state)
        with pytest.raises(AssertionError):
            hold_against(some, state | wrong)


@needs_broker
class TestOverABroker:
    def test_two_vehicles_do_their_orders_one_after_another_and_again_from_the_recording(
        self, stage, tmp_path, broker, control
    ):
        orders = {
            "cart-0": [order("cart-0", (0, 0), (2, 0)), order("cart-0", (2, 0), (2, 2), order_id="o2")],
            "cart-1": [order("cart-1", (0, 6), (3, 6))],
        }
        fleet = control(orders)
        built, scenario = stage(broker[0], PATIENT, "duration=12 s", count=2)
        outcome = run(built, scenario, tmp_path / "live.h5")
        built.close()
        assert outcome.error is None
        fleet.until(lambda: all(fleet.connections[r][-1].connection_state == "OFFLINE" for r in orders))
        with Recording(tmp_path / "live.h5") as recording:
            position = np.asarray(recording["state/position"][-1:])[0]
            events = recording.events()
        heard = [(e.time, e.robot) for e in events if e.kind == "input" and e.detail.startswith("order ")]
        assert position[:, :2] == pytest.approx(np.array([[2.0, 2.0], [3.0, 6.0]]), abs=0.15)
        # Time stood still at the start for both: the first orders count from the first control tick.
        assert sorted(robot for time, robot in heard if time < 20_000_000) == ["cart-0", "cart-1"]
        assert len(heard) == 3

        states = fleet.states["cart-0"]
        assert [s.header_id for s in states] == list(range(len(states)))
        reached = list(dict.fromkeys((s.order_id, s.last_node_id) for s in states))
        assert reached == [("", ""), ("o1", "n0"), ("o1", "n1"), ("o2", "n0"), ("o2", "n1")]
        assert {s.serial_number for s in states} == {"cart-0"} and {s.agv_position.map_id for s in states} == {"void"}
        assert any(s.driving for s in states) and not states[-1].driving
        assert [c.connection_state for c in fleet.connections["cart-0"]] == ["ONLINE", "OFFLINE"]
        times = [s.timestamp for s in states]
        assert times == sorted(times) and times[0].startswith("2025-01-01T00:00:00.0")

        again = run(*stage("vda5050:live.h5", PATIENT, "duration=12 s", count=2), tmp_path / "again.h5")
        assert again.error is None
        assert everything(tmp_path / "live.h5") == everything(tmp_path / "again.h5")

    def test_a_refused_order_is_told_in_the_state_and_the_run_goes_on(self, stage, broker, control):
        far = order("cart", (50, 0), (60, 0))
        fleet = control({"cart": [far]})
        outcome = run(*stage(broker[0], "duration=1 s", PATIENT))
        assert outcome.error is None
        fleet.until(lambda: any(state.errors for state in fleet.states["cart"]))
        errors = [state.errors[0] for state in fleet.states["cart"] if state.errors]
        assert {error.error_type for error in errors} == {"noRouteError"}
        assert {(r.reference_key, r.reference_value) for r in errors[0].error_references} >= {("orderId", "o1")}

    def test_its_last_will_tells_of_a_vehicle_whose_run_is_gone(self, stage, broker, control, tmp_path):
        fleet = control({})
        stage(broker[0], "duration=1 h")
        line = [sys.executable, ROOT / "cli.py", "run", "run.toml", "--duration", "1 h", "-q"]
        process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.DEVNULL)
        fleet.until(lambda: fleet.states.get("cart") and len(fleet.states["cart"]) > 2)
        process.kill()
        process.wait()
        fleet.until(lambda: fleet.connections["cart"][-1].connection_state == "CONNECTIONBROKEN")

    def test_the_example_of_a_fleet_control_sends_vehicles_to_and_fro(self, stage, tmp_path):
        with mosquitto(tmp_path) as (_, port):
            words = [sys.executable, ROOT / "examples/vda5050/fleet_control.py", "--port", str(port)]
            example = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
            try:
                assert example.stdout.readline() == "listening\n"
                outcome = run(*stage(f"vda5050:mqtt://127.0.0.1:{port}", PATIENT, "duration=20 s"), tmp_path / "run.h5")
            finally:
                example.kill()
                said = example.communicate()[0].splitlines()
        assert outcome.error is None
        assert said[0] == "cart: order 0 from x = 0.0 m" and said[1].startswith("cart: order 1 from x = ")
        # Its node counts as reached 0.3 m before it; there it brakes from sqrt(2 x 0.5 x 0.3) m/s within 0.1 s.
        assert 8.0 - 0.3 - 0.05 <= float(said[1].split()[-2]) <= 8.0 - 0.3 + 0.06 + 0.05
        with Recording(tmp_path / "run.h5") as recording:
            x = np.asarray(recording["state/position"][:])[:, 0, 0]
        assert x.max() == pytest.approx(8.0, abs=0.3) and x[-1] < 2.0

    @pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine: no certificate")
    def test_a_broker_with_tls_and_logins_lets_in_who_has_one(self, stage, tmp_path, monkeypatch):
        folder = tmp_path / "broker"
        folder.mkdir()
        words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        subprocess.run(["openssl", *words.split(), "-keyout", folder / "key", "-out", folder / "cert"], check=True,
                       capture_output=True)  # fmt: skip
        (folder / "logins").write_text("twin:secret\n")
        subprocess.run([shutil.which("mosquitto_passwd"), "-U", folder / "logins"], check=True, capture_output=True)
        more = f"allow_anonymous false\npassword_file {folder}/logins\ncertfile {folder}/cert\nkeyfile {folder}/key"
        (tmp_path / "login").write_text("twin:secret\n")
        (tmp_path / "wrong").write_text("twin:guess\n")
        monkeypatch.chdir(tmp_path)
        with mosquitto(folder, more) as (_, port):
            address = f"vda5050:mqtts://localhost:{port}"
            ca, login = "robots.cart.external.ca=broker/cert", "robots.cart.external.login=login"
            built, _ = stage(address, ca, login, "duration=0.1 s")
            assert run(built, _).error is None
            built.close()
            for sets, why in {
                (ca, "robots.cart.external.login=wrong"): "the broker refuses: Not authorized",
                (ca,): "the broker refuses: Not authorized",
                (login,): "certificate verify failed",
            }.items():
                assert why in str(run(*stage(address, *sets)).error)

    def test_a_broker_that_goes_away_stops_the_run(self, stage, tmp_path):
        with mosquitto(tmp_path) as (process, port):
            built, scenario = stage(f"vda5050:mqtt://127.0.0.1:{port}", "duration=1 h")
            frames = built.twin.frames(scenario.duration)
            for _ in range(20):
                next(frames)
            process.kill()
            with pytest.raises(RunError, match="the broker (closed the connection|is gone)"):
                for _ in frames:
                    time.sleep(0.001)


class TestRefused:
    def test_a_password_is_not_sent_where_anybody_may_read_it(self, stage, tmp_path):
        (tmp_path / "login").write_text("twin:secret")
        with pytest.raises(TwinError, match="use mqtts"):
            stage("vda5050:mqtt://192.0.2.1", "robots.cart.external.allow_remote=true",
                  f"robots.cart.external.login={tmp_path}/login")  # fmt: skip

    def test_a_broker_that_is_not_there(self, stage):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and doesn't listen
            address = f"vda5050:mqtt://127.0.0.1:{nobody.getsockname()[1]}"
            with pytest.raises(RunError, match="no broker at 127.0.0.1:.*refused.*for cart"):
                list(stage(address)[0].twin.frames(10**9))

    def test_or_the_vehicle_falls_to_its_failsafe(self, stage):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            address = f"vda5050:mqtt://127.0.0.1:{nobody.getsockname()[1]}"
            built, _ = stage(address, "robots.cart.external.on_failure=failsafe")
            frames = list(built.twin.frames(10**9))
        assert frames[-1].modes[0] == "stop"
        assert ["no broker" in e.detail for f in frames for e in f.events if e.kind == "controller"] == [True]

    @pytest.mark.parametrize(
        ("controller", "words"),
        [
            ("vda5050:mqtt://192.0.2.1:1883", "192.0.2.1 is not on this machine"),
            ("vda5050:http://127.0.0.1", "expected vda5050:mqtt://127.0.0.1:1883, mqtts, or a file .h5 or .jsonl"),
            ("vda5050:mqtt://127.0.0.1:99999", "expected vda5050:mqtt://127.0.0.1:1883"),
            ("vda5050:none.jsonl", "no file none.jsonl in"),
        ],
    )
    def test_what_can_not_be_heard(self, stage, controller, words):
        with pytest.raises(TwinError, match=words):
            stage(controller)

    def test_a_robot_that_does_not_drive(self, stage, tmp_path):
        with pytest.raises(TwinError, match="takes 3 x acceleration in m/s2, 1 x yaw in rad; allowed: a speed"):
            stage(script(tmp_path), "robots.cart.kind=drone")
