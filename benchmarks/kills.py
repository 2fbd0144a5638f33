"""Kills runs at random moments and reads what is left: no row may be wrong, and at most a second lost.

Each run is a process that records frames, functions of their tick, ten times as fast as the clock, and is killed
within half a second, at its very start too. Usage: python benchmarks/kills.py [KILLS] [SEED]; 1,000 take minutes.
Exit code 1 if a row is wrong or more than a second is lost.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from twin.errors import RecordingError
from twin.recording.integrity import check
from twin.recording.reader import Recording
from twin.recording.recover import recover
from twin.recording.writer import Writer

BODIES, SPEED, LONGEST = 5, 10, 0.5
FLYER = Path(__file__).resolve().parents[1] / "tests/recording/flyer.py"
_spec = importlib.util.spec_from_file_location("flyer", FLYER)
flyer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(flyer)


def fly(path, taken, frames):
    """Record without end; `taken` is the number of frames that were handed over."""
    writer = Writer(path, flyer.header(BODIES))
    for tick, frame in enumerate(frames):
        writer.write(frame)
        taken[:8] = (tick + 1).to_bytes(8, "little")
        time.sleep(1 / flyer.RATE / SPEED)


def killed(path, after, frames):
    """Return how many frames a run had taken when it was killed `after` seconds."""
    taken = mmap.mmap(-1, 8)
    child = os.fork()
    if not child:
        fly(path, taken, frames)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return int.from_bytes(taken[:8], "little")


def right(path, frames):
    """Return how many frames a recording has, and how many of them are wrong."""
    with Recording(path) as recording:
        read, wrong = 0, len(check(recording).damage)
        for expected, frame in zip(frames, recording.frames(), strict=False):
            read += 1
            same = frame.time == expected.time and list(frame.modes) == expected.modes and all(
                np.array_equal(getattr(frame.bodies, name), getattr(expected.bodies, name))
                for name in ("position", "orientation", "velocity")
            ) and np.array_equal(frame.commands["patrol"], expected.commands["patrol"])  # fmt: skip
            same &= [p.sequence for p in frame.packets] == [p.sequence for p in expected.packets]
            wrong += not (same and frame.events == expected.events and frame.logs == expected.logs)
    return read, wrong


def main(kills=1000, seed=1):
    """Kill and look; return the exit code."""
    moments, lost, wrong, unread = random.Random(seed), [], 0, 0
    frames = [flyer.frame_at(tick, BODIES) for tick in range(round(2 * LONGEST * SPEED * flyer.RATE))]
    with tempfile.TemporaryDirectory() as folder:
        path, clean = Path(folder) / "run.h5", Path(folder) / "clean.h5"
        for number in range(kills):
            path.unlink(missing_ok=True) if number % 2 else None  # every other one meets what the last kill left
            if path.is_file() and path.stat().st_size:
                path.unlink()
            taken, read = killed(path, moments.uniform(0, LONGEST), frames), 0
            try:
                read, bad = right(path, frames)
                recover(path, clean, force=True)
                again, worse = right(clean, frames)
                wrong += bad + worse + (again != read)
            except RecordingError as error:
                if path.exists() and "killed at its start" not in str(error):
                    print(f"kill {number}: {error}")
                    wrong += 1
                unread += 1
            lost.append((taken - read) / flyer.RATE)
    print(f"{kills} kills, {unread} of them before the first row: {wrong} wrong rows; "
          f"lost: median {np.median(lost):.2f} s, most {max(lost):.2f} s")  # fmt: skip
    return int(wrong > 0 or max(lost) > 1.0 + 1 / flyer.RATE)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
