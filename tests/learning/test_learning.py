"""Learning environments: the interfaces' own checks, seeds over 500 steps, and the recorded packets' latency."""

import threading
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from twin.errors import RunError, ScenarioError
from twin.learning.environments import TwinEnv, TwinParallelEnv
from twin.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[2]
HOVER = """
schema = 1
world = "{world}/"
duration = "12 s"
[rates]
physics = "200 Hz"
channel = "50 Hz"
[network]
kind = "fixed"
delay = "20 ms"
jitter = {{ kind = "uniform", scale = "30 ms" }}
loss = 0.1
[robots.pupil]
kind = "drone"
count = {count}
[robots.pupil.task]
kind = "hover"
points = {points}
[robots.edge]
kind = "edge"
"""


@pytest.fixture
def scenario(tmp_path):
    def make(count=1):
        path = tmp_path / f"hover{count}.toml"
        points = [[4.0 * i, 0.0, 520.0] for i in range(count)]
        path.write_text(HOVER.format(world=ROOT / "tests/project/worlds/void", count=count, points=points))
        return path

    return make


def steady(env, observation):
    """Return a gentle action back to the reference."""
    wanted = 2.0 * observation[env.parts["error"]] + 2.0 * observation[env.parts["velocity_error"]]
    return np.append(wanted / 15.0, 0.0).clip(-1, 1).astype(np.float32)


def test_gymnasiums_own_check(scenario):
    env = TwinEnv(scenario(), "pupil", overrides=["duration=1 s"])
    check_env(env, skip_render_check=True)
    env.close()


def test_pettingzoos_own_check(scenario):
    env = TwinParallelEnv(scenario(3), "pupil", overrides=["duration=1 s"])
    parallel_api_test(env, num_cycles=80)
    env.close()


def walk(env, seed, steps):
    out, actions = [], np.random.default_rng(9)
    observation, info = env.reset(seed=seed)
    out.append((observation.tobytes(), info["time"]))
    for _ in range(steps):
        action = steady(env, observation) + 0.1 * actions.standard_normal(4).astype(np.float32)
        observation, reward, terminated, truncated, info = env.step(action.clip(-1, 1).astype(np.float32))
        assert not (terminated or truncated)
        out.append((observation.tobytes(), reward, info["time"]))
    return out


def test_the_same_seed_gives_the_same_500_steps_and_another_seed_others(scenario):
    one, two = TwinEnv(scenario(), "pupil"), TwinEnv(scenario(), "pupil")
    first = walk(one, 5, 500)
    assert walk(two, 5, 500) == first
    assert walk(one, 5, 500) == first, "also after an episode"
    assert walk(one, 6, 50) != first[:51]
    one.close()
    two.close()


def test_many_robots_with_one_seed_give_the_same_500_steps(scenario):
    def parallel(seed):
        env = TwinParallelEnv(scenario(2), "pupil", termination="never")
        observations, _ = env.reset(seed=seed)
        out = []
        for _ in range(500):
            observations, rewards, *_ = env.step(dict.fromkeys(env.agents, np.zeros(4, np.float32)))
            out.append(({name: o.tobytes() for name, o in observations.items()}, rewards))
        env.close()
        return out

    assert parallel(3) == parallel(3)


def test_the_latency_that_a_policy_sees_is_that_of_the_recorded_packets(scenario, tmp_path):
    env = TwinEnv(scenario(), "pupil", overrides=["duration=3 s"], recording=tmp_path / "run.h5")
    observation, info = env.reset(seed=1)
    seen = [(info["sampled"], info["time"], observation[env.parts["age"]][0])]
    over = False
    while not over:
        observation, _, _, over, info = env.step(steady(env, observation))
        if not over:
            seen.append((info["sampled"], info["time"], observation[env.parts["age"]][0]))
    env.close()
    with Recording(tmp_path / "run.h5") as run:
        packets = run.packets()
    arrived = packets[(packets["kind"] == "telemetry") & (packets["fate"] == "delivered")]
    # a flow is never reordered: late ones arrive together, and the policy is asked once, with the newest
    newest = {packet["arrived"]: packet["stamp"] for packet in np.sort(arrived, order="stamp")}
    assert len(newest) == len(seen) > 100
    for (arrival, stamp), (sampled, time, age) in zip(newest.items(), seen, strict=True):
        assert (stamp, arrival) == (sampled, time)
        assert age == (arrival - stamp) / 1e9
    assert len({sampled for sampled, _, _ in seen}) < 150, "some were lost, and the policy saw that"
    answered = packets[packets["kind"] == "command"]
    assert set(answered["stamp"]) <= {sampled for sampled, _, _ in seen}
    assert set(answered["created"]) <= {time for _, time, _ in seen}


