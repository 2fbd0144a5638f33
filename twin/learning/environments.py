"""Gymnasium and PettingZoo environments over any scenario, latency included.

A step goes from one decision to the next. What a policy sees is what its controller would see: at the edge, the
newest telemetry that has arrived. What it answers travels back through the same network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import PluginError, ScenarioError
from twin.extras import install
from twin.learning.episodes import Episodes
from twin.learning.rewards import Reward, Termination
from twin.learning.session import Decision
from twin.protocols import RobotSpec
from twin.state import F64, Observation

try:
    import gymnasium
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise PluginError(f"learning environments need an extra: {error}: {install('learn')}") from error

Info = dict[str, Any]


class TwinEnv(gymnasium.Env[F64, NDArray[np.float32]]):
    """One robot of a scenario; the others fly by the controllers that the scenario gives them.

    A step ends where the robot's controller would decide next: each time telemetry arrives, or, with
    `trigger` [Hz], at the beats of a timer at the edge. Actions in [-1, 1] span the limits of the command;
    `limits` gives them where robot.toml has none. `reward` and `termination` are names of
    twin.learning.rewards or functions of a `Situation`. With `recording`, each episode is written there,
    over the one before.

    Raises:
        ScenarioError: the scenario is wrong, or its group `robot` isn't exactly one robot with a body.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        scenario: str | Path,
        robot: str | None = None,
        *,
        overrides: Sequence[str] = (),
        trigger: int | None = None,
        reward: str | Reward = "tracking",
        termination: str | Termination = "away",
        limits: Mapping[str, tuple[float, float]] | None = None,
        recording: Path | str | None = None,
    ) -> None:
        self.episodes = Episodes(scenario, robot, overrides, trigger, reward, termination, limits or {}, recording)
        if len(self.episodes.specs) != 1:
            message = f"found {len(self.episodes.specs)} robots; allowed: one (TwinParallelEnv takes many)"
            raise ScenarioError(message, key=f"robots.{self.episodes.group}.count")
        self.observation_space = self.episodes.coding.observation_space()
        self.action_space = self.episodes.coding.action_space()
        self._decision: Decision | None = None

    @property
    def parts(self) -> Mapping[str, slice]:
        """Where each field stands in an observation."""
        return self.episodes.coding.parts

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F64, Info]:
        """Begin a run; return the first observation."""
        super().reset(seed=seed)
        self.episodes.restart(int(self.np_random.integers(2**63)))
        decision = self.episodes.session.next()
        while decision is not None and decision.observations[0].sensed is None:
            decision = self.episodes.answer(decision, {})
        if decision is None:
            raise ScenarioError("no telemetry arrives before the scenario ends")
        self._decision = decision
        return self._seen(decision)

    def step(self, action: NDArray[np.float32]) -> tuple[F64, float, bool, bool, Info]:
        """Answer, and go on to the next decision.

        Raises:
            ScenarioError: the episode is over, or the action isn't one.
        """
        before = self._decision
        if before is None:
            raise ScenarioError("the episode is over: call reset")
        after = self.episodes.answer(before, {before.specs[0].name: action})
        truncated = after is None
        after = after or self.episodes.ending(before)
        situation = self.episodes.situation(after.specs[0], after.observations[0], after)
        terminated = bool(self.episodes.termination(situation))
        self._decision = None if terminated or truncated else after
        observation, info = self._seen(after)
        return observation, float(self.episodes.reward(situation)), terminated, truncated, info

    def close(self) -> None:
        """End the run."""
        self.episodes.session.close()

    def _seen(self, decision: Decision) -> tuple[F64, Info]:
        spec, observation = decision.specs[0], decision.observations[0]
        return self.episodes.coding.encode(spec, observation), _info(observation)


class TwinParallelEnv(ParallelEnv[str, F64, NDArray[np.float32]]):
    """All robots of one group; they decide together, at the beats of a timer at the edge.

    `trigger` [Hz] is the rate of the beats. Where compute times make the edge serve them one after another,
    a step ends with the first ones served; the others keep their command and their last observation. The rest
    is as in `TwinEnv`.

    Raises:
        ScenarioError: the scenario is wrong, or its group has no body or isn't there.
    """

    metadata: dict[str, Any] = {"render_modes": [], "name": "twin"}
    render_mode = None

    def __init__(
        self,
        scenario: str | Path,
        group: str | None = None,
        *,
        overrides: Sequence[str] = (),
        trigger: int = 50,
        reward: str | Reward = "tracking",
        termination: str | Termination = "away",
        limits: Mapping[str, tuple[float, float]] | None = None,
        recording: Path | str | None = None,
    ) -> None:
        self.episodes = Episodes(scenario, group, overrides, trigger, reward, termination, limits or {}, recording)
        self.possible_agents = [spec.name for spec in self.episodes.specs]
        self.agents: list[str] = []
        coding = self.episodes.coding
        self._observation_spaces = {name: coding.observation_space() for name in self.possible_agents}
        self._action_spaces = {name: coding.action_space() for name in self.possible_agents}
        self._generator = np.random.default_rng()
        self._decision: Decision | None = None
        self._last: dict[str, tuple[RobotSpec, Observation]] = {}

    def observation_space(self, agent: str) -> Any:
        """Return the space of a robot's observations."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return the space of a robot's actions."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, F64], dict[str, Info]]:
        """Begin a run; it goes on without commands until every robot has been heard of."""
        if seed is not None:
            self._generator = np.random.default_rng(seed)
        self.episodes.restart(int(self._generator.integers(2**63)))
        self.agents, self._last = list(self.possible_agents), {}
        decision = self._note(self.episodes.session.next())
        while decision is not None and len(self._last) < len(self.agents):
            decision = self._note(self.episodes.answer(decision, {}))
        if decision is None:
            raise ScenarioError("not all robots are heard of before the scenario ends")
        self._decision = decision
        return self._seen()

    def step(
        self, actions: dict[str, NDArray[np.float32]]
    ) -> tuple[dict[str, F64], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Info]]:
        """Answer for all robots, and go on to the next decision.

        Raises:
            ScenarioError: the episode is over, or an action isn't one.
        """
        before = self._decision
        if before is None:
            raise ScenarioError("the episode is over: call reset")
        after = self._note(self.episodes.answer(before, {name: actions[name] for name in self.agents}))
        over = after is None
        after = after or self.episodes.ending(before)
        situations = {name: self.episodes.situation(*self._last[name], after) for name in self.agents}
        rewards = {name: float(self.episodes.reward(now)) for name, now in situations.items()}
        ended = {name: bool(self.episodes.termination(now)) for name, now in situations.items()}
        observations, infos = self._seen()
        truncations = dict.fromkeys(self.agents, over)
        self.agents = [name for name in self.agents if not (ended[name] or over)]
        self._decision = after if self.agents else None
        return observations, rewards, ended, truncations, infos

    def close(self) -> None:
        """End the run."""
        self.episodes.session.close()

    def _note(self, decision: Decision | None) -> Decision | None:
        if decision is not None:
            for spec, observation in zip(decision.specs, decision.observations, strict=True):
                if observation.sensed is not None:
                    self._last[spec.name] = (spec, observation)
        return decision

    def _seen(self) -> tuple[dict[str, F64], dict[str, Info]]:
        encode = self.episodes.coding.encode
        observations = {name: encode(*self._last[name]) for name in self.agents}
        return observations, {name: _info(self._last[name][1]) for name in self.agents}


def _info(observation: Observation) -> Info:
    """Return when the decision is made, and of when the newest sample is [ns]."""
    return {"time": observation.time, "sampled": -1 if observation.sensed is None else observation.sensed.time}
