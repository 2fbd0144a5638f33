"""A video holds the whole run, in real time."""

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra `video` is not installed")

import av

from twin.errors import TwinError
from twin.viewer.video import SIZE, write_video


def test_a_second_at_25_pictures_a_second_has_26_that_are_not_the_same(second, tmp_path):
    write_video(second, None, tmp_path / "run.mp4")
    with pytest.raises(TwinError, match="--force"):
        write_video(second, None, tmp_path / "run.mp4")
    with pytest.raises(TwinError, match="can't be written"):
        write_video(second, None, tmp_path / "run.h5/run.mp4")
    with av.open(str(tmp_path / "run.mp4")) as film:
        stream = film.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        assert (stream.width, stream.height) == SIZE and stream.average_rate == 25
    assert len(pictures) == 26, "both ends"
    assert not np.array_equal(pictures[0], pictures[-1])
