"""Learn one gain over a round trip of 100 ms: how hard may a drone correct, when it sees itself late?"""

from pathlib import Path

import numpy as np

from twin.learning.environments import TwinEnv

env = TwinEnv(Path(__file__).parent / "learning" / "route.toml", "pupil")  # a gymnasium.Env


def fly(gain, steps=100):
    """Return the mean reward, which is minus the distance [m] from the reference; a crash ends it with -20."""
    observation, _ = env.reset(seed=1)
    rewards = []
    for _ in range(steps):
        error, turn = observation[env.parts["error"]], observation[env.parts["velocity_error"]]
        wanted = gain * error + 2.0 * np.sqrt(gain) * turn + observation[env.parts["acceleration"]]
        action = np.append(wanted / 15.0, 0.0).clip(-1.0, 1.0).astype(np.float32)
        observation, reward, terminated, over, _ = env.step(action)
        rewards.append(reward)
        if terminated or over:
            break
    return float(np.mean(rewards)) - 20.0 * terminated


gains = np.geomspace(0.5, 64.0, 5)
rewards = [fly(gain) for gain in gains]
for gain, reward in zip(gains, rewards, strict=True):
    print(f"gain {gain:5.1f} 1/s2: {reward:7.3f} m")
print(f"best: {gains[int(np.argmax(rewards))]:.1f} 1/s2")
env.close()
