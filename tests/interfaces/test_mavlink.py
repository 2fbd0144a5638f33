"""An autopilot over MAVLink 2 closes the loop through the motors, and every way to fail has a name."""

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from pymavlink.dialects.v10 import common as version1
from pymavlink.dialects.v20 import common as mavlink

from twin.assembly.build import build
from twin.errors import PluginError, RunError, TwinError
from twin.project.plugins import load_object
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.run import run
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/mavlink/autopilot.py"
SCENARIO = """
schema = 1
world = "{world}/"
duration = "0.4 s"
[robots.scout]
kind = "bare_drone"
phase = 0
positions = [[0, 0, 540]]
controller = "mavlink:tcp://127.0.0.1:0"
external = {{ timeout = "30 s", start_timeout = "30 s" }}
[robots.edge]
kind = "edge"
"""


@pytest.fixture
def fly(tmp_path):
    """Build the scenario with overrides; return it, the scenario and the addresses where autopilots are awaited."""
    path = tmp_path / "flight.toml"
    path.write_text(SCENARIO.format(world=ROOT / "tests/project/worlds/void"))
    made = []

    def make(*overrides, path=path):
        scenario, _ = load_scenario(path, overrides)
        made.append(build(scenario, Project(tmp_path)))
        link = next(entry.controller.link for entry in made[-1].entries if entry.name == "scout")
        return made[-1], scenario, [port.address for port in link.ports]

    yield make
    for one in made:
        one.close()


