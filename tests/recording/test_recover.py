"""A killed run becomes a clean file with the same rows."""

import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.recording.recover import REASON, recover

FLYER = Path(__file__).with_name("flyer.py")
ROOT = Path(__file__).resolve().parents[2]


def start(path):
    process = subprocess.Popen(
        [sys.executable, FLYER, path, path.with_suffix(".tick"), "60", "0.05", "3"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    return process


@pytest.fixture
def killed(tmp_path):
    path = tmp_path / "run.h5"
    process = start(path)
    while int.from_bytes(path.with_suffix(".tick").read_bytes(), "little") < 150:  # one second is committed
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    return path


def content(path):
    with Recording(path) as recording:
        columns = {
            name: recording[name][:].tobytes() for name in recording.columns if name != "result/utf8"
        }
        return columns, recording.header.robots, recording.scenario_text, recording.complete, recording.reason


def test_in_its_own_place(killed):
    before = content(killed)
    with pytest.raises(OSError):
        h5py.File(killed, "r")  # a tool that knows nothing of SWMR can't open it
    found = recover(killed)
    after = content(killed)
    assert after[:4] == before[:4] and after[4] == REASON
    with Recording(killed) as recording:
        assert recording.finished and recording.rows == found.rows and recording.duration == found.duration
    with h5py.File(killed, "r") as file:
        assert len(file["state/time"]) == found.rows["state"] == len(file["state/position"]) > 0
    assert sorted(item.name for item in killed.parent.iterdir()) == ["run.h5", "run.tick"]


def test_to_another_place_the_killed_file_is_not_touched(killed, tmp_path):
    data = killed.read_bytes()
    recover(killed, tmp_path / "clean.h5")
    assert killed.read_bytes() == data
    assert content(tmp_path / "clean.h5")[:4] == content(killed)[:4]
    with pytest.raises(RecordingError, match="exists already"):
        recover(killed, tmp_path / "clean.h5")
    recover(killed, tmp_path / "clean.h5", force=True)


def test_what_was_closed_or_is_being_written_needs_none(killed, tmp_path):
    recover(killed)
    with pytest.raises(RecordingError, match="was closed properly"):
        recover(killed)
    process = start(tmp_path / "live.h5")
    try:
        with pytest.raises(RecordingError, match="is being written"):
            recover(tmp_path / "live.h5")
    finally:
        process.kill()
        process.communicate()
