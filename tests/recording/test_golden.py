"""Recordings of every version of the format are read by this version of twin, to the last bit."""

import runpy
from dataclasses import fields
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.recover import recover
from twin.recording.schema import VERSION

GOLDEN = Path(__file__).resolve().parents[2] / "recordings/golden"
MAKE = runpy.run_path(str(GOLDEN / "make.py"))
VERSIONS = range(1, VERSION + 1)


def equal(found, expected):
    """Tell whether two values from frames are the same bits."""
    if hasattr(expected, "__dataclass_fields__"):
        return all(equal(getattr(found, f.name), getattr(expected, f.name)) for f in fields(expected))
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(equal(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(equal, found, expected))
    if isinstance(expected, np.ndarray):
        return found.shape == expected.shape and found.tobytes() == expected.astype(found.dtype).tobytes()
    return found == expected


def test_there_is_one_for_every_version():
    assert {path.name for path in GOLDEN.glob("*.h5")} == {
        name for version in VERSIONS for name in (f"format-{version}.h5", f"format-{version}-killed.h5")
    }
    assert all(path.stat().st_size < 200_000 for path in GOLDEN.glob("*.h5"))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_frame_is_as_it_was_written(version):
    with Recording(GOLDEN / f"format-{version}.h5") as run:
        frames = list(run.frames())
        assert len(frames) == MAKE["TICKS"] and run.complete and run.summary == MAKE["SUMMARY"]
        for tick, frame in enumerate(frames):
            expected = MAKE["frame_at"](tick)
            for field in fields(expected):
                value = getattr(frame, field.name)
                value = list(value) if field.name in ("modes", "logs", "packets", "events") else value
                assert equal(value, getattr(expected, field.name)), (tick, field.name)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_header_is_as_it_was_written(version):
    with Recording(GOLDEN / f"format-{version}.h5") as run:
        expected = MAKE["header"]()
        for field in fields(expected):
            found, said = getattr(run.header, field.name), getattr(expected, field.name)
            if field.name in ("robots", "radios"):
                found, said = list(found), list(said)
            if field.name == "command_fields":
                said = {"arm": tuple(said["arm"]), "übung": ()}
            assert equal(found, said), field.name


@pytest.mark.parametrize("version", VERSIONS)
def test_a_killed_run_is_read_and_recovered(version, tmp_path):
    killed = GOLDEN / f"format-{version}-killed.h5"
    with Recording(killed) as run:
        assert not run.finished and run.reason == "the run was killed"
        assert run.rows["state"] == 40 and run.duration == 39 * NS // MAKE["RATE"]
        assert equal(list(run.frames())[-1].bodies, MAKE["frame_at"](39).bodies)
    assert recover(killed, tmp_path / "clean.h5").rows["state"] == 40


def test_this_version_still_writes_its_format(tmp_path):
    """Whatever changes a dataset or an attribute is a new version of the format, with a golden file of its own."""
    MAKE["write"](tmp_path)
    assert contents(tmp_path / f"format-{VERSION}.h5") == contents(GOLDEN / f"format-{VERSION}.h5")


def contents(path):
    """Return type, shape, attributes and bytes of everything in an HDF5 file."""
    found = {}

    def take(name, thing):
        found[name] = {key: np.asarray(value).tobytes() for key, value in thing.attrs.items()}
        if isinstance(thing, h5py.Dataset):
            found[name] |= {"": (thing.shape, str(thing.dtype), thing[()].tobytes())}

    with h5py.File(path) as file:
        take("/", file)
        file.visititems(take)
    return found
