"""The clock of a replay."""

import pytest

from twin.viewer.player import Player


def test_a_second_at_double_speed_is_two():
    player = Player(10.0, 50)
    assert not player.advance(1.0), "it starts paused"
    player.toggle()
    player.speed = 2.0
    assert player.advance(1.0) and player.time == 2.0


def test_at_the_end_it_pauses_and_plays_again_from_the_start():
    player = Player(1.0, 50)
    player.toggle()
    player.advance(3.0)
    assert (player.time, player.playing) == (1.0, False)
    player.toggle()
    assert (player.time, player.playing) == (0.0, True)


def test_a_loop_loses_no_time():
    player = Player(4.0, 50)
    player.loop = True
    player.toggle()
    for _ in range(9):
        player.advance(1.0)
    assert player.time == pytest.approx(1.0) and player.playing


def test_a_step_is_one_recorded_frame_and_pauses():
    player = Player(1.0, 50)
    player.toggle()
    player.seek(0.505)
    player.step(1)
    assert player.time == pytest.approx(0.52) and not player.playing, "frame 25 or 26, then the next"
    player.step(-1000)
    assert player.time == 0.0
    player.step(1000)
    assert player.time == 1.0


def test_live_it_runs_after_an_end_that_moves_on_until_someone_goes_elsewhere():
    player = Player(1.0, 50)
    player.live = True
    for second in range(2, 8):
        player.duration = float(second)
        assert player.advance(1.0) and player.time == second, "a second behind, it goes as fast as the run"
    assert not player.advance(1.0), "there is nothing new"
    player.duration = 17.0
    player.advance(0.1)
    assert player.time == 8.0, "ten seconds behind, ten times as fast"
    player.step(-1)
    assert not player.live and not player.playing and player.time == 7.98


def test_speeds_go_up_and_down_to_their_ends():
    player = Player(1.0, 50)
    player.faster(1)
    assert player.speed == 2.0
    player.faster(-9)
    assert player.speed == 0.0005


@pytest.mark.parametrize(("asked", "found"), [(-1.0, 0.0), (0.4, 0.4), (7.0, 1.0)])
def test_a_seek_stays_within_the_run(asked, found):
    player = Player(1.0, 50)
    player.seek(asked)
    assert player.time == found


def test_a_run_of_one_instant_never_moves():
    player = Player(0.0, 50)
    player.toggle()
    assert not player.advance(1.0)
