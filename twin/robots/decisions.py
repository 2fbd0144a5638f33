"""Asking controllers, and what is wrong with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, repeat
from math import isfinite
from typing import Any

import numpy as np

from twin.errors import RunError
from twin.protocols import Controller, Failsafe
from twin.robots.robot import Robot
from twin.state import CONTROLLER_FAULT, F64, INPUT, NOMINAL, Action, Actions, Event, Observation
from twin.units import time_text

NOTHING = Action()
"""What a robot is told where nobody tells it anything."""


def decide(controllers: Sequence[Controller], observations: Sequence[Observation]) -> list[Action]:
    """Ask controllers of one class for their actions: in one call where they offer `act_batch`.

    Raises:
        RunError: a controller raised (its own error is the cause) or returned something else than actions.
    """
    actions = decided(controllers, observations)
    return actions.each() if isinstance(actions, Actions) else actions


def decided(controllers: Sequence[Controller], observations: Sequence[Observation]) -> list[Action] | Actions:
    """Do the same; the answer is an `Actions` where `act_batch` gives one.

    Raises:
        RunError: a controller raised (its own error is the cause) or returned something else than actions.
    """
    batch = getattr(type(controllers[0]), "act_batch", None)
    robot, time = observations[0].robot, observations[0].time
    name = type(controllers[0]).__name__
    try:
        if batch is not None:
            together = batch(controllers, observations)
            if isinstance(together, Actions):
                return _columns(together, len(observations), name)
            actions = list(together)
        else:
            actions = []
            for controller, observation in zip(controllers, observations, strict=True):
                robot = observation.robot
                actions.append(controller.act(observation))
    except RunError:
        raise
    except (Exception, SystemExit) as error:
        raise _failure("controller", controllers[0], robot, time, error) from error
    if len(actions) != len(observations) or not all(isinstance(action, Action) for action in actions):
        found = [type(action).__name__ for action in actions]
        raise RunError(f"controller {name} must return {len(observations)} Action(s), found {found}")
    return actions


def _columns(actions: Actions, count: int, controller: str) -> Actions:
    """Return the actions of `count` robots with their logs as arrays of that length.

    Raises:
        RunError: there are more or fewer of them.
    """
    log = {str(name): np.asarray(values, dtype=np.float64) for name, values in actions.log.items()}
    found = {"commands": len(actions.commands), **{name: values.shape for name, values in log.items()}}
    if found["commands"] != count or any(values.shape != (count,) for values in log.values()):
        raise RunError(f"controller {controller} must return {count} commands, and as many numbers for each name that "
                       f"it logs; found {found}")  # fmt: skip
    return replace(actions, log=log)


def overrule(failsafe: Failsafe, observation: Observation) -> tuple[str, Action]:
    """Return the mode that a failsafe wants, and what to do in it unless it is the nominal one.

    Raises:
        RunError: it raised; its own error is the cause.
    """
    try:
        mode = failsafe.update(observation)
        return mode, NOTHING if mode == NOMINAL else failsafe.act(observation)
    except RunError:
        raise
    except (Exception, SystemExit) as error:
        raise _failure("failsafe", failsafe, observation.robot, observation.time, error) from error


def calm(failsafes: Sequence[Failsafe], observations: Sequence[Observation]) -> Sequence[bool]:
    """Tell whose failsafe has nothing to do, where these look at all at once (`calm`); the others are asked one by one.

    Raises:
        RunError: it raised; its own error is the cause.
    """
    kind = type(failsafes[0])
    decides = next((one for one in kind.__mro__ if "update" in vars(one) or "calm" in vars(one)), kind)
    if "calm" not in vars(decides):  # none, or it is of a class whose `update` this one replaces
        return [False] * len(failsafes)
    try:
        quiet = list(kind.calm(failsafes, observations))  # type: ignore[attr-defined]
    except RunError:
        raise
    except (Exception, SystemExit) as error:
        raise _failure("failsafe", failsafes[0], observations[0].robot, observations[0].time, error) from error
    if len(quiet) != len(failsafes):
        raise RunError(f"failsafe {kind.__name__}.calm must answer for {len(failsafes)} robots, found {len(quiet)}")
    return quiet


def _failure(role: str, who: object, robot: str, time: int, error: BaseException) -> RunError:
    what = f"{type(error).__name__} at {time_text(time)}: {error}"
    return RunError(f"{role} {type(who).__name__} of {robot} raised {what}")


def logged(action: Action, robot: str, node: int, time: int) -> list[tuple[int, int, str, float]]:
    """Return the values that an action logs, as rows of a recording.

    Raises:
        RunError: one is not a number.
    """
    try:
        if action.log == {}:
            return []
        return [(time, node, str(name), float(value)) for name, value in action.log.items()]
    except (TypeError, ValueError, AttributeError) as error:
        raise RunError(f"log of {robot} at {time_text(time)}: {error}; allowed: numbers by name") from error


def all_logged(actions: Actions, robots: Sequence[Robot], time: int) -> list[tuple[int, int, str, float]]:
    """Return the values that all robots' actions log, robot by robot, as rows of a recording."""
    names = list(actions.log)
    if not names:
        return []
    values = np.column_stack(list(actions.log.values())).astype(float, copy=False)
    nodes = [robot.node for robot in robots for _ in names]
    return list(zip(repeat(time), nodes, cycle(names), values.ravel().tolist()))


def told(action: Action, robot: str, time: int) -> list[Event]:
    """Return what an action tells besides its command, as events of a recording."""
    if not action.inputs and not action.fault:
        return []
    events = [Event(time, INPUT, robot, text) for text in action.inputs]
    if action.fault:
        events.append(Event(time, CONTROLLER_FAULT, robot, action.fault))
    return events


def checked(command: Any, width: int, robot: str, time: int) -> F64:
    """Return a command as a vector of `width` finite floats.

    Raises:
        RunError: another shape, not numbers, or not finite.
    """
    try:
        vector = np.asarray(command, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RunError(f"command of {robot} at {time_text(time)} is no vector of numbers: {command!r}") from error
    if vector.shape == (width,) and isfinite(vector.dot(vector)):
        return vector
    if vector.shape != (width,) or not np.isfinite(vector).all():
        raise RunError(f"command of {robot} at {time_text(time)} must be {width} finite numbers, found {vector}")
    return vector


def table_of(commands: Sequence[Any] | F64, width: int, robots: Sequence[str], time: int) -> F64:
    """Return commands as a table (n, width) of finite floats.

    Raises:
        RunError: one has another shape, isn't made of numbers, or isn't finite.
    """
    try:
        table = np.array(commands, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.shape == (len(commands), width) and isfinite(table.ravel().dot(table.ravel())):
        return table
    return np.stack([checked(command, width, robot, time) for command, robot in zip(commands, robots, strict=True)])


def stated(size: Any, robot: str, time: int) -> int:
    """Return a packet's size in bytes as a controller states it.

    Raises:
        RunError: not a whole number of bytes, or none.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        message = f"size of a packet of {robot} at {time_text(time)} must be 1 byte at least, found {size!r}"
        raise RunError(message)
    return size
