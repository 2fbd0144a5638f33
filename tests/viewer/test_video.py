"""A video holds the whole run, in real time."""

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra `video` is not installed")

import av

from twin.errors import TwinError
from twin.recording.reader import Recording
from twin.run import run
from twin.scenario import load_scenario
from twin.viewer.video import SIZE, write_video


def test_a_second_at_25_pictures_a_second_has_26_that_are_not_the_same(stage, tmp_path):
    changes = ("network.kind=fixed", "network.delay=20 ms", "duration=1 s", "robots.ball.kind=mass")
    built = stage("height", *changes)
    scenario, _ = load_scenario(built.world.folder / "scenarios/height.toml", changes)
    run(built, scenario, tmp_path / "run.h5")
    with Recording(tmp_path / "run.h5") as recording:
        write_video(recording, None, tmp_path / "run.mp4")
        with pytest.raises(TwinError, match="--force"):
            write_video(recording, None, tmp_path / "run.mp4")
        with pytest.raises(TwinError, match="can't be written"):
            write_video(recording, None, tmp_path / "run.h5/run.mp4")
    with av.open(str(tmp_path / "run.mp4")) as film:
        stream = film.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        assert (stream.width, stream.height) == SIZE and stream.average_rate == 25
    assert len(pictures) == 26, "both ends"
    assert not np.array_equal(pictures[0], pictures[-1])
