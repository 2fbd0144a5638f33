"""A twin that stops at each decision of chosen robots and waits for an answer from outside.

The loop calls controllers from deep within; who trains a policy wants to call the twin. So the twin runs in a
thread of its own, and exactly one of the two threads runs at any time: nothing depends on how they are scheduled.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from twin.assembly.build import build
from twin.errors import ScenarioError, nearest
from twin.project.plugins import Loaded
from twin.project.project import Project
from twin.protocols import RobotSpec
from twin.recording.writer import Writer
from twin.runs.provenance import header
from twin.specs.scenario import Scenario
from twin.state import Action, BodyState, Event, Frame, Observation


@dataclass(frozen=True, slots=True)
class Decision:
    """The robots that decide at one instant, with what they may know and, for rewards, how things really are."""

    specs: Sequence[RobotSpec]
    observations: Sequence[Observation]
    bodies: BodyState  # the truth at the present tick
    events: Sequence[Event]  # since the decision before


class _Closed(BaseException):
    """Unwinds the twin's thread; no controller's error handling should stop it."""


class Session:
    """One run of a scenario in which one group's controller is the caller.

    Raises:
        ScenarioError: the scenario has no such group, or its robots have no body.
    """

    def __init__(self, scenario: Scenario, project: Project, group: str, recording: Path | None = None) -> None:
        if group not in scenario.robots:
            there = ", ".join(scenario.robots) + nearest(group, scenario.robots)
            raise ScenarioError(f"no robots.{group}; there are: {there}")
        self._questions: SimpleQueue[Decision | BaseException | None] = SimpleQueue()
        self._answers: SimpleQueue[Sequence[Action] | None] = SimpleQueue()
        self._events: list[Event] = []
        self.scenario, self._recording = scenario, recording
        self.built = build(scenario, project, controllers={group: Loaded(_asker(self), f"{group}: environment", "")})
        self.entry = next(entry for entry in self.built.entries if entry.name == group)
        if self.entry.body is None:
            raise ScenarioError("robots without a body decide nothing", key=f"robots.{group}")
        self._thread = threading.Thread(target=self._live, name=f"twin {group}", daemon=True)
        self._alive = False

    def next(self, actions: Sequence[Action] | None = None) -> Decision | None:
        """Answer the decision before, if there was one; return the next, None at the end of the run.

        Raises:
            TwinError: the run had to stop.
        """
        if not self._alive:
            if actions is not None:
                return None
            self._alive = True
            self._thread.start()
        else:
            assert actions is not None, "a decision waits for its answer"
            self._answers.put(actions)
        question = self._questions.get()
        if isinstance(question, Decision):
            return question
        self._alive = False
        self._thread.join()
        if question is not None:
            raise question
        return None

    def last_events(self) -> list[Event]:
        """Return, and forget, what happened since the last decision."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """End the run where it is; what was recorded is good."""
        if not self._thread.ident:  # it never began
            self.built.close()
        elif self._alive:
            self._alive = False
            self._answers.put(None)
            self._thread.join()

    def ask(self, specs: Sequence[RobotSpec], observations: Sequence[Observation]) -> Sequence[Action]:
        """Hand a decision to the caller and wait for the answer; called by the twin's thread."""
        self._questions.put(Decision(specs, observations, self.built.twin.bodies, self.last_events()))
        actions = self._answers.get()
        if actions is None:
            raise _Closed
        return actions

    def _live(self) -> None:
        end: BaseException | None = None
        try:
            with closing(self.built):
                self._run()
        except _Closed:
            return
        except BaseException as error:  # it is raised again where the caller is
            end = error
        self._questions.put(end)

    def _run(self) -> None:
        frames = self._watched(self.built.twin.frames(self.scenario.duration))
        first = next(frames)
        if self._recording is None:
            deque(frames, maxlen=0)
            return
        with Writer(self._recording, header(self.built, self.scenario, first), force=True) as writer:
            complete = False
            try:
                for frame in chain([first], frames):
                    writer.write(frame)
                complete = True
            finally:
                writer.finish({}, complete=complete, reason="" if complete else "the environment ended the run")

    def _watched(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self._events += frame.events
            yield frame


def _asker(session: Session) -> type[Any]:
    """Return a controller class whose decisions `session` hands out."""

    class Asker:
        """Asks whoever steps the environment."""

        def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
            """Learn which robot this is."""
            self.spec = spec

        def act(self, observation: Observation) -> Action:
            """Ask for one robot."""
            return session.ask([self.spec], [observation])[0]

        @staticmethod
        def act_batch(controllers: Sequence[Asker], observations: Sequence[Observation]) -> Sequence[Action]:
            """Ask for all robots due."""
            return session.ask([controller.spec for controller in controllers], observations)

    return Asker
