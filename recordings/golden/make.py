"""Writes the golden recordings: frames that are a function of their tick, in all tables of the format.

`format-N.h5` and `format-N-killed.h5` are made once, when version N of the format comes, and never again:
tests read them with every later version of twin. Usage: python recordings/golden/make.py FOLDER
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np

from twin.clock import NS
from twin.recording.files import stored_size
from twin.recording.schema import VERSION, Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet

RATE, TICKS = 20, 45
SUMMARY = {"duration": 2.2, "losses": {"lost": 5}, "tracking_rms": None}
SCENARIO = 'schema = 1\nworld = "nowhere"\nduration = "2.2 s"\n'


def frame_at(tick: int) -> Frame:
    """Return a frame: two bodies, one of them with two joints, two links, three paths, and a bit of everything."""
    now, row = tick * NS // RATE, np.arange(6.0).reshape(2, 3) + tick / 8
    lost = tick % 10 == 3
    return Frame(
        now,
        BodyState(row, np.array([[0.0, 0, 0, 1], [0, 0, 0.6, 0.8]]), row * 2, -row,
                  np.array([tick / 2, 0.25]), np.array([0.5, 0.0]), np.array([0, 2, 2])),
        LinkState(now, np.array([0, 0], np.int32), np.array([1, 2], np.int32), np.array([-80.0 - tick, -np.inf]),
                  np.array([tick % 2 == 0, False]), np.array([0, 3, 3]), np.array([1.0, 1j, 0.5]) * tick,
                  np.array([1e-7, 2e-7, 3e-7]), np.array([0.0, 5.0, -5.0]), np.eye(3), -np.eye(3)),
        {"arm": row[:1, :2], "übung": row[1:]},
        ["nominal", "hover" if 20 <= tick < 30 else "nominal", "nominal"],
        [Packet(1, 2, "telemetry", tick, 100, now, now, None, *((-1, "lost") if lost else (now + tick, "delivered")))],
        [Event(now, "contact", "drohne", f"with <b>{tick}</b>", tick / 4)] if tick % 7 == 0 else [],
        [(now, 1, "error", tick / 3)],
    )  # fmt: skip


def header() -> Header:
    """Return what the file says of itself."""
    robots = [Node("arm", "arm", "arm", 0, 1, 7), Node("drohne", "übung", "drone", 1), Node("edge", "edge", "edge")]
    return Header(
        Layout.of(frame_at(0)), robots, SCENARIO, 2_200_000_000, 5, RATE, RATE, RATE,
        radios=[RadioInfo(1, 3.5e9), RadioInfo(2, 3.5e9), RadioInfo(2, 28e9)],
        command_fields={"arm": [("angle.0", "rad"), ("angle.1", "rad")]},
        world="nowhere", world_hash="0" * 16, code_version="golden", sources_digest="0" * 16,
        packages={"python": "3"}, plugins={"./mine.py:Mine": "f" * 64}, paths=True,
    )  # fmt: skip


def write(folder: Path) -> None:
    """Write both files of the present version of the format."""
    whole, killed = folder / f"format-{VERSION}.h5", folder / f"format-{VERSION}-killed.h5"
    with Writer(whole, header()) as writer:
        for tick in range(TICKS):
            writer.write(frame_at(tick))
        shutil.copy(whole, killed)  # what a kill at this moment would leave: all up to the last whole second
        used = len(killed.read_bytes().rstrip(b"\0"))
        os.truncate(killed, max(used, stored_size(killed)))  # without the space reserved for what comes next
        writer.finish(SUMMARY, complete=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
