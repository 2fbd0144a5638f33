"""Service times: drawn as stated, per robot; measured ones need real time and play back bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import expon, kstest, norm, uniform

from twin.clock import NS
from twin.errors import ScenarioError, TwinError
from twin.recording.reader import Recording
from twin.robots.service import Drawn
from twin.specs import ExponentialTime, NormalTime, UniformTime

MS = 1_000_000
SCENARIO = Path(__file__).resolve().parents[2] / "tests/project/worlds/void/scenarios/height.toml"


def service_times(built, robot, seconds):
    """Return the compute times [ns] of each answered sample of a robot on an ideal network."""
    node = next(i for i, n in enumerate(built.nodes) if n.name == robot)
    packets = [p for frame in built.twin.frames(round(seconds * NS)) for p in frame.packets]
    return [p.created - p.stamp for p in packets if p.kind == "command" and p.destination == node]


@pytest.mark.parametrize(
    ("spec", "law"),
    [
        (UniformTime(kind="uniform", least="1 ms", most="3 ms"), uniform(1 * MS, 2 * MS)),
        (NormalTime(kind="normal", mean="5 ms", deviation="0.5 ms"), norm(5 * MS, MS / 2)),
        (ExponentialTime(kind="exponential", mean="2 ms", least="1 ms"), expon(1 * MS, 2 * MS)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_draws_follow_the_law_that_is_stated(spec, law):
    draws = np.array([Drawn(spec, seed=3, robot="scout").draw(run) for run in range(4000)])
    # 1e-3: the draws are fixed by the seed, so this passes always or never.
    assert kstest(draws, law.cdf).pvalue > 1e-3
    assert draws.min() >= spec.least


def test_a_normal_time_is_cut_at_the_least():
    spec = NormalTime(kind="normal", mean="1 ms", deviation="1 ms", least="0.5 ms")
    draws = [Drawn(spec, seed=1, robot="scout").draw(run) for run in range(1000)]
    assert min(draws) == MS // 2
    assert draws.count(MS // 2) == pytest.approx(1000 * norm.cdf(-0.5), abs=4 * np.sqrt(1000 * 0.31 * 0.69))


def test_the_edge_takes_the_drawn_times_and_another_robot_changes_none(stage):
    drawn = 'robots.ball.service_time={kind="uniform", least="1 ms", most="2 ms"}'
    two = stage("height", drawn)
    three = stage("height", drawn, "robots.ball.count=3", "robots.ball.positions=[[0,0,501],[2,0,501],[4,0,501]]")
    spec = UniformTime(kind="uniform", least="1 ms", most="2 ms")
    expected = [Drawn(spec, seed=1, robot="ball-1").draw(run) for run in range(20)]
    assert service_times(two, "ball-1", 0.1)[:20] == expected
    assert service_times(three, "ball-1", 0.1)[:20] == expected


def test_the_network_runs_ahead_by_the_least_only(stage):
    assert stage("height", 'robots.ball.service_time={kind="normal", mean="2 ms", deviation="1 ms", least="0.3 ms"}'
                 ).twin.network.lookahead == 300_000  # fmt: skip
    assert stage("height", 'robots.ball.service_time={kind="exponential", mean="2 ms"}').twin.network.lookahead == 0


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ('"soon"', "a time in s, ms"),
        ('"-1 ms"', "at least 0"),
        ('{kind="uniform", least="3 ms", most="2 ms"}', "`most` is less than `least`"),
        ('{kind="gamma", mean="2 ms"}', "exponential"),
        ('"measured"', "--real-time"),
        ('{kind="recorded", recording="none.h5"}', "none.h5"),
    ],
)
def test_what_cannot_be_is_refused(stage, value, part):
    with pytest.raises(TwinError) as error:
        stage("height", f"robots.ball.service_time={value}")
    assert part in str(error.value)


def test_measured_times_play_back_bit_for_bit(command):
    # Ten decisions a second: where the machine stalls for less than 0.1 s each sample still gets its own.
    common = (SCENARIO, "--duration", "3 s", "--set", "robots.ball.count=1", "--set",
              "robots.ball.positions=[[0,0,501]]", "--set", "robots.ball.control=10 Hz", "-q")  # fmt: skip
    measured = "robots.ball.service_time=measured"
    code, _, err = command("run", *common, "--set", measured, "--real-time", "--speed", "20", "-o", "live.h5")
    assert code == 0, err
    played = 'robots.ball.service_time={kind="recorded", recording="live.h5"}'
    code, _, err = command("run", *common, "--set", played, "-o", "again.h5")
    assert code == 0, err
    with Recording("live.h5") as live, Recording("again.h5") as again:
        took = live.logs()
        took = took["value"][took["name"] == "compute_ns"]
        assert len(took) > 20 and (took > 0).all()
        for name in ("state/position", "state/velocity", "packets/created", "packets/arrived"):
            assert np.array_equal(live[name][:], again[name][:]), name
        packets = live.packets()
        down = packets[packets["kind"] == "command"]
        leaves, expected = 0, []  # one server: an answer leaves its service time after it, or the one before it, began
        for stamp, time in zip(down["stamp"], took, strict=False):
            leaves = max(leaves, int(stamp)) + int(time)
            expected.append(leaves)
        assert [int(t) for t in down["created"]] == expected
    code, _, err = command("run", *common, "--set", played, "--duration", "4 s", "-o", "longer.h5")
    assert code == 3 and "service times were recorded" in err


def test_a_recording_without_measured_times_is_refused(command, stage):
    with pytest.raises(ScenarioError, match="no measured service times of ball-0"):
        command("run", SCENARIO, "--duration", "0.1 s", "-o", "a.h5", "-q")
        stage("height", 'robots.ball.service_time={kind="recorded", recording="a.h5"}')
