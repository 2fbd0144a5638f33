"""What goes into a recording comes out again, frame by frame and bit by bit."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, Hop, Node, Packet, RoutedLinks

PHYSICS, RECORD = 100, 20
EVERY = PHYSICS // RECORD


def make_frame(tick, bodies=3, joints=2, links=2, paths=(2, 0), packets=2, events=1, text="nominal"):
    even = tick // 2 * 2  # the channel runs at half the rate
    rng, slow = np.random.default_rng((0, tick)), np.random.default_rng((1, even))
    time = tick * NS // PHYSICS
    count = np.array(paths[:links], dtype=np.int64)
    total = int(count.sum())
    return Frame(
        time=time,
        bodies=BodyState(
            rng.normal(size=(bodies, 3)), rng.normal(size=(bodies, 4)), rng.normal(size=(bodies, 3)),
            rng.normal(size=(bodies, 3)), rng.normal(size=joints), rng.normal(size=joints),
            np.array([0] * bodies + [joints]),
        ),
        links=RoutedLinks(
            even * NS // PHYSICS, np.zeros(links, np.int32), np.arange(1, links + 1, dtype=np.int32),
            np.where(count, slow.normal(size=links), -np.inf), slow.random(links) > 0.5,
            np.concatenate([[0], np.cumsum(count)]), slow.normal(size=total) + 1j * slow.normal(size=total),
            slow.random(total), slow.normal(size=total), slow.normal(size=(total, 3)),
            slow.normal(size=(total, 3)), slow.integers(0, 4, total).astype(np.int32), slow.normal(size=(total, 3, 3)),
        ),
        commands={"patrol": rng.normal(size=(2, 4)), "arm": rng.normal(size=(1, 3)), "a": rng.random((1, 0))},
        modes=["nominal", text, "landing", "nominal"],
        packets=[
            Packet(i, 3, "telemetry", tick, 100 + i, time, time - i, None, time + 5, "delivered")
            for i in range(packets)
        ],
        events=[Event(time, "contact", "a", f"hit {tick} {text}", float(i)) for i in range(events)],
        logs=[(time, 1, "error", rng.random())] if events else [],
    )  # fmt: skip


def make_header(frame, **changes):
    layout = Layout.of(frame)
    owners = range(max(2, len(layout.pairs) + 1))  # link i is from radio 0 to radio i + 1
    values = {
        "layout": layout,
        "robots": [Node(f"robot{i}", "patrol", "drone", min(i, layout.bodies) - 1, i, 1000 * i) for i in range(4)],
        "scenario_text": "schema = 1\n# é\n",
        "duration": 60 * NS,
        "seed": 2**62,
        "physics_rate_hz": PHYSICS,
        "channel_rate_hz": PHYSICS // 2,
        "record_rate_hz": RECORD,
        "radios": [RadioInfo(i % 4, 3.5e9 if i == 0 else 28e9) for i in owners],
        "command_fields": {"patrol": [("thrust", "N"), ("roll", "rad"), ("pitch", "rad"), ("yaw", "rad")]},
        "world": "city",
        "world_hash": "ab",
        "packages": {"numpy": "2", "h5py": "3"},
        "plugins": {"agents/drone/agent.py:Drone": "cd"},
        "paths": True,
    }
    return Header(**(values | changes))


def write(path, frames, summary=None, **changes):
    frames = list(frames)
    with Writer(path, make_header(frames[0], **changes)) as writer:
        for frame in frames:
            writer.write(frame)
        writer.finish(summary or {}, complete=True)
    return frames


def assert_same(found, expected):
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()
    elif hasattr(expected, "__dataclass_fields__"):
        for field in fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    else:
        assert found == expected


def since(frames, i):
    """Packets, events and logs of all frames after the recorded one before frame i."""
    group = frames[(i - 1) // EVERY * EVERY + 1 if i else 0 : i + 1]
    names = ("packets", "events", "logs")
    return {name: [item for frame in group for item in getattr(frame, name)] for name in names}


def assert_recorded(recording, frames):
    due = sorted({*range(0, len(frames), EVERY), len(frames) - 1})
    found = list(recording.frames())
    assert len(found) == len(due)
    for i, frame in zip(due, found, strict=True):
        expected = frames[i]
        for name in ("time", "bodies", "links", "commands"):
            assert_same(getattr(frame, name), getattr(expected, name))
        assert list(frame.modes) == list(expected.modes)
        for name, items in since(frames, i).items():
            assert_same(getattr(frame, name), items)


def test_a_run_comes_back_frame_by_frame(tmp_path):
    frames = write(tmp_path / "run.h5", (make_frame(tick) for tick in range(451)))
    with Recording(tmp_path / "run.h5") as recording:
        assert recording.complete and recording.finished and not recording.reason
        assert recording.duration == 450 * NS // PHYSICS
        assert_recorded(recording, frames)


def test_the_header_comes_back(tmp_path):
    header = make_header(make_frame(0))
    write(tmp_path / "run.h5", [make_frame(0)])
    with Recording(tmp_path / "run.h5") as recording:
        for field in fields(Header):
            found, expected = getattr(recording.header, field.name), getattr(header, field.name)
            if field.name == "layout":
                assert_same(found, expected)
            elif field.name == "command_fields":
                assert {k: list(v) for k, v in found.items() if v} == expected
            else:
                assert (list(found) if isinstance(expected, list) else found) == expected


def test_summary_is_json_and_what_is_not_finite_is_null(tmp_path):
    summary = {"rms": np.float64(0.25), "p99": float("nan"), "flows": {"a": [1, np.int64(2)]}, "ok": True}
    write(tmp_path / "run.h5", [make_frame(0)], summary=summary)
    with Recording(tmp_path / "run.h5") as recording:
        assert recording.summary == {"rms": 0.25, "p99": None, "flows": {"a": [1, 2]}, "ok": True}


def test_frames_packets_events_and_logs_of_an_interval(tmp_path):
    frames = write(tmp_path / "run.h5", (make_frame(tick) for tick in range(301)))
    with Recording(tmp_path / "run.h5") as recording:
        assert [f.time for f in recording.frames(NS, 2 * NS)] == [f.time for f in frames[100:200:EVERY]]
        part = next(recording.frames(NS))
        assert_same(part.packets, since(frames, 100)["packets"])
        packets = recording.packets(NS, 2 * NS)
        assert packets["created"].tolist() == [p.created for f in frames[100:200] for p in f.packets]
        assert set(packets["kind"]) == {"telemetry"} and set(packets["fate"]) == {"delivered"}
        assert_same(recording.events(NS, 2 * NS), [e for f in frames[100:200] for e in f.events])
        logged = [log[3] for f in frames[100:200] for log in f.logs]
        assert recording.logs(NS, 2 * NS)["value"].tolist() == logged
        assert len(recording.packets()) == sum(len(f.packets) for f in frames)
        assert len(recording.packets(99 * NS)) == 0


def test_columns_are_sliced_like_arrays_and_say_what_they_are(tmp_path):
    frames = write(tmp_path / "run.h5", (make_frame(tick) for tick in range(101)))
    positions = np.stack([f.bodies.position for f in frames[::EVERY]])
    with Recording(tmp_path / "run.h5") as recording:
        column = recording["state/position"]
        assert column.shape == positions.shape == (len(column), 3, 3)
        assert (column.unit, column.frame) == ("m", "world: x east, y north, z up")
        assert_same(column[:], positions)
        assert_same(column[-3:, 1], positions[-3:, 1])
        assert_same(column[4], positions[4])
        with pytest.raises(IndexError, match="21 rows"):
            column[21]
        with pytest.raises(KeyError, match="state/position"):
            recording["state/positio"]


def test_without_paths_the_links_have_none(tmp_path):
    write(tmp_path / "run.h5", [make_frame(0)], paths=False)
    with Recording(tmp_path / "run.h5") as recording:
        links = next(recording.frames()).links
        assert links.path_offset.tolist() == [0, 0, 0] and links.path_amplitude.shape == (0,)
        assert recording["links/path_count"][0].tolist() == [2, 0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.fixed_dictionaries({
        "bodies": st.integers(0, 3), "joints": st.integers(0, 3), "links": st.integers(0, 2),
        "packets": st.integers(0, 3), "events": st.integers(0, 2), "text": st.text(max_size=300),
    }),
    ticks=st.integers(1, 250),
)  # fmt: skip
@example(sizes={"bodies": 1, "joints": 0, "links": 0, "packets": 1, "events": 1, "text": "nul\0"}, ticks=1)
def test_any_sizes_and_texts_come_back(tmp_path_factory, sizes, ticks):
    if sizes["bodies"] == 0:
        sizes["joints"] = 0
    path = tmp_path_factory.mktemp("run") / "run.h5"
    frames = write(path, (make_frame(tick, **sizes) for tick in range(ticks)))
    with Recording(path) as recording:
        assert_recorded(recording, frames)


def test_more_texts_than_are_remembered_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr("twin.recording.table.KNOWN_TEXTS", 3)
    monkeypatch.setattr("twin.recording.strings._BLOCK", 4)
    monkeypatch.setattr("twin.recording.strings._BLOCKS", 2)
    frames = write(tmp_path / "run.h5", (make_frame(tick) for tick in range(61)))
    with Recording(tmp_path / "run.h5") as recording:
        assert_recorded(recording, frames)


def test_a_frame_of_other_sizes_is_refused_and_the_rest_is_kept(tmp_path):
    with Writer(tmp_path / "run.h5", make_header(make_frame(0))) as writer:
        writer.write(make_frame(0))
        with pytest.raises(RecordingError, match=r"state/position has shape \(3, 3\).*found \(2, 3\)"):
            writer.write(make_frame(5, bodies=2))
        writer.write(make_frame(10))
        writer.finish({}, complete=False, reason="for a test")
    with Recording(tmp_path / "run.h5") as recording:
        assert [frame.time for frame in recording.frames()] == [0, 10 * NS // PHYSICS]
        assert (recording.complete, recording.reason) == (False, "for a test")


def test_an_error_inside_closes_the_file_and_is_named(tmp_path):
    with pytest.raises(ZeroDivisionError), Writer(tmp_path / "run.h5", make_header(make_frame(0))) as writer:
        writer.write(make_frame(0))
        raise ZeroDivisionError("by zero")
    with Recording(tmp_path / "run.h5") as recording:
        assert recording.rows["state"] == 1
        assert (recording.complete, recording.reason) == (False, "ZeroDivisionError: by zero")


def test_what_happened_on_the_radio_comes_back(tmp_path):
    """A link with retransmissions, one on which the packet was dropped before it was sent, and one not used."""
    frame = make_frame(0, packets=3)
    first, second, _ = frame.packets
    first.uplink = Hop(5, 6, 9, 11, 4, 3, (12, 14, 15), 21)
    first.downlink = Hop(25, 26, 26, 26, 1, 0, (), 30)
    second.uplink = Hop(7, 8, 10, -1, 0, 0, (), -1)
    write(tmp_path / "run.h5", [frame], hops=True)
    with Recording(tmp_path / "run.h5") as run:
        (found,) = run.frames()
        table = run.packets()
        export = run.to_pandas("packets")
    assert [p.uplink for p in found.packets] == [first.uplink, second.uplink, None]
    assert [p.downlink for p in found.packets] == [first.downlink, None, None]
    assert table["uplink_retransmitted"].shape == (3, 8)
    assert export["uplink_retransmitted_ns"].tolist() == ["12 14 15", "", ""]
    assert export["uplink_first_ns"].tolist() == [11, -1, -1]