def test_with_a_timer_all_robots_decide_at_its_beats(scenario):
    env = TwinParallelEnv(scenario(2), "pupil", trigger=20)
    _, infos = env.reset(seed=1)
    for _ in range(20):
        before = infos
        _, _, _, _, infos = env.step(dict.fromkeys(env.agents, np.zeros(4, np.float32)))
        assert {info["time"] for info in infos.values()} == {before["pupil-0"]["time"] + 50_000_000}
    env.close()


def test_actions_span_the_limits_of_the_command(scenario):
    env = TwinEnv(scenario(), "pupil", limits={"acceleration": (-5.0, 10.0)})
    coding = env.episodes.coding
    assert coding.command([-1, 0, 1, 1]).tolist() == [-5.0, 2.5, 10.0, np.pi]
    assert coding.command([9, -9, 0, 0]).tolist()[:2] == [10.0, -5.0]
    env.close()


def test_own_reward_and_termination_know_the_truth(scenario):
    seen = []

    def reward(now):
        seen.append(now)
        return float(now.position[2])

    env = TwinEnv(scenario(), "pupil", reward=reward, termination=lambda now: now.position[2] < 519.0)
    env.reset(seed=1)
    down, terminated = np.array([0, 0, -1, 0], np.float32), False
    while not terminated:
        _, value, terminated, truncated, _ = env.step(down)
        assert not truncated and value == seen[-1].position[2]
    assert seen[-1].position[2] < 519.0 and seen[-1].spec.name == "pupil"
    with pytest.raises(ScenarioError, match="call reset"):
        env.step(down)
    env.close()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"robot": "pupli"}, "did you mean 'pupil'"),
        ({"robot": "edge"}, "robots without a body decide nothing"),
        ({"reward": "traking"}, "did you mean 'tracking'"),
        ({"termination": "nver"}, "did you mean 'never'"),
        ({"limits": {"thrust": (0, 1)}}, "no field 'thrust'"),
        ({"overrides": ["network.loss=1"]}, "no telemetry arrives"),
    ],
)
def test_what_cannot_be_is_refused(scenario, arguments, part):
    with pytest.raises(ScenarioError, match=part):
        TwinEnv(scenario(), **{"robot": "pupil", **arguments}).reset()
    with pytest.raises(ScenarioError, match="TwinParallelEnv takes many"):
        TwinEnv(scenario(2), "pupil")


def test_actions_that_are_none_are_refused(scenario):
    env = TwinEnv(scenario(), "pupil")
    env.reset(seed=1)
    for action in ([0.0], [np.nan] * 4):
        with pytest.raises(ScenarioError, match="4 finite numbers"):
            env.step(action)
    env.close()


def test_an_error_of_the_run_reaches_the_caller(scenario):
    env = TwinEnv(scenario(), "pupil")
    env.reset(seed=1)
    env.episodes.session.built.twin.physics.step = broken
    with pytest.raises(RunError, match="the ground is gone"):
        for _ in range(50):
            env.step(np.zeros(4, np.float32))
    env.close()


def broken(commands):
    raise RunError("the ground is gone")


def test_no_thread_outlives_its_environment(scenario):
    before = threading.active_count()
    for _ in range(3):
        env = TwinEnv(scenario(), "pupil")
        env.reset(seed=1)
        env.reset(seed=2)
        env.close()
    assert threading.active_count() == before
