"""A recording that was damaged is refused, found by `twin check`, or whole all the same; nothing waits for ever."""

import os
import random
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin.errors import RecordingError
from twin.recording.integrity import check
from twin.recording.reader import Recording
from twin.recording.recover import recover

GOLDEN = Path(__file__).resolve().parents[2] / "recordings/golden"
SEED = int(time.time() // 86_400)  # a new one a day


def contents(path):
    """Return every committed value, by column."""
    with Recording(path) as run:
        return {name: run[name][:].tobytes() for name in run.columns} | {"": str(run.header)}


def flipped(data, moments):
    """Return the file with one bit of it turned over."""
    place = moments.randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8


def changed(data, moments):
    """Return the file with one byte of it replaced by another."""
    data[moments.randrange(len(data))] ^= moments.randrange(1, 256)


@pytest.mark.parametrize("how", [flipped, changed])
@pytest.mark.parametrize("version, changes", [("2", 60), ("2-killed", 20), ("1", 20)])
def test_changes_are_all_answered_and_found(tmp_path, how, version, changes):
    print(f"seed {SEED}")
    moments, found = random.Random(SEED), 0
    good = GOLDEN / f"format-{version}.h5"
    whole = contents(good)
    for i in range(changes):
        path = tmp_path / f"{i}.h5"
        data = bytearray(good.read_bytes())
        how(data, moments)
        path.write_bytes(data)
        start = time.monotonic()
        try:
            with Recording(path) as run:
                damaged = bool(check(run).damage)
                list(run.frames())
            if version == "2-killed":
                recover(path, tmp_path / "clean.h5", force=True)
        except RecordingError:
            damaged = True
        assert time.monotonic() - start < 5.0
        found += damaged
        if not damaged and version != "1":  # what wasn't found must be bytes that nothing is in
            assert contents(path) == whole
    print(f"{found} of {changes} found, the others are in bytes that hold nothing")


def test_a_change_of_rows_that_hdf5_can_not_see_is_found_with_its_time(tmp_path):
    path = tmp_path / "run.h5"
    shutil.copy(GOLDEN / "format-2.h5", path)
    with h5py.File(path, "r+") as file:
        file["state/position"][23, 1, 2] += 1e-12
    with Recording(path) as run:
        (damage,) = check(run).damage
    assert "state is damaged: its checksum is" in damage and "rows 20 to 39, 1 s to 1.95 s" in damage


@pytest.mark.parametrize("name", ["scenario", "robots/body", "radios/carrier", "committed"])
def test_a_change_of_the_header_or_the_counts_is_refused(tmp_path, name):
    path = tmp_path / "run.h5"
    shutil.copy(GOLDEN / "format-2.h5", path)
    with h5py.File(path, "r") as file:
        place = file[name].id.get_offset()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="damaged|allowed"):
        Recording(path)


def test_check_tells_a_recording_from_a_scenario_and_says_what_is_damaged(command, tmp_path):
    shutil.copy(GOLDEN / "format-2.h5", tmp_path / "run")
    code, out, err = command("check", "run")
    assert code == 0 and "run: good: 592 rows in 13 blocks; complete" in out
    with h5py.File("run", "r+") as file:
        file["packets/arrived"][3] = 7
    code, out, err = command("check", "run")
    assert code == 1 and not out and "packets is damaged" in err
    Path("run.h5").write_bytes(b"\x88" + Path("run").read_bytes()[1:])
    code, out, err = command("check", "run.h5")
    assert code == 1 and "is not an HDF5 file" in err


def test_a_column_of_rows_that_were_never_written_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    shutil.copy(GOLDEN / "format-1.h5", path)
    with h5py.File(path, "r+") as file:
        for column in ("created", "arrived", "stamp", "source", "destination", "kind", "sequence", "size", "fate"):
            file[f"packets/{column}"].resize(10**9, axis=0)
        names = file["committed"].attrs["tables"].astype(str).tolist()
        file["committed"][names.index("packets")] = 10**9
    with pytest.raises(RecordingError, match="fewer rows than the 1000000000 committed"):
        Recording(path)


def test_a_pipe_behind_a_link_is_not_waited_for(tmp_path):
    path = tmp_path / "run.h5"
    os.mkfifo(tmp_path / "pipe")
    for name in ("scenario", "inputs", "paths", "packets/uplink_queued", "checks"):
        shutil.copy(GOLDEN / "format-2.h5", path)
        with h5py.File(path, "r+") as file:
            if name in file:
                del file[name]
            file[name] = h5py.ExternalLink(str(tmp_path / "pipe"), "/x")
        with pytest.raises(RecordingError, match="points into another place"):
            Recording(path)


def test_a_robot_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    shutil.copy(GOLDEN / "format-1.h5", path)
    with h5py.File(path, "r+") as file:
        file["packets/source"][:] = 77
    with Recording(path) as run, pytest.raises(RecordingError, match="a robot that isn't there"):
        list(run.frames())


def test_more_than_fits_is_not_read_at_once(monkeypatch):
    monkeypatch.setattr("twin.recording.columns._LARGEST_READ", 1 << 10)
    with Recording(GOLDEN / "format-2.h5") as run:
        with pytest.raises(RecordingError, match="read it in parts"):
            run["state/position"][:]
        assert np.isfinite(run["state/position"][:10]).all()
