"""The commands on recordings: what they print, as text at 80 columns and as JSON, and their exit codes."""

import csv
import importlib
import json
from dataclasses import replace

import numpy as np
import pytest

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet


def frame_at(tick):
    now, one, none = tick * NS // 50, np.ones(1), np.zeros(0)
    rows = np.arange(6.0).reshape(2, 3) + tick
    return Frame(
        now,
        BodyState(rows, np.ones((2, 4)), rows, rows, none, none, np.zeros(3, np.int64)),
        LinkState(now, np.zeros(1, np.int32), np.ones(1, np.int32), one * -80, one > 0, np.zeros(2, np.int64),
                  none + 0j, none, none, np.zeros((0, 3)), np.zeros((0, 3))),
        {"patrol": rows},
        ["nominal", "nominal", "nominal"],
        [Packet(0, 2, "telemetry", tick, 100, now, now, None, now + 5, "delivered")],
        [Event(now, "contact", "b", "hit [red]wall[/red]")] if tick % 25 == 0 else [],
        [(now, 1, "error", tick / 4)],
    )  # fmt: skip


def write(path, frames):
    robots = [Node(name, "patrol", "drone", i) for i, name in enumerate("ab")] + [Node("edge", "e", "edge")]
    radios = [RadioInfo(0, 1e9), RadioInfo(2, 1e9)]
    writer = Writer(path, Header(Layout.of(frames[0]), robots, "schema = 1\n", NS, 1, 50, 50, 50, radios))
    for frame in frames:
        writer.write(frame)
    writer.finish({"rms": 0.5}, complete=True)
    return path


@pytest.fixture
def run(tmp_path):
    return write(tmp_path / "a.h5", [frame_at(tick) for tick in range(51)])


@pytest.fixture
def other(tmp_path):
    frames = [frame_at(tick) for tick in range(51)]
    frames[30] = replace(frames[30], bodies=replace(frames[30].bodies, position=frames[30].bodies.position + 0.5))
    return write(tmp_path / "b.h5", frames)


def call(capsys, name, *arguments):
    code = getattr(importlib.import_module(f"twin.cli.{name}"), name).main(
        [str(argument) for argument in arguments], standalone_mode=False
    )
    return code, capsys.readouterr().out


def test_diff(capsys, run, other):
    code, text = call(capsys, "diff", run, other)
    assert code == 4 and "1 of" in text and "state/position" in text and "0.6 s" in text and "0.5 m" in text
    assert max(map(len, text.splitlines())) <= 80
    assert call(capsys, "diff", run, run)[0] == 0
    assert call(capsys, "diff", run, other, "--tolerance", "0.6")[0] == 0
    code, text = call(capsys, "diff", run, other, "--json")
    (one,) = json.loads(text)["streams"]
    assert code == 4 and (one["stream"], one["where"], one["largest"]) == ("state/position", "a", 0.5)


def test_events(capsys, run):
    code, text = call(capsys, "events", run)
    assert code == 0 and "0.500 s" in text and "hit [red]wall[/red]" in text
    events = json.loads(call(capsys, "events", run, "--robot", "b", "--json")[1])
    assert [event["time"] for event in events] == [0.0, 0.5, 1.0]
    assert call(capsys, "events", run, "--kind", "landing")[1] == "no events\n"
    with pytest.raises(RecordingError, match="no robot 'edgy'; did you mean 'edge'"):
        call(capsys, "events", run, "--robot", "edgy")


def test_recover_of_what_was_closed(capsys, run):
    with pytest.raises(RecordingError, match="was closed properly"):
        call(capsys, "recover", run)


def test_export(capsys, run, tmp_path):
    files = json.loads(call(capsys, "export", run, "-o", tmp_path / "tables", "--json")[1])
    tables = {file.rpartition("/")[2]: list(csv.DictReader(open(file, newline=""))) for file in files}
    with Recording(run) as recording:
        positions = recording["state/position"][:]
    state = tables["state.csv"]
    assert [float(row["z_m"]) for row in state if row["robot"] == "b"] == positions[:, 1, 2].tolist()
    assert {name: len(rows) for name, rows in tables.items()} == {
        "state.csv": 102, "command_patrol.csv": 102, "links.csv": 51, "packets.csv": 51, "events.csv": 3, "logs.csv": 51
    }  # fmt: skip
    packet = tables["packets.csv"][10]
    assert (packet["source"], packet["destination"], packet["arrived_ns"]) == ("a", "edge", str(NS // 5 + 5))
    with pytest.raises(RecordingError, match="exists already"):
        call(capsys, "export", run, "-o", tmp_path / "tables")
