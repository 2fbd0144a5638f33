"""Files that are no good recordings are refused with a reason, quickly and without eating the memory."""

import os
import tracemalloc

import h5py
import numpy as np
import pytest

from twin.clock import NS
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.recording.schema import VERSION, Header, Layout
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet

ROWS = 101


def frame_at(tick):
    now = tick * NS // 100
    three, none = np.random.default_rng(tick).normal(size=(2, 3)), np.zeros(0)
    return Frame(
        now,
        BodyState(three, np.ones((2, 4)), three, three, none, none, np.zeros(3, np.int64)),
        LinkState(now, np.zeros(1, np.int32), np.ones(1, np.int32), np.zeros(1), np.ones(1, bool),
                  np.zeros(2, np.int64), none + 0j, none, none, np.zeros((0, 3)), np.zeros((0, 3))),
        {"patrol": three},
        ["nominal", "hover"],
        [Packet(0, 1, "telemetry", tick, 100, now, now, None, now, "delivered")],
        [Event(now, "contact", "a")],
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run.h5"
    robots = [Node("a", "patrol", "drone", 0), Node("b", "patrol", "drone", 1)]
    layout = Layout.of(frame_at(0))
    with Writer(path, Header(layout, robots, "schema = 1\n", NS, 1, 100, 100, 100)) as writer:
        for tick in range(ROWS):
            writer.write(frame_at(tick))
        writer.finish({}, complete=True)
    return path


def read_all(path):
    with Recording(path) as recording:
        frames = sum(1 for _ in recording.frames())
        return frames, len(recording.packets()), len(recording.events()), len(recording.logs())


def refused(path, match):
    tracemalloc.start()
    with pytest.raises(RecordingError, match=match) as caught:
        read_all(path)
    assert tracemalloc.get_traced_memory()[1] < 300 << 20
    tracemalloc.stop()
    assert str(path) in str(caught.value)


def test_a_good_one_is_read(run):
    assert read_all(run) == (ROWS, ROWS, ROWS, 0)


def test_no_file_no_hdf5_and_nothing_in_it(tmp_path):
    refused(tmp_path / "none.h5", "No such file")
    refused(tmp_path, "Is a directory|can't be read")
    (tmp_path / "text.h5").write_text("position, velocity\n")
    refused(tmp_path / "text.h5", "is not an HDF5 file")
    (tmp_path / "empty.h5").write_text("")
    refused(tmp_path / "empty.h5", "killed at its start; it is safe to delete")
    (tmp_path / "reserved.h5").write_bytes(bytes(1 << 20))
    refused(tmp_path / "reserved.h5", "killed at its start; it is safe to delete")
    os.mkfifo(tmp_path / "pipe.h5")
    refused(tmp_path / "pipe.h5", "is not a file")


@pytest.mark.parametrize("libver", [None, ("v110", "v110")])
def test_a_foreign_hdf5(tmp_path, libver):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["state/position"] = np.zeros(3)
    refused(path, "not a recording|can't be read")


@pytest.mark.parametrize("part", np.linspace(0.01, 0.99, 15).round(2))
def test_cut_off_anywhere(run, part):
    data = run.read_bytes()
    run.write_bytes(data[: int(len(data) * part)])
    refused(run, "cut off|is not an HDF5 file|can't be read")


def test_a_later_version(run):
    with h5py.File(run, "r+") as file:
        file.attrs["version"] = VERSION + 1
    refused(run, rf"format version {VERSION + 1}; this version of twin reads 1 to {VERSION}")


def replace(**how):
    def action(file, name):
        del file[name]
        file.create_dataset(name, **how)

    return action


HUGE = 1 << 40


def fill(value, rows=slice(None)):
    return lambda file, name: file[name].__setitem__(rows, value)


MISTAKES = {
    "more rows than there are": ("committed", fill(HUGE), "damaged"),
    "negative rows": ("committed", fill(-1), "damaged"),
    "a column is missing": ("state/velocity", lambda f, n: f.move(n, "x"), "damaged"),
    "a column is of another shape": ("state/velocity", replace(shape=(ROWS, 9), dtype="<f8"), "can't be"),
    "a column is of another type": ("state/time", replace(shape=(ROWS,), dtype="<f8"), "can't be"),
    "bodies that no memory holds": (
        "joint_offset", replace(shape=(HUGE,), dtype="<i8", chunks=(1024,)), "over the .* allowed"),
    "a scenario that no memory holds": (
        "scenario", replace(shape=(HUGE,), dtype="u1", chunks=(1024,)), "over the .* allowed"),
    "ends that go back": ("state/end/packets", fill(np.arange(ROWS)[::-1]), "damaged"),
    "ends beyond the table": ("state/end/events", fill(HUGE, 50), "damaged"),
    "a text that isn't there": ("packets/fate", fill(2**32 - 1, 50), "damaged"),
    "texts that end nowhere": ("strings/end", fill(HUGE, 0), "damaged"),
    "texts that are no texts": ("text/utf8", fill(0xFF), "damaged"),
    "a result that is no JSON": ("result/utf8", fill(0, 0), "damaged"),
    "tables of another order": (
        "committed", lambda f, n: f[n].attrs.__setitem__("tables", f[n].attrs["tables"][::-1]), "tables"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_damaged_or_hostile(run, mistake):
    name, action, match = MISTAKES[mistake]
    with h5py.File(run, "r+") as file:
        action(file, name)
    refused(run, match)


def test_a_recording_can_not_show_another_file(run, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w", libver="v110") as file:
        file["scenario"] = b"secret"
    with h5py.File(run, "r+") as file:
        del file["scenario"]
        file["scenario"] = h5py.ExternalLink(tmp_path / "secret.h5", "scenario")
    refused(run, "points into another place")


def test_a_wrong_byte_in_stored_rows_is_found(run):
    with h5py.File(run, "r") as file:
        chunk = file["state/position"].id.get_chunk_info(0)
    data = bytearray(run.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 1
    run.write_bytes(data)
    refused(run, "state/position is damaged")
