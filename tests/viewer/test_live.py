"""A run is seen while it is recorded, by the same code as a replay."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

pytest.importorskip("viser", reason="the extra `view` is not installed")

from twin.recording.reader import Recording
from twin.viewer.replay import Replay

ROOT = Path(__file__).resolve().parents[2]
FLYER = ROOT / "tests/recording/flyer.py"
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
WAIT = 60.0  # s


def until(condition):
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def flying(tmp_path):
    """Three seconds of flight, one more at each line that is written to it."""
    line = [sys.executable, str(FLYER), "run.h5", "ticks", "3", "0", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FLYER_WAITS": "1"}
    process = subprocess.Popen(line, cwd=tmp_path, env=environment, stdin=-1, stdout=-1)
    assert process.stdout.readline() == b"started\n"
    yield process
    process.kill()
    process.communicate()


def test_the_picture_goes_with_the_newest_that_is_recorded_until_the_end(flying, tmp_path):
    def on():
        flying.stdin.write(b"\n")
        flying.stdin.flush()

    on()
    with Recording(tmp_path / "run.h5") as recording:
        replay = Replay(recording, None, port=0)
        assert replay.player.live
        answering = threading.Thread(target=replay.serve)
        answering.start()
        try:
            for second in (1, 2, 3):
                until(lambda last=second - 0.01: replay.player.time == replay.player.duration == last)
                on()
            until(lambda: replay.player.time == replay.player.duration == 3.0 and recording.finished)
            newest = recording["state/position"][-1, 0]
            until(lambda: np.array_equal(replay.scene.robots[0].position, newest))
        finally:
            replay.close()
            answering.join()


def test_run_with_view_serves_a_page_while_and_after_it_runs(tmp_path):
    line = [sys.executable, "-u", str(ROOT / "cli.py"), "run", str(HEIGHT), "-o", "run.h5", "--view", "-q"]
    process = subprocess.Popen([*line, "--duration", "2 s"], cwd=tmp_path, stderr=-1, text=True, start_new_session=True)
    said = ""
    while "the page stays" not in said or "open http" not in said:
        assert (text := process.stderr.readline()), said
        said += text
    address = re.search(r"http://\S+", said)[0]
    assert b"<html" in urlopen(address, timeout=WAIT).read().lower()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=WAIT)
    assert process.returncode == 0, "the run itself was good"
    with Recording(tmp_path / "run.h5") as recording:
        assert recording.complete and recording.duration == 2_000_000_000
