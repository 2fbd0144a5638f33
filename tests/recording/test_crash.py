"""Whatever ends a run, what was committed is right, and at most a second is lost."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from twin.errors import RecordingError
from twin.recording.files import is_being_written
from twin.recording.reader import Recording
from twin.recording.writer import Writer

FLYER = Path(__file__).with_name("flyer.py")
ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TWIN_TEST_KILLS", "8"))
BODIES = 5

_spec = importlib.util.spec_from_file_location("flyer", FLYER)
flyer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(flyer)


def start(path, seconds=60, pace=0.02, bodies=BODIES, wait=True, **environment):
    process = subprocess.Popen(
        [sys.executable, FLYER, path, path.with_suffix(".tick"), str(seconds), str(pace), str(bodies)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert process.stdout.readline() == "started\n", process.stderr.read()
    return process


def last_tick(path):
    data = path.with_suffix(".tick").read_bytes()
    return int.from_bytes(data, "little") if data else -1


def assert_right(recording, bodies=BODIES):
    """Every frame is the one that was written; return how many there are."""
    ticks = -1
    for ticks, frame in enumerate(recording.frames()):
        expected = flyer.frame_at(ticks, bodies)
        assert frame.time == expected.time and list(frame.modes) == expected.modes
        assert np.array_equal(frame.bodies.position, expected.bodies.position)
        assert np.array_equal(frame.commands["patrol"], expected.commands["patrol"])
        assert np.array_equal(frame.links.path_gain_db, expected.links.path_gain_db)
        assert [p.sequence for p in frame.packets] == [p.sequence for p in expected.packets]
        assert frame.events == expected.events and frame.logs == expected.logs
    return ticks + 1


def test_killed_at_any_moment_the_file_reads_and_at_most_a_second_is_lost(tmp_path):
    moments = random.Random(1)
    lost = []
    for i in range(KILLS):
        path = tmp_path / f"{i}.h5"
        process = start(path)
        time.sleep(moments.uniform(0.0, 0.4))
        process.kill()
        process.communicate()
        with Recording(path) as recording:
            frames = assert_right(recording)
            lost.append((last_tick(path) - (frames - 1)) / flyer.RATE)
            assert not recording.finished and recording.reason == "the run was killed"
    print(f"lost: median {np.median(lost):.2f} s, most {max(lost):.2f} s in {KILLS} kills")
    assert max(lost) <= 1.0 + 1 / flyer.RATE  # the tick itself may be recorded before its number is


def test_in_a_slow_run_at_most_a_second_of_the_wall_clock_is_lost(tmp_path):
    path = tmp_path / "slow.h5"
    process = start(path, pace=20)  # 5 ticks a second
    time.sleep(2.4)
    process.kill()
    process.communicate()
    with Recording(path) as recording:
        assert last_tick(path) - (assert_right(recording) - 1) <= 6


@pytest.mark.parametrize("limit", [200_000, 4_000_000, 12_000_000])
def test_a_disk_that_fills_up_ends_the_run_with_what_was_committed(tmp_path, limit):
    """RLIMIT_FSIZE fails a write at a size, as a full disk does; HDF5 alone would crash with signal 11."""
    path = tmp_path / "full.h5"
    process = start(path, pace=0, bodies=200, wait=False, FLYER_LIMIT=str(limit))
    _, errors = process.communicate()
    assert process.returncode == 3, errors
    assert "can't be written" in errors and "File too large" in errors and len(errors.splitlines()) == 1
    if limit < 1_000_000:
        assert not path.exists()
        return
    assert path.stat().st_size <= limit
    with Recording(path) as recording:
        frames = assert_right(recording, bodies=200)
        assert recording.finished and not recording.complete and "File too large" in recording.reason
    assert frames > 0 and f"everything up to {(frames - 1) / flyer.RATE:g} s" in errors


def test_terminated_without_a_handler_is_like_killed(tmp_path):
    path = tmp_path / "run.h5"
    process = start(path, seconds=600, pace=0.1)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    with Recording(path) as recording:
        assert_right(recording)


def test_interrupted_the_file_is_closed_and_says_so(tmp_path):
    path = tmp_path / "run.h5"
    process = start(path, seconds=600, pace=0.1)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate()
    with Recording(path) as recording:
        assert assert_right(recording) >= last_tick(path)
        assert recording.finished and not recording.complete and "KeyboardInterrupt" in recording.reason


def test_a_run_is_read_while_it_is_written(tmp_path):
    path = tmp_path / "run.h5"
    process = start(path, seconds=5, pace=0, FLYER_WAITS="1")
    try:
        with Recording(path) as recording:
            assert recording.reason == "still being written"
            for second in range(1, 6):
                process.stdin.write("\n")
                process.stdin.flush()
                while recording.rows["state"] < second * flyer.RATE:
                    assert process.poll() is None
                    recording.refresh()
                assert assert_right(recording) == second * flyer.RATE and not recording.finished
            process.communicate("\n")
            assert recording.refresh() and recording.complete and recording.summary == {"ticks": 500}
            assert assert_right(recording) == 501
    finally:
        process.kill()
        process.communicate()


def test_a_second_writer_is_refused_with_and_without_force(tmp_path):
    path = tmp_path / "run.h5"
    process = start(path)
    try:
        assert is_being_written(path)
        for force in (False, True):
            with pytest.raises(RecordingError, match="being written"):
                Writer(path, flyer.header(1), force=force)
    finally:
        process.kill()
        process.communicate()
    assert not is_being_written(path)
    with Writer(path, flyer.header(1), force=True) as writer:
        writer.finish({}, complete=True)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["run.h5", "run.tick"]


def test_an_existing_file_is_kept_unless_forced_and_until_the_new_one_stands(tmp_path, monkeypatch):
    path = tmp_path / "thesis.txt"
    path.write_text("a year of work")
    with pytest.raises(RecordingError, match="exists already; --force replaces it"):
        Writer(path, flyer.header(1))
    monkeypatch.setattr("twin.recording.writer.write_header", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Writer(path, flyer.header(1), force=True)
    assert path.read_text() == "a year of work"
    with pytest.raises(ZeroDivisionError):
        Writer(tmp_path / "new.h5", flyer.header(1))
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_killed_while_it_begins_nothing_is_in_the_way(tmp_path, monkeypatch):
    path, killed = tmp_path / "run.h5", OSError("as if killed")

    def kill(*_):
        raise killed

    with monkeypatch.context() as patch:  # a kill leaves what is there, and no lock
        patch.setattr("twin.recording.writer.write_header", kill)
        patch.setattr("twin.recording.files.Claim.abandon", lambda claim: (os.close(claim._descriptor),
                                                                           os.close(claim._place)))  # fmt: skip
        with pytest.raises(RecordingError, match="as if killed"):
            Writer(path, flyer.header(1))
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(RecordingError, match="killed at its start; it is safe to delete"):
        Recording(path)
    with Writer(path, flyer.header(1)) as writer:
        writer.finish({}, complete=True)
    assert [item.name for item in tmp_path.iterdir()] == ["run.h5"]


def seconds_of(writer, first, last):
    for tick in range(first * flyer.RATE, last * flyer.RATE):
        writer.write(flyer.frame_at(tick, 2))


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run.h5").symlink_to("disk/run.h5")
    for force in (False, True):
        with Writer(tmp_path / "run.h5", flyer.header(2), force=force) as writer:
            seconds_of(writer, 0, 1)
    assert (tmp_path / "run.h5").is_symlink() and (tmp_path / "disk/run.h5").is_file()


def test_removed_or_cut_off_while_it_is_written_the_run_ends_and_says_so(tmp_path):
    for what, meddle in {
        "was removed during the run": lambda path: path.unlink(),
        "was cut off at 1000 bytes": lambda path: os.truncate(path, 1000),
    }.items():
        path = tmp_path / "run.h5"
        writer = Writer(path, flyer.header(2), force=True)
        seconds_of(writer, 0, 2)
        meddle(path)
        with pytest.raises(RecordingError, match=what):
            seconds_of(writer, 2, 4)
        writer.finish({}, complete=True)
    path.unlink()


def test_renamed_while_it_is_written_the_recording_is_whole_and_the_run_says_so(tmp_path):
    with Writer(tmp_path / "run.h5", flyer.header(2)) as writer:
        seconds_of(writer, 0, 2)
        (tmp_path / "run.h5").rename(tmp_path / "other.h5")
        seconds_of(writer, 2, 4)
        with pytest.raises(RecordingError, match="was moved during the run; the whole recording is where it was moved"):
            writer.finish({}, complete=True)
    with Recording(tmp_path / "other.h5") as recording:
        assert recording.complete and assert_right(recording, 2) == 4 * flyer.RATE


@pytest.mark.parametrize("place", ["nowhere/run.h5", "file/run.h5", "."])
def test_where_no_file_can_be_is_said(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="can't be written|is not a file"):
        Writer(tmp_path / place, flyer.header(1), force=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="Permission denied"):
        Writer(tmp_path / "run.h5", flyer.header(1))


DUMP = """
import h5py, sys, hashlib
def show(name, item):
    values = [(key, item.attrs[key].tobytes()) for key in sorted(item.attrs)]
    print(name, values, item[()].tobytes() if isinstance(item, h5py.Dataset) else "")
with h5py.File(sys.argv[1]) as file:
    show("/", file)
    file.visititems(show)
"""


def test_same_frames_give_the_same_bytes_in_every_dataset_and_attribute(tmp_path):
    dumps = []
    for seed, pace in (("1", 0), ("2", 0.1)):
        path = tmp_path / f"{seed}.h5"
        process = start(path, seconds=3, pace=pace, PYTHONHASHSEED=seed)
        process.communicate()
        assert process.returncode == 0
        dumps.append(subprocess.check_output([sys.executable, "-c", DUMP, path]))
    assert dumps[0] == dumps[1] and len(dumps[0]) > 100_000
