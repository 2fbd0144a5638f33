"""What a step of a learning robot was worth, and whether it was the last one: by name, or a function of yours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from twin.analysis.watch import COLLISION_SPEED
from twin.errors import ScenarioError, nearest
from twin.protocols import RobotSpec
from twin.state import F64, Event, Observation, Reference


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """How things really are with one robot; its policy does not see this."""

    spec: RobotSpec
    observation: Observation  # what the policy gets
    position: F64  # (3,) m
    velocity: F64  # (3,) m/s
    orientation: F64  # (4,) quaternion xyzw
    reference: Reference | None  # where the task wants the robot now
    command: F64 | None  # what the policy answered to the observation before
    events: Sequence[Event]  # of this robot, since the decision before

    @property
    def error(self) -> float:
        """Distance from where the task wants the robot [m]; 0 without a task."""
        return 0.0 if self.reference is None else float(np.linalg.norm(self.reference.position - self.position))

    @property
    def crashed(self) -> bool:
        """Whether it hit something fast."""
        return any(event.kind == "contact" and event.value > COLLISION_SPEED for event in self.events)


T = TypeVar("T")
Reward = Callable[[Situation], float]
Termination = Callable[[Situation], bool]


def tracking(now: Situation) -> float:
    """Return minus the distance from the reference, and -100 for a crash."""
    return -now.error - (100.0 if now.crashed else 0.0)


def near(now: Situation) -> float:
    """Return 1 at the reference, less with distance: exp(-error / 1 m)."""
    return float(np.exp(-now.error))


def crash(now: Situation) -> bool:
    """Tell whether the robot hit something faster than 1 m/s."""
    return now.crashed


def away(now: Situation) -> bool:
    """Tell whether the robot crashed or is more than 20 m from its reference."""
    return now.crashed or now.error > 20.0


def never(now: Situation) -> bool:
    """Go on until the scenario ends."""
    return False


REWARDS: Mapping[str, Reward] = {"tracking": tracking, "near": near}
TERMINATIONS: Mapping[str, Termination] = {"crash": crash, "away": away, "never": never}


def reward_of(chosen: str | Reward) -> Reward:
    """Return a reward by name; a function stays what it is.

    Raises:
        ScenarioError: there is none of this name.
    """
    return _named(chosen, REWARDS, "reward") if isinstance(chosen, str) else chosen


def termination_of(chosen: str | Termination) -> Termination:
    """Return a termination by name; a function stays what it is.

    Raises:
        ScenarioError: there is none of this name.
    """
    return _named(chosen, TERMINATIONS, "termination") if isinstance(chosen, str) else chosen


def _named(name: str, there: Mapping[str, T], what: str) -> T:
    if name not in there:
        raise ScenarioError(f"no {what} {name!r}; there are: {', '.join(there)}{nearest(name, there)}")
    return there[name]
