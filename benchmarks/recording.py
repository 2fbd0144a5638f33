"""CPU time of recording, against other ways to keep the same frames: read the ratios.

100 bodies at 250 Hz, 400 links at 100 Hz, 10,000 packets/s; every contender gets the same frames. Then a file of 1 GB
is written, opened, and read at random times. About a minute.
Usage: python benchmarks/recording.py [SECONDS]; MCAP takes part where mcap and zstandard are installed.
Exit code 1 if a target is missed.
"""

from __future__ import annotations

import gc
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np

from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
from twin.state import BodyState, Frame, LinkState, Node, Packet

BODIES, LINKS, TICKS, RECORD, CHANNEL, PACKETS = 100, 400, 500, 250, 100, 10_000
FIELDS = {"position": 3, "orientation": 4, "velocity": 3, "angular_velocity": 3}
ROW = np.dtype([("created", "i8"), ("arrived", "i8"), ("stamp", "i8"), ("source", "i4"), ("destination", "i4"),
                ("kind", "S16"), ("sequence", "i8"), ("size", "i8"), ("fate", "S16")])  # fmt: skip
TARGETS = {"raw h5py, buffered": 0.33, "MCAP, zstd": 1.0, "h5py, one append a step": 5.0}
LARGE = 10**9  # bytes
OPENING, SEEKING = 0.5, 0.01  # s


