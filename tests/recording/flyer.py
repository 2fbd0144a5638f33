"""A run in a process of its own, for tests that end it: writes frames that are a function of their tick.

Usage: flyer.py PATH PROGRESS SECONDS PACE BODIES; PROGRESS is overwritten with the last tick that was taken.
With FLYER_WAITS in the environment it waits for a line after each second: all before that second is committed.
"""

import os
import resource
import signal
import sys
import time

import numpy as np

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet

RATE = 100


def frame_at(tick, bodies):
    now = tick * NS // RATE
    noise = np.sin(np.arange(bodies * 3, dtype=float) * (tick + 1) * 1e4).reshape(-1, 3)
    none = np.zeros(0)
    return Frame(
        now,
        BodyState(noise + tick, np.tile([0.0, 0, 0, 1], (bodies, 1)), noise, noise, none, none,
                  np.zeros(bodies + 1, np.int64)),
        LinkState(now, np.zeros(1, np.int32), np.ones(1, np.int32), np.full(1, float(tick)), np.ones(1, bool),
                  np.zeros(2, np.int64), none + 0j, none, none, np.zeros((0, 3)), np.zeros((0, 3))),
        {"patrol": noise},
        ["nominal" if tick % 200 else "hover"] * bodies,
        [
            Packet(0, 1, "telemetry", tick * 3 + i, 100, now, now, None, now + i, "delivered")
            for i in range(3)
        ],
        [Event(now, "contact", "robot0", f"at tick {tick}")] if tick % 10 == 0 else [],
        [(now, 0, "error", tick / 8)],
    )  # fmt: skip


def header(bodies):
    return Header(
        layout=Layout.of(frame_at(0, bodies)),
        robots=[Node(f"robot{i}", "patrol", "drone", i) for i in range(bodies)],
        scenario_text="schema = 1\n[robots.patrol]\n",
        duration=60 * NS,
        seed=1,
        physics_rate_hz=RATE,
        channel_rate_hz=RATE,
        record_rate_hz=RATE,
    )


def fly(path, progress, seconds, pace, bodies):
    descriptor = os.open(progress, os.O_RDWR | os.O_CREAT)
    with Writer(path, header(bodies)) as writer:
        print("started", flush=True)
        for tick in range(seconds * RATE + 1):
            writer.write(frame_at(tick, bodies))
            os.pwrite(descriptor, tick.to_bytes(8, "little"), 0)
            if tick % RATE == 0 and "FLYER_WAITS" in os.environ:
                sys.stdin.readline()
            time.sleep(pace / RATE)
        writer.finish({"ticks": tick}, complete=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells make what they put into the background ignore it
    if limit := os.environ.get("FLYER_LIMIT"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        fly(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
    except RecordingError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
