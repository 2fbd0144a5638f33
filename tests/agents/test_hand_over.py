"""Two arms hand a part over on the way; a taker that comes too late leaves it with the giver."""

import numpy as np
import pytest

from twin.analysis.metrics import Metrics
from twin.clock import NS
from twin.errors import ScenarioError

SCENARIO = "worlds/factory/scenarios/hand-over.toml"
ONE = ("network.kind=ideal", "channel.kind=freespace",
       "robots.parts.count=1", "robots.parts.positions=[[23.35, 7.6, 0.83]]",
       "robots.pair.parameters.pick=[[0.45, 0.0, 0.06]]", "robots.pair.parameters.put=[[0.45, 0.0, 0.12]]",
       "robots.pair.parameters.turning='3 rad/s'")  # fmt: skip


@pytest.fixture
def handed(stage):
    def run(seconds, *overrides):
        built = stage(SCENARIO, *ONE, *overrides)
        metrics, frames = Metrics(built.nodes, built.tasks, 0), []
        for frame in built.twin.frames(round(seconds * NS)):
            metrics.take(frame)
            frames.append(frame)
        built.close()
        grips = [(e.kind, e.robot) for f in frames for e in f.events if e.detail == "parts"]
        return metrics.summary(), grips, frames

    return run


def test_a_part_goes_from_hand_to_hand_and_is_put_down(handed):
    found, grips, frames = handed(5.0)
    assert grips == [("gripped", "pair-0"), ("gripped", "pair-1"), ("released", "pair-0"), ("released", "pair-1")]
    assert (found["handed_over"], found["dropped"]) == (1, 0)
    assert 0 < found["handover_time"] < 0.1, "what two ends of a control period at the edge and on board take"
    height = np.array([frame.bodies.position[-1, 2] for frame in frames])
    assert height.max() > 1.2 and height[-1] == pytest.approx(0.83, abs=0.005), "through the air, then on the table"


def test_a_giver_whose_part_nobody_takes_puts_it_down_again(handed):
    found, grips, _ = handed(5.0, "robots.pair.parameters.align='9 s'")
    assert grips == [("gripped", "pair-0"), ("released", "pair-0")]
    assert (found["handed_over"], found["dropped"], found["completion_time"]) == (0, 0, None)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("robots.pair.parameters.put=[[1.5, 0.0, 0.12]]", "pair-1 can't get to (1.5, 0, 0.12) m"),
        ("robots.pair.spec.sensors=[{kind='joints'}, {kind='vacuum'}, {kind='vacuum'}]", "reads 'vacuum'"),
        ("robots.parts.spec.sensors=[{kind='vacuum'}]", "no suction cup"),
        ("robots.pair.spec.body.parameters.payload={mass='-1 kg', place=[0, 0, 0]}", "payload"),
    ],
)
def test_what_does_not_fit_is_refused(stage, override, says):
    with pytest.raises(ScenarioError) as refused:
        stage(SCENARIO, *ONE, override)
    assert says in str(refused.value)
