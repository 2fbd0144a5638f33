"""The page that specifies the format is right: its script runs, and it names what is in a file."""

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin.clock import NS
from twin.recording.schema import VERSION, Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Frame, LinkState, Node, Packet

PAGE = (Path(__file__).resolve().parents[2] / "recordings" / "README.md").read_text()


@pytest.fixture
def run(tmp_path):
    one, none = np.zeros(1), np.zeros(0)
    three = np.array([[1.0, 2.0, 3.0]])
    frame = Frame(
        0,
        BodyState(three, np.ones((1, 4)), three, three, one, one, np.array([0, 1])),
        LinkState(0, np.zeros(1, np.int32), np.ones(1, np.int32), one, one > 0, np.zeros(2, np.int64),
                  none + 0j, none, none, np.zeros((0, 3)), np.zeros((0, 3))),
        {"patrol": three},
        ["nominal", "nominal"],
        [Packet(0, 1, "telemetry", 0, 9, 0, 0, None, 2_500_000, "delivered"),
         Packet(0, 1, "telemetry", 1, 9, 0, 0, None)],
    )  # fmt: skip
    header = Header(
        Layout.of(frame), [Node("drone", "patrol", "drone", 0), Node("edge", "edge", "edge")],
        "schema = 1\n", NS, 1, 100, 100, 100, [RadioInfo(0, 3.5e9)],
        {"patrol": [("x", "m"), ("y", "m"), ("z", "m")]}, paths=True, hops=True,
    )  # fmt: skip
    with Writer(tmp_path / "run.h5", header) as writer:
        writer.write(frame)
        writer.finish({"rms": 0.5}, complete=True)
    return tmp_path / "run.h5"


def test_the_script_reads_a_recording_with_h5py_alone(run, tmp_path):
    script = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
    assert "twin" not in re.findall(r"^(?:import|from) (\w+)", script, re.M)
    output = subprocess.check_output([sys.executable, "-c", script, run], cwd=tmp_path, text=True)
    assert output.splitlines() == [
        "drone ends at [1. 2. 3.] m after 0 s",
        "1 of 2 packets delivered, the slowest in 2.5 ms",
        "{'complete': True, 'reason': '', 'summary': {'rms': 0.5}}",
    ]


def test_the_page_names_every_table_column_and_attribute(run):
    assert f"**version {VERSION}**" in PAGE
    with h5py.File(run) as file:
        names = []
        file.visit(names.append)
        for name in [*names, *file.attrs]:
            top, _, rest = name.partition("/")
            rest = re.sub("^(uplink|downlink)_", "_", rest)
            rest = re.sub("^command/.*", "command/GROUP", re.sub("^end/.*", "end/TABLE", rest))
            rest = "TABLE/crc" if top == "checks" else rest
            for part in (top, rest):
                if part not in ("", "command", "end"):
                    assert re.search(rf"`{re.escape(part)}/?`", PAGE), f"{name} is not on the page"


def test_every_column_says_what_it_is(run):
    with h5py.File(run) as file:
        for table in file["committed"].attrs["tables"].astype(str):
            assert file[table].attrs["description"]
            if table not in ("text", "result"):
                columns = []
                file[table].visititems(lambda _, item, columns=columns: columns.append(item))
                assert all(isinstance(item, h5py.Group) or item.attrs["description"] for item in columns)
        assert file["state/position"].attrs["unit"] == b"m"
        assert file["state/command/patrol"].attrs["components"].tolist() == [b"x", b"y", b"z"]
        assert file["state/command/patrol"].attrs["component_units"].tolist() == [b"m", b"m", b"m"]


def test_nothing_tells_where_it_was_made(run):
    assert str(run.parent).encode() not in run.read_bytes()
