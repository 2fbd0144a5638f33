"""Signals of a robot: the right values at the right times, in the units of the recording."""

import numpy as np
import pytest

from twin.analysis.signal_picture import thinned
from twin.analysis.signals import euler, signal, signal_names
from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Frame, LinkState, Node, Packet

RATE, FRAMES, MS = 50, 101, 10**6


def frame_at(tick):
    now, none = tick * NS // RATE, np.zeros(0)
    rows = np.arange(6.0).reshape(2, 3) + tick
    turned = np.array([[0.0, 0, np.sin(tick / 100), np.cos(tick / 100)], [0, 0, 0, 1]])
    arrived = now + 30 * MS if tick % 10 else -1
    return Frame(
        now,
        BodyState(rows, turned, rows, rows, np.array([tick / 4, 1.0]), np.zeros(2), np.array([0, 0, 2])),
        LinkState(now, np.array([0, 0], np.int32), np.array([1, 2], np.int32), np.array([-80.0 - tick, -90.0]),
                  np.ones(2, bool), np.zeros(3, np.int64), none + 0j, none, none, *[np.zeros((0, 3))] * 2),
        {"patrol": rows * 2},
        ["hover" if 40 <= tick < 60 else "nominal", "nominal", "nominal"],
        [Packet(0, 2, "telemetry", tick, 100, now, now, None, arrived, "delivered" if arrived > 0 else "lost"),
         Packet(2, 0, "command", tick, 60, now + 5 * MS, now, None, now + 12 * MS, "delivered")],
        [],
        [(now, 1, "error", tick / 8)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("signals") / "run.h5"
    robots = [Node("a", "patrol", "drone", 0, row=0), Node("b", "patrol", "drone", 1, row=1), Node("edge", "e", "edge")]
    radios = [RadioInfo(0, 1e9), RadioInfo(2, 1e9), RadioInfo(2, 1e9)]
    fields = {"patrol": [("force.0", "N"), ("force.1", "N"), ("yaw", "rad")]}
    layout, rates = Layout.of(frame_at(0)), (RATE, RATE, RATE)
    said = Header(layout, robots, 'schema = 1\nworld = "w"\n', 2 * NS, 1, *rates, radios, fields)
    with Writer(path, said) as writer:
        for tick in range(FRAMES):
            writer.write(frame_at(tick))
        writer.finish({}, complete=True)
    with Recording(path) as recording:
        yield recording


TICKS = np.arange(FRAMES)


@pytest.mark.parametrize(
    ("robot", "name", "unit", "values"),
    [
        ("b", "position.z", "m", 5.0 + TICKS),
        ("a", "velocity.y", "m/s", 1.0 + TICKS),
        ("a", "yaw", "rad", 2 * TICKS / 100),
        ("a", "speed", "m/s", np.sqrt(3 * TICKS**2 + 6 * TICKS + 5)),
        ("b", "joint_position.0", "rad or m", TICKS / 4),
        ("b", "command.yaw", "rad", 2 * (5.0 + TICKS)),
        ("b", "log.error", "", TICKS / 8),
        ("a", "path_gain", "dB", np.maximum(-80.0 - TICKS, -90.0)),
    ],
)
def test_what_has_a_value_at_each_frame(run, robot, name, unit, values):
    found = signal(run, robot, name)
    assert found.unit == unit and found.time == pytest.approx(TICKS / RATE)
    assert found.value == pytest.approx(values)


def test_delays_lie_where_people_look_for_them(run):
    latency, up, down = (signal(run, "a", name) for name in ("latency", "uplink", "downlink"))
    assert latency.value == pytest.approx(0.012) and latency.time == pytest.approx(TICKS / RATE + 0.012)
    assert np.flatnonzero(np.isnan(up.value)).tolist() == list(range(0, FRAMES, 10)), "lost packets are gaps"
    assert np.nanmax(up.value) == pytest.approx(0.030) and up.time == pytest.approx(TICKS / RATE)
    assert down.value == pytest.approx(0.007) and down.time == pytest.approx(TICKS / RATE + 0.005)
    assert len(signal(run, "edge", "uplink").value) == FRAMES and len(signal(run, "b", "latency").value) == 0


def test_unknown_names_say_the_known_ones(run):
    assert "latency" not in signal_names(run, "edge") and "log.error" in signal_names(run, "b")
    with pytest.raises(RecordingError, match=r"a has no signal 'positon.z'; did you mean 'position.z'.*path_gain"):
        signal(run, "a", "positon.z")
    with pytest.raises(RecordingError, match="has no robot 'c'; it has: a, b, edge"):
        signal(run, "c", "speed")


def test_angles_of_turns_about_one_axis():
    half = np.array([0.3, -0.7, 1.2]) / 2
    for axis in range(3):
        turn = np.zeros((3, 4))
        turn[:, axis], turn[:, 3] = np.sin(half), np.cos(half)
        expected = np.zeros((3, 3))
        expected[:, axis] = 2 * half
        assert euler(turn) == pytest.approx(expected, abs=1e-12)


def test_a_long_line_keeps_its_peaks():
    value = np.zeros(100_000)
    value[12_345], value[77_777] = 9.0, -9.0
    value[50_000:50_010] = np.nan
    time, drawn = thinned(np.arange(100_000.0), value)
    assert len(time) < 5000 and (np.diff(time) > 0).all()
    assert time[np.nanargmax(drawn)] == 12_345 and time[np.nanargmin(drawn)] == 77_777


def test_plot_draws_signals(command, run):
    code, out, err = command("plot", run.path, "--robot", "a,b", "--signal", "position.z,latency", "-o", "x.png")
    assert code == 0 and not err and open("x.png", "rb").read(4) == b"\x89PNG"
    assert command("plot", run.path, "--signal", "path_gain,log.error", "-o", "x.svg")[0] == 1, "no robot has both"
    assert command("plot", run.path, "--signal", "position.z", "-o", "y.svg")[0] == 0
    code, out, err = command("plot", run.path, "--robot", "a", "-o", "z.png")
    assert code == 2 and "name a signal" in err
    code, out, err = command("plot", run.path, "--robot", "a", "--signal", "heigth", "-o", "z.png")
    assert code == 1 and "a has no signal 'heigth'" in err
