"""The same flight by deep learning: PPO of stable-baselines3, which twin does not install along.

    python examples/learning/ppo.py --steps 100000

It shows how an environment of twin goes into such a library. A policy of this kind needs some 100,000 steps before it
is worth anything; train.py learns four gains in a hundred episodes.
"""

import argparse
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO

from twin.learning.environments import TwinEnv

SCENARIO = Path(__file__).parent / "route.toml"


def mean_reward(env, model, seed):
    """Return the mean reward of one episode that the policy flies without exploring."""
    observation, _ = env.reset(seed=seed)
    rewards, over = [], False
    while not over:
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, _ = env.step(action)
        rewards.append(reward)
        over = terminated or truncated
    return np.mean(rewards), len(rewards)


def main():
    """Learn, and say what one more episode is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    arguments = parser.parse_args()
    env = TwinEnv(SCENARIO, "pupil", trigger=50)
    model = PPO("MlpPolicy", env, n_steps=128, batch_size=64, seed=1).learn(arguments.steps)
    reward, steps = mean_reward(env, model, seed=101)
    print(f"after {arguments.steps} steps: {reward:.3f} m mean reward over {steps} steps")
    env.close()


if __name__ == "__main__":
    main()