def make_frames(seconds):
    """Drones on circles with a little noise, a third of them at rest; links drift."""
    rng = np.random.default_rng(1)
    phase, radius = rng.uniform(0, 6.28, (BODIES, 3)), rng.uniform(1, 60, (BODIES, 3))
    speed = rng.uniform(0.05, 0.6, (BODIES, 3)) * (np.arange(BODIES) % 3 > 0)[:, None]
    gain, none, frames = rng.uniform(-110, -60, LINKS), np.zeros(0), []
    for tick in range(seconds * TICKS):
        now = tick * NS // TICKS
        angle = phase + speed * tick / TICKS
        noise = rng.normal(size=(BODIES, 4)) * 1e-3 * (speed[:, :1] > 0)
        bodies = BodyState(
            radius * np.sin(angle) + noise[:, :3], np.array([0, 0, 0, 1.0]) + noise,
            radius * speed * np.cos(angle), speed * noise[:, :3], none, none, np.zeros(BODIES + 1, np.int64),
        )  # fmt: skip
        if tick % (TICKS // CHANNEL) == 0:
            gain = gain + rng.normal(size=LINKS) * 0.05
            links = LinkState(
                now, np.zeros(LINKS, np.int32), np.arange(1, LINKS + 1, dtype=np.int32), gain, gain > -90,
                np.zeros(LINKS + 1, np.int64), none + 0j, none, none, np.zeros((0, 3)), np.zeros((0, 3)),
            )  # fmt: skip
        each = PACKETS // TICKS
        packets = [
            Packet(int(source), BODIES, "telemetry", tick * each + i, 100, now - 10**6, now - 10**6, None,
                   now - int(delay), "delivered")
            for i, (source, delay) in enumerate(zip(rng.integers(0, BODIES, each), rng.integers(0, 10**6, each),
                                                    strict=True))
        ]  # fmt: skip
        frames.append(Frame(now, bodies, links, {}, ["nominal"] * BODIES, packets))
    return frames


def ours(frames, path, count=1):
    layout = Layout.of(frames[0])
    robots = [Node(f"drone{i}", "drones", "drone", i) for i in range(BODIES)]
    with Writer(path, Header(layout, robots, "", 0, 1, TICKS, CHANNEL, RECORD)) as writer:
        for frame in frames if count == 1 else laps(frames, count):
            writer.write(frame)
        writer.finish({}, complete=True)


def rows_of(packets):
    return np.array(
        [(p.created, p.arrived, p.stamp, p.source, p.destination, p.kind, p.sequence, p.size, p.fate)
         for p in packets], ROW)  # fmt: skip


def in_h5py(frames, path, state_rows, link_rows, packet_rows):
    """Plain h5py, uncompressed, from buffers of so many rows."""
    with h5py.File(path, "w") as file:
        shapes = {"time": ((), state_rows, "i8"), "gain": ((LINKS,), link_rows, "f8")}
        shapes |= {"packets": ((), packet_rows, ROW)}
        shapes |= {name: ((BODIES, width), state_rows, "f8") for name, width in FIELDS.items()}
        buffers = {name: [] for name in shapes}
        data = {
            name: file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(max(rows, 64), *shape))
            for name, (shape, rows, dtype) in shapes.items()
        }

        def keep(name, row):
            buffer = buffers[name]
            buffer.append(row)
            if len(buffer) >= shapes[name][1]:
                data[name].resize(len(data[name]) + len(buffer), axis=0)
                data[name][-len(buffer) :] = buffer
                buffer.clear()

        packets = []
        for tick, frame in enumerate(frames):
            packets += frame.packets
            if len(packets) >= packet_rows:
                data["packets"].resize(len(data["packets"]) + len(packets), axis=0)
                data["packets"][-len(packets) :] = rows_of(packets)
                packets.clear()
            if tick % (TICKS // CHANNEL) == 0:
                keep("gain", frame.links.path_gain_db)
            if tick % (TICKS // RECORD) == 0:
                keep("time", frame.time)
                for name in FIELDS:
                    keep(name, getattr(frame.bodies, name))


def in_mcap(frames, path):
    from mcap.writer import CompressionType, Writer

    packet = struct.Struct("<3q2i16s2q16s")
    with open(path, "wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start()
        schema = writer.register_schema("raw", "", b"")
        channels = {name: writer.register_channel(name, "raw", schema) for name in ("state", "links", "packets")}

        def add(name, time, data):
            writer.add_message(channels[name], time, data, time)

        for tick, frame in enumerate(frames):
            add("packets", frame.time, b"".join(
                packet.pack(p.created, p.arrived, p.stamp, p.source, p.destination, p.kind.encode(), p.sequence,
                            p.size, p.fate.encode()) for p in frame.packets))  # fmt: skip
            if tick % (TICKS // CHANNEL) == 0:
                add("links", frame.time, frame.links.path_gain_db.tobytes())
            if tick % (TICKS // RECORD) == 0:
                add("state", frame.time, b"".join(getattr(frame.bodies, name).tobytes() for name in FIELDS))
        writer.finish()


CONTENDERS: dict[str, Callable] = {
    "twin": ours,
    "raw h5py, buffered": lambda frames, path: in_h5py(frames, path, 250, 100, 8192),
    "h5py, one append a step": lambda frames, path: in_h5py(frames, path, 1, 1, 1),
}
if find_spec("mcap") and find_spec("zstandard"):
    CONTENDERS["MCAP, zstd"] = in_mcap


def cpu(function, *arguments):
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def measure(frames, folder):
    times, sizes = {name: [] for name in CONTENDERS}, {}
    for _ in range(5):
        for name, function in CONTENDERS.items():
            path = folder / "run"
            times[name].append(cpu(function, frames, path))
            sizes[name] = path.stat().st_size
            path.unlink()
    return {name: min(each) for name, each in times.items()}, sizes


def laps(frames, count):
    """Yield the frames over and over, each time later."""
    lap = len(frames) * NS // TICKS
    for late in range(0, count * lap, lap):
        for frame in frames:
            yield replace(
                frame, time=frame.time + late, links=replace(frame.links, time=frame.links.time + late),
                packets=[replace(p, created=p.created + late, arrived=p.arrived + late, stamp=p.stamp + late)
                         for p in frame.packets],
            )  # fmt: skip


def seek(path):
    """Return the CPU seconds that opening takes, and the median of those to the frame at a random time."""
    start = time.process_time()
    with Recording(path) as recording:
        opening = time.process_time() - start
        seeks = []
        for at in np.random.default_rng(2).integers(0, recording.duration, 200).tolist():
            start = time.process_time()
            next(recording.frames(at))
            seeks.append(time.process_time() - start)
    return opening, float(np.median(seeks))


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    frames = make_frames(seconds)
    gc.freeze()  # in a run, frames don't stay
    with tempfile.TemporaryDirectory() as folder:
        times, sizes = measure(frames, Path(folder))
        large = Path(folder) / "large.h5"
        ours(frames, large, -(-LARGE // sizes["twin"]))
        size, (opening, seeking) = large.stat().st_size, seek(large)
    missed = opening > OPENING or seeking > SEEKING
    print(f"{'':26}{'CPU per simulated s':>20}{'size per s':>13}{'speed of twin against it':>26}")
    for name, spent in times.items():
        ratio, target = spent / times["twin"], TARGETS.get(name)
        missed |= target is not None and ratio < target
        against = "" if target is None else f"{ratio:.2f} (target {target:g})"
        print(f"{name:26}{spent / seconds * 1e3:17.1f} ms{sizes[name] / seconds / 1e6:10.2f} MB{against:>26}")
    print(f"a recording of {size / 1e9:.2f} GB: opening {opening * 1e3:.0f} ms (target {OPENING * 1e3:g}), "
          f"seeking a frame {seeking * 1e3:.1f} ms (target {SEEKING * 1e3:g})")  # fmt: skip
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