class Peer(threading.Thread):
    """An autopilot in a thread: the example's control, and one fault at the HIL_SENSOR of number `at`."""

    def __init__(self, address, *, fault="", at=20, key=None, udp=False, noise=False,
                 armed=mavlink.MAV_MODE_FLAG_SAFETY_ARMED):  # fmt: skip
        super().__init__(daemon=True)
        self.line = socket.socket(type=socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.line.connect(address)
        self.fault, self.at, self.armed, self.key, self.noise = fault, at, armed, key, noise
        self.hold, self.link = load_object("autopilot.py:Hold", EXAMPLE.parent).value(), self.codec(key)
        self.sensors, self.received, self.sent = 0, [], []
        if udp:
            self.line.send(mavlink.MAVLink_heartbeat_message(2, 12, 0, 0, 0, 3).pack(self.link))
        self.start()

    @staticmethod
    def codec(key):
        link = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
        if key is not None:
            link.signing.secret_key, link.signing.sign_outgoing = key, True
            link.signing.timestamp = int((time.time() - 1_420_070_400) * 100_000)
        return link

    def run(self):
        with self.line:
            try:
                while data := self.line.recv(65_536):
                    self.received.append(data)
                    for message in self.link.parse_buffer(data) or []:
                        if message.get_type() == "HIL_STATE_QUATERNION":
                            self.state = message
                        elif message.get_type() == "HIL_SENSOR" and not self.answer(message.time_usec):
                            return
            except ConnectionError:
                return  # twin hung up: its run is over

    def answer(self, now):
        fault = self.fault if self.sensors == self.at else ""
        self.sensors += 1
        controls = [*self.hold.motors(self.state).tolist(), *[0.0] * 12]
        codec = self.link
        if fault == "dead":
            return False
        if fault == "hang":
            return True
        if fault == "nan":
            controls[2] = float("nan")
        if fault == "early":
            now += 1
        if fault == "late":
            now -= 4000
        if fault == "unsigned":
            codec = self.codec(None)
        if fault == "other key":
            codec = self.codec(bytes(32))
        if fault == "version 1":
            codec = version1.MAVLink(None, srcSystem=1, srcComponent=1)
        answer = (version1 if fault == "version 1" else mavlink).MAVLink_hil_actuator_controls_message
        frame = bytearray(answer(now, controls, self.armed, 1).pack(codec))
        if fault == "checksum":
            frame[-1] ^= 0xFF
        if fault == "garbage":
            frame = b"what is this"
        if self.noise and self.sensors % 2:
            self.line.sendall(secrets.token_bytes(7) if self.sensors % 4 == 1 else bytes(frame[:-1]) + b"\0")
        self.line.sendall(frame)
        self.sent.append(bytes(frame))
        return True


def autopilot(port, *arguments):
    words = [sys.executable, EXAMPLE, "--port", str(port), *map(str, arguments)]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": ""})


class TestFlight:
    def test_an_autopilot_in_another_process_holds_the_drone_and_does_so_again_bit_for_bit(self, fly, tmp_path):
        seen = []
        for number in range(2):
            anywhere = "robots.scout.controller=mavlink:tcp://127.0.0.1:0"
            built, scenario, [(_, port)] = fly(anywhere, "duration=1.5 s", path=EXAMPLE.with_name("hold.toml"))
            process = autopilot(port)
            outcome = run(built, scenario, tmp_path / f"{number}.h5")
            built.close()
            assert outcome.error is None and process.wait(30) == 0
            with Recording(tmp_path / f"{number}.h5") as recording:
                seen.append({name: np.asarray(recording[name][:]).tobytes() for name in recording.columns})
                position = np.asarray(recording["state/position"][:]).reshape(-1, 3)
        assert np.abs(position - position[0]).max() < 0.5, "sensor noise of 0.1 m moves home by a few times that"
        assert seen[0] == seen[1]

    def test_without_its_autopilot_the_drone_falls(self, fly):
        built, scenario, [address] = fly()
        Peer(address, armed=0)  # it answers, but isn't armed
        frames = list(built.twin.frames(scenario.duration))
        # The rotors' thrust fades with 30 ms / 2 after the first answer at 0: nearly free fall for 0.4 s.
        fallen = frames[0].bodies.position[0, 2] - frames[-1].bodies.position[0, 2]
        assert 0.9 * 0.5 * 9.81 * (0.4 - 0.03) ** 2 < fallen < 0.5 * 9.81 * 0.4**2
        assert {value for frame in frames for _, _, name, value in frame.logs if name == "armed"} == {0.0}

    def test_over_udp_as_over_tcp_and_each_of_two_robots_has_its_own(self, fly):
        ends = []
        for scheme in ("tcp", "udp"):
            built, scenario, addresses = fly(f"robots.scout.controller=mavlink:{scheme}://127.0.0.1:0",
                                             "robots.scout.count=2",
                                             "robots.scout.positions=[[0,0,540],[5,0,540]]")  # fmt: skip
            peers = [Peer(address, udp=scheme == "udp") for address in addresses]
            ends.append([frame.bodies.position.tobytes() for frame in built.twin.frames(scenario.duration)][-1])
            assert [peer.sensors for peer in peers] == [101, 101], "each 4 ms from 0 to 0.4 s"
        assert ends[0] == ends[1]

    def test_a_world_without_a_place_lies_where_px4_is_at_home(self, fly):
        built, scenario, [address] = fly("duration=0.1 s")
        peer = Peer(address)
        list(built.twin.frames(scenario.duration))
        assert (peer.state.lat / 1e7, peer.state.lon / 1e7) == pytest.approx((47.397742, 8.545594), abs=1e-5)

    def test_before_the_start_it_hears_of_a_robot_that_stands_still(self, fly):
        built, scenario, [address] = fly("duration=0.1 s", "robots.scout.parameters.warmup=0.2 s")
        peer = Peer(address)
        outcome = run(built, scenario)
        assert outcome.error is None
        assert peer.sensors == 50 + 26, "each 4 ms from -0.2 s to 0.1 s"


class TestBytes:
    """The network carries what MAVLink's frames measure, signatures included."""

    def flight(self, fly, tmp_path, *overrides, key=None):
        built, scenario, [address] = fly("robots.scout.runs_on=edge", *overrides)
        peer = Peer(address, key=key)
        path = tmp_path / ("run.h5" if key is None else "signed.h5")
        outcome = run(built, scenario, path)
        assert outcome.error is None, outcome.error
        with Recording(path) as recording:
            packets = recording.packets()
        peer.join(30)
        delivered = packets[packets["fate"] == "delivered"]
        return {kind: delivered[delivered["kind"] == kind]["size"] for kind in ("telemetry", "command")}, peer

    def test_frames_are_counted_byte_by_byte(self, fly, tmp_path):
        sizes, peer = self.flight(fly, tmp_path)
        assert sizes["telemetry"].sum() == len(b"".join(peer.received))
        assert sizes["command"].tolist() == [len(frame) for frame in peer.sent]
        assert set(sizes["command"]) == {12 + 81}, "header and checksum, and a payload that ends in mode"

    def test_signatures_take_13_bytes_of_each_frame(self, fly, tmp_path):
        key = secrets.token_bytes(32)
        (tmp_path / "key.hex").write_text(key.hex() + "\n")
        plain, _ = self.flight(fly, tmp_path)
        signed, peer = self.flight(fly, tmp_path, "robots.scout.parameters.signing_key=key.hex", key=key)
        assert set(signed["command"] - plain["command"]) == {13}
        gps = np.arange(len(plain["telemetry"])) % 50 == 0  # 3 frames then, 2 otherwise
        assert (signed["telemetry"] - plain["telemetry"] == np.where(gps, 39, 26)).all()
        assert signed["telemetry"].sum() == len(b"".join(peer.received))


FAULTS = {
    "dead": "it closed the connection",
    "hang": "no answer within",
    "nan": "controls must be 4 finite numbers, found",
    "early": "it answers at 1080001 us of its clock, but it is 1080000 us only",
    "late": "(1 of earlier times)",
    "garbage": "1 packets were dropped, the last because it is no MAVLink 2 to be trusted: Bad prefix",
    "checksum": "1 packets were dropped, the last because it is no MAVLink 2 to be trusted: invalid MAVLink CRC",
    "version 1": "1 packets were dropped, the last because it speaks MAVLink 1; allowed: 2",
}


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_the_run_stops_with_the_name_of_the_culprit(self, fly, fault):
        waits = ["robots.scout.external.timeout=300 ms"] if fault not in ("dead", "nan") else []
        built, scenario, [address] = fly(*waits)
        Peer(address, fault=fault, at=1 if fault in ("hang", "late") else 20)
        outcome = run(built, scenario)
        assert isinstance(outcome.error, RunError)
        assert FAULTS[fault] in str(outcome.error) and "the autopilot of scout" in str(outcome.error)

    @pytest.mark.parametrize("fault", ["unsigned", "other key"])
    def test_with_a_key_only_packets_signed_with_it_are_followed(self, fly, tmp_path, fault):
        key = secrets.token_bytes(32)
        (tmp_path / "key.hex").write_text(key.hex())
        built, scenario, [address] = fly("robots.scout.parameters.signing_key=key.hex",
                                         "robots.scout.external.timeout=300 ms")  # fmt: skip
        Peer(address, fault=fault, key=key)
        outcome = run(built, scenario)
        assert "to be trusted: Invalid signature" in str(outcome.error)

    @pytest.mark.parametrize("scheme", ["tcp", "udp"])
    def test_strays_before_the_autopilot_and_rubbish_between_its_frames_are_counted_and_dropped(self, fly, scheme):
        built, scenario, [address] = fly(f"robots.scout.controller=mavlink:{scheme}://127.0.0.1:0")
        strays = [socket.socket(type=socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM) for _ in range(3)]
        for number, stray in enumerate(strays):
            stray.connect(address)
            if number:
                stray.send(b"GET / HTTP/1.1\r\n\r\n")
        strays[1].close()
        peer = Peer(address, udp=scheme == "udp", noise=True)
        outcome = run(built, scenario)
        assert outcome.error is None and peer.sensors == 101
        (port,) = next(entry.controller.link for entry in built.entries if entry.name == "scout").ports
        assert port.dropped >= 50, "one of each other answer's"

    def test_a_signed_frame_of_an_earlier_session_is_not_followed(self, fly, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        key = secrets.token_bytes(32)
        (tmp_path / "key.hex").write_text(key.hex())
        signed = ("robots.scout.parameters.signing_key=key.hex", "robots.scout.external.timeout=300 ms",
                  "robots.scout.external.start_timeout=300 ms", "duration=40 ms")  # fmt: skip
        built, scenario, [address] = fly(*signed)
        peer = Peer(address, key=key)
        assert run(built, scenario).error is None
        built.close()
        built, scenario, [address] = fly(*signed)
        with socket.create_connection(address) as replaying:
            replaying.sendall(b"".join(peer.sent))  # within a minute, which pymavlink alone would take
            with pytest.raises(RunError, match="packets were dropped.*not newer than those known"):
                run(built, scenario)
        built.close()
        built, scenario, [address] = fly(*signed)
        Peer(address, key=key)
        assert run(built, scenario).error is None, "who signs anew is followed"

    def test_or_the_motors_stop_by_the_robots_own_failsafe(self, fly):
        built, scenario, [address] = fly("robots.scout.external.on_failure=failsafe")
        Peer(address, fault="dead")  # at 80 ms: the last setpoint is that of 76 ms
        frames = list(built.twin.frames(scenario.duration))
        events = [event for frame in frames for event in frame.events]
        assert [e.detail for e in events if e.kind == "controller"][0].endswith("it closed the connection")
        (fell,) = [event.time for event in events if event.kind == "failsafe"]
        assert fell == 76_000_000 + 100_000_000 + 4_000_000  # the first control tick after the timeout

    def test_nobody_comes(self, fly):
        built, scenario, _ = fly("robots.scout.external.start_timeout=200 ms")
        with pytest.raises(RunError, match="the autopilot of scout: nobody came to 127.0.0.1:"):
            run(built, scenario)


class TestRefused:
    @pytest.mark.parametrize(
        ("override", "words"),
        [
            ("controller=mavlink:tcp://192.0.2.1:4560", "192.0.2.1 can be reached from outside"),
            ("controller=mavlink:serial:/dev/ttyS0", "expected mavlink:tcp://127.0.0.1:4560, or udp"),
            ("controller=mavlink:tcp://127.0.0.1:99999", "expected mavlink:tcp://127.0.0.1:4560, or udp"),
            ("kind=drone", "takes 3 x acceleration in m/s2, 1 x yaw in rad; an autopilot drives at most 16 motors"),
            ("parameters.signing_key=none.hex", "signing_key: no file none.hex in"),
            ("parameters.signing_key=flight.toml", "expected 64 hexadecimal digits"),
            ("parameters.warm=1", "unknown key"),
        ],
    )
    def test_what_can_not_be_flown(self, fly, override, words):
        with pytest.raises(TwinError, match=words):
            fly(f"robots.scout.{override}")

    def test_a_port_that_is_taken(self, fly):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(PluginError, match="can't listen at tcp://127.0.0.1:"):
                fly(f"robots.scout.controller=mavlink:tcp://127.0.0.1:{taken.getsockname()[1]}")
