"""What all learning environments share: runs of a scenario one after another, codes and rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from twin.learning.coding import Coding, coding, reference
from twin.learning.rewards import Reward, Situation, Termination, reward_of, termination_of
from twin.learning.session import Decision, Session
from twin.project.project import find_scenario
from twin.protocols import Course, RobotSpec
from twin.specs.scenario import Scenario, load_scenario
from twin.state import F64, Action, Observation


class Episodes:
    """Runs of a scenario in which one group of robots is answered from outside; the truth is for rewards only."""

    def __init__(
        self,
        scenario: str | Path,
        group: str | None,
        overrides: Sequence[str],
        trigger: int | None,
        reward: str | Reward,
        termination: str | Termination,
        limits: Mapping[str, tuple[float, float]],
        recording: Path | str | None,
    ) -> None:
        self.project, path = find_scenario(str(scenario))
        self.scenario, _ = load_scenario(path, overrides)
        self.group = group or next(iter(self.scenario.robots))
        self.trigger, self.recording = trigger, None if recording is None else Path(recording)
        self.reward, self.termination, self.limits = reward_of(reward), termination_of(termination), limits
        self.session = self._session(self.scenario.seed)
        self.commands: dict[str, F64] = {}

    @property
    def specs(self) -> Sequence[RobotSpec]:
        """The robots that learn."""
        return self.session.entry.specs

    @cached_property
    def coding(self) -> Coding:
        """How their observations and actions are laid out."""
        return coding(self.specs[0].kind, isinstance(self.specs[0].task, Course), self.limits)

    def restart(self, seed: int) -> None:
        """Begin an episode."""
        self.session.close()
        self.session = self._session(seed)
        self.commands = {}

    def answer(self, decision: Decision, actions: Mapping[str, Any]) -> Decision | None:
        """Answer a decision and return the next one; a robot that isn't in `actions` keeps its command."""
        given = []
        for spec in decision.specs:
            if spec.name in actions:
                self.commands[spec.name] = self.coding.command(actions[spec.name])
            given.append(Action(self.commands[spec.name] if spec.name in actions else None))
        return self.session.next(given)

    def situation(self, spec: RobotSpec, observation: Observation, decision: Decision) -> Situation:
        """Return the truth about one robot at a decision."""
        body = self.session.entry.first_body + spec.row
        bodies = decision.bodies
        events = [event for event in decision.events if event.robot == spec.name]
        place = (bodies.position[body], bodies.velocity[body], bodies.orientation[body])
        goal = reference(spec, observation.time)
        return Situation(spec, observation, *place, goal, self.commands.get(spec.name), events)

    def ending(self, before: Decision) -> Decision:
        """Return how things are at the end of a run, where nobody decides any more."""
        return Decision(before.specs, before.observations, self.session.built.twin.bodies, self.session.last_events())

    def _session(self, seed: int) -> Session:
        entry = self.scenario.robots.get(self.group)
        robots: dict[str, Any] = dict(self.scenario.robots)
        if entry is not None:  # else the session says what is wrong
            changes: dict[str, Any] = {"parameters": {}, "controller": None, "trigger": self.trigger or entry.trigger}
            robots[self.group] = entry.model_copy(update=changes)
        scenario: Scenario = self.scenario.model_copy(update={"seed": seed, "robots": robots})
        return Session(scenario, self.project, self.group, self.recording)
