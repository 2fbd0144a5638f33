"""What reads a whole recording holds a part of it at a time: files may be larger than memory."""

import tracemalloc

import numpy as np
import pytest

from twin.analysis.diff import compare
from twin.clock import NS
from twin.recording.named_tables import blocks
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
from twin.state import BodyState, Frame, LinkState, Node

BODIES, FRAMES = 1000, 1200
SIZE = BODIES * FRAMES * 8 * (3 + 4 + 3 + 3)
LIMIT = SIZE // 3


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A hundred megabytes and more, of values that compress well."""
    path, rows, none = tmp_path_factory.mktemp("large") / "run.h5", np.ones((BODIES, 3)), np.zeros(0)
    bodies = BodyState(rows, np.ones((BODIES, 4)), rows, rows, none, none, np.zeros(BODIES + 1, np.int64))
    empty = np.zeros(0, np.int32)
    links = LinkState(0, empty, empty, none, none > 0, np.zeros(1, np.int64), none + 0j, none, none,
                      np.zeros((0, 3)), np.zeros((0, 3)))  # fmt: skip
    frame = Frame(0, bodies, links, {}, ["nominal"] * BODIES)
    robots = [Node(f"robot{i}", "all", "mass", i) for i in range(BODIES)]
    with Writer(path, Header(Layout.of(frame), robots, "[robots.all]\n", NS, 1, 100, 100, 100)) as writer:
        for tick in range(FRAMES):
            writer.write(Frame(tick * NS // 100, bodies, links, {}, frame.modes))
        writer.finish({}, complete=True)
    return path


def all_frames(recording):
    assert sum(1 for _ in recording.frames()) == FRAMES


def with_itself(recording):
    assert compare(recording, recording).same


def exported(recording):
    assert sum(len(block["x_m"]) for block in blocks(recording, "state")) == BODIES * FRAMES


@pytest.mark.parametrize("read", [all_frames, with_itself, exported])
def test_no_more_than_a_third_of_the_file_is_in_memory_at_once(large, read):
    with Recording(large) as recording:
        tracemalloc.start()
        try:
            read(recording)
            assert tracemalloc.get_traced_memory()[1] < LIMIT
        finally:
            tracemalloc.stop()
