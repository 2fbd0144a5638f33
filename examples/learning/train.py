"""Learn to fly over a network with a round trip of 100 ms, by the cross-entropy method: no deep learning needed.

The policy is linear in what the edge knows: four gains, the same for all axes. Each generation tries gains drawn
around the best of the one before (Rubinstein 1999; Mannor, Rubinstein, Gat 2003). ppo.py shows the same flight with
stable-baselines3.
"""

import argparse
from pathlib import Path

import numpy as np

from twin.learning.environments import TwinEnv

SCENARIO = Path(__file__).parent / "route.toml"
UNTRAINED = np.array([0.5, 0.5, 0.0, 0.0])


def act(gains, observation, parts):
    """Return an action: acceleration (3,) over its limit of 15 m/s2, heading east."""
    error, velocity_error = observation[parts["error"]], observation[parts["velocity_error"]]
    age = observation[parts["age"]]  # the state was read that long ago
    ahead = error + gains[3] * age * velocity_error
    wanted = gains[0] * ahead + gains[1] * velocity_error + gains[2] * observation[parts["acceleration"]]
    return np.append(wanted / 15.0, 0.0).clip(-1.0, 1.0).astype(np.float32)


def fly(env, gains, seed=0):
    """Return the mean reward of one episode; what a crash cuts off counts as 20 m from the reference."""
    observation, _ = env.reset(seed=seed)
    rewards, over = [], False
    while not over:
        observation, reward, terminated, over, _ = env.step(act(gains, observation, env.parts))
        rewards.append(reward)
        if terminated:
            return np.mean(rewards) - 20.0
    return np.mean(rewards)


def train(env, generations, population, seed=1, say=print):
    """Return the best gains found, each generation's mean and spread taken from its better third."""
    generator = np.random.default_rng(seed)
    mean, spread = UNTRAINED, np.array([2.0, 2.0, 0.5, 0.5])
    best, best_reward = mean, fly(env, mean)
    for generation in range(generations):
        tried = mean + spread * generator.standard_normal((population, len(mean)))
        rewards = np.array([fly(env, gains) for gains in tried])
        elite = tried[np.argsort(rewards)[-max(2, population // 3) :]]
        mean, spread = elite.mean(axis=0), elite.std(axis=0) + 0.05
        if rewards.max() > best_reward:
            best, best_reward = tried[rewards.argmax()], rewards.max()
        say(f"generation {generation}: best {best_reward:.3f} m, gains {np.round(best, 2)}")
    return best


def main():
    """Train, and compare with the untrained policy on seeds that it has not seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--population", type=int, default=10)
    arguments = parser.parse_args()
    env = TwinEnv(SCENARIO, "pupil")
    trained = train(env, arguments.generations, arguments.population)
    for name, gains in (("untrained", UNTRAINED), ("trained", trained)):
        rewards = [fly(env, gains, seed) for seed in (101, 102)]
        print(f"{name}: {np.mean(rewards):.3f} m mean reward")
    env.close()


if __name__ == "__main__":
    main()
