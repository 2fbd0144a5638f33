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


def test_title_verdict_and_keys_stand_beside_the_map(second):
    """What is written in the figure, read from the figure itself: a video holds only pixels."""
    from twin.analysis.tracks import sites, tracks
    from twin.viewer.video import _Film

    film = _Film(tracks(second), sites(second), second["state/time"][:] / 1e9, None)
    film.entitle(second)
    texts = [text.get_text() for text in film._figure.texts]
    assert any("network fixed" in text for text in texts) and "no requirements" in " ".join(texts)
    legend = [text.get_text() for text in film._map.get_legend().get_texts()]
    assert legend == ["robot", "on failsafe", "base station"]
    assert film._longest[-1] == pytest.approx(40.0), "20 ms each way"
