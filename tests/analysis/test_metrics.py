"""The figures of a run are those of its recording, to the last bit."""

import pytest

from twin.analysis.metrics import Metrics
from twin.clock import NS
from twin.errors import RunError
from twin.recording.reader import Recording
from twin.runs.run import run
from twin.specs.scenario import load_scenario


def ends_early(frames, time):
    for frame in frames:
        if frame.time > time:
            raise RunError("enough")
        yield frame


@pytest.mark.parametrize(("duration", "last"), [("1 s", 1.0), ("0.333 s", 0.333), ("1 s", 0.447)])
def test_also_where_the_end_is_no_multiple_of_the_record_period(stage, tmp_path, duration, last):
    changes = ("network.kind=fixed", "network.delay=7 ms", "network.loss=0.1", f"duration={duration}")
    built, fresh = stage("height", *changes), stage("height", *changes)
    scenario, _ = load_scenario(built.world.folder / "scenarios/height.toml", changes)
    frames = built.twin.frames(scenario.duration)
    built.twin.frames = lambda until: ends_early(frames, round(last * NS))
    outcome = run(built, scenario, tmp_path / "run.h5")
    again = Metrics(fresh.nodes, fresh.tasks, scenario.network.delay_budget)
    with Recording(tmp_path / "run.h5") as recording:
        for frame in recording.frames():
            again.take(frame)
        assert recording.duration == frame.time == round(last * NS) and len(frame.packets) > 0
        assert recording.rows["packets"] == sum(len(frame.packets) for frame in recording.frames())
    assert again.summary().items() <= outcome.summary.items()
    fresh.close()
