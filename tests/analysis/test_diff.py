"""Two recordings are the same, or the difference is named: stream, time, robot, values, how far."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from twin.analysis.diff import compare
from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet

RATE = 50


def frame_at(tick, names=("a", "b"), text="nominal"):
    now, n = tick * NS // RATE, len(names)
    rows, one = np.random.default_rng(tick).normal(size=(n, 3)), np.ones(1)
    bodies = BodyState(
        rows, np.ones((n, 4)), rows, rows, np.arange(2.0 * n) + tick, np.zeros(2 * n), 2 * np.arange(n + 1)
    )
    return Frame(
        now, bodies,
        LinkState(now, np.zeros(1, np.int32), np.ones(1, np.int32), one * (-80.0 - tick), one > 0,
                  np.array([0, 1]), one + 0j, one, one, np.ones((1, 3)), np.ones((1, 3))),
        {"patrol": rows},
        [text, *["nominal"] * n],
        [Packet(0, n, "telemetry", tick, 100, now, now, None, now + 5, "delivered")],
        [Event(now, "contact", names[-1], "wall")],
        [(now, 1, "error", tick / 4)],
    )  # fmt: skip


@pytest.fixture
def record(tmp_path):
    opened = []

    def make(frames=None, names=("a", "b"), summary=None, **header):
        frames = [frame_at(tick, names) for tick in range(101)] if frames is None else frames
        robots = [Node(name, "patrol", "drone", i) for i, name in enumerate(names)]
        said = Header(
            Layout.of(frames[0]), [*robots, Node("edge", "edge", "edge")], "schema = 1\n",
            NS, 1, RATE, RATE, RATE, [RadioInfo(0, 3.5e9), RadioInfo(len(names), 3.5e9)], paths=True,
        )  # fmt: skip
        path = tmp_path / f"{len(opened)}.h5"
        with Writer(path, replace(said, **header)) as writer:
            for frame in frames:
                writer.write(frame)
            writer.finish(summary or {}, complete=True)
        opened.append(Recording(path))
        return opened[-1]

    yield make
    for recording in opened:
        recording.close()


def changed(tick, **changes):
    frames = [frame_at(tick) for tick in range(101)]
    frames[tick] = replace(frames[tick], **changes)
    return frames


def bodies(tick, **changes):
    return replace(frame_at(tick).bodies, **changes)


def test_the_same_frames_are_the_same(record):
    found = compare(record(), record())
    assert found.same and found.compared > 30 and not found.header and not found.summary


def test_one_flipped_bit_is_found_and_placed(record):
    a, b = record(), record()
    value = a["state/position"][70, 1, 2]
    b.close()
    with h5py.File(b.path, "r+") as file:
        file["state/position"][70, 1, 2] = np.nextafter(value, np.inf)
    with Recording(b.path) as b:
        (one,) = compare(a, b).streams
        assert (one.stream, one.time, one.where, one.differing) == ("state/position", 70 * NS // RATE, "b", 1)
        assert one.a == value and one.b > value and one.largest == one.b - one.a and one.unit == "m"
        assert compare(a, b, tolerance=1e-9).same


def test_signs_of_zero_and_nan_count_bit_for_bit_only(record):
    velocity = np.zeros((2, 3))
    a = record(changed(10, bodies=bodies(10, velocity=velocity)))
    b = record(changed(10, bodies=bodies(10, velocity=-velocity)))
    assert [one.stream for one in compare(a, b).streams] == ["state/velocity"]
    assert compare(a, b, tolerance=1e-300).same
    nan = record(changed(10, bodies=bodies(10, velocity=np.full((2, 3), np.nan))))
    assert compare(nan, nan).same and compare(nan, nan, tolerance=1.0).same
    assert compare(a, nan, tolerance=1e300).streams[0].largest == np.inf


def test_how_far_and_where_first(record):
    a = record()
    velocity = frame_at(40).bodies.velocity.copy()
    velocity[0, 1] += 0.25
    frames = changed(40, bodies=bodies(40, velocity=velocity))
    frames[60] = replace(frames[60], bodies=bodies(60, velocity=frame_at(60).bodies.velocity + 2.0))
    (one,) = compare(a, record(frames), tolerance=0.1).streams
    assert (one.stream, one.differing, one.where, one.time) == ("state/velocity", 2, "a", 40 * NS // RATE)
    assert one.largest == pytest.approx(2.0)


AT = 30 * NS // RATE
LINKS = frame_at(30).links
CASES = {
    "state/joint_position": (
        dict(bodies=bodies(30, joint_position=np.array([30.0, 31, 32, 0]))), "b", 33.0, 0.0),
    "state/command/patrol": (
        dict(commands={"patrol": frame_at(30).commands["patrol"] * [[1], [np.inf]]}), "b", None, None),
    "state/mode": (dict(modes=["nominal", "land", "nominal"]), "b", "nominal", "land"),
    "links/path_gain_db": (
        dict(links=replace(LINKS, path_gain_db=np.zeros(1))), "a - edge", -110.0, 0.0),
    "paths/delay": (dict(links=replace(LINKS, path_delay=np.zeros(1))), "", 1.0, 0.0),
    "packets/fate": (
        dict(packets=[Packet(0, 2, "telemetry", 30, 100, AT, AT, None, AT + 5, "lost")]),
        "a -> edge, telemetry 30", "delivered", "lost"),
    "events/detail": (dict(events=[Event(AT, "contact", "b", "tree")]), "b", "wall", "tree"),
    "logs/value": (dict(logs=[(AT, 1, "error", 0.0)]), "b", 7.5, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("stream", CASES)
def test_each_stream_names_whose_value_it_is(record, stream):
    changes, where, x, y = CASES[stream]
    (one,) = compare(record(), record(changed(30, **changes))).streams
    assert (one.stream, one.where, one.time, one.differing) == (stream, where, AT, 1)
    if x is not None:
        assert (one.a, one.b) == (x, y)


def test_a_shorter_run_differs_from_its_end_on(record):
    frames = [frame_at(tick) for tick in range(101)]
    found = compare(record(frames), record(frames[:80]))
    assert {one.time for one in found.streams} == {80 * NS // RATE}
    assert all((one.rows_a, one.rows_b, one.differing) == (101, 80, 0) for one in found.streams)


def test_other_robots_are_another_shape_and_the_header_says_who(record):
    found = compare(record(), record(names=("a", "b", "c")))
    by_name = {one.stream: one for one in found.streams}
    assert by_name["state/position"].a == [101, 2, 3] and by_name["state/position"].b == [101, 3, 3]
    assert found.header["robots"] == (["a", "b", "edge"], ["a", "b", "c", "edge"])


def test_what_the_runs_say_of_themselves(record):
    a = record(summary={"rms": 1.0, "flows": {"up": {"p99": 3}}}, seed=1)
    b = record(summary={"rms": 1.0, "flows": {"up": {"p99": 4}}, "new": True}, seed=2)
    found = compare(a, b)
    assert found.same and found.header == {"seed": (1, 2)}
    assert found.summary == {"flows.up.p99": (3, 4), "new": (None, True)}
    assert found.to_dict()["header"] == {"seed": [1, 2]}


def test_texts_are_compared_not_their_numbers(record):
    frames = [frame_at(tick) for tick in range(10)]
    other = [replace(frames[0], events=[*frames[0].events, Event(0, "z", "z", "z")]), *frames[1:]]
    found = compare(record(frames), record(other))
    assert all(one.stream.startswith(("events/", "state/end/events")) for one in found.streams)
