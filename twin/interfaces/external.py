"""Controllers in other processes, in lock-step: one exchange of messages for all robots due at an instant.

A wrong or missing answer ends the conversation for good: an instant later, state and answers would not match.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import sys
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from twin.clock import NS
from twin.errors import PluginError
from twin.interfaces.link import Conversation
from twin.interfaces.peers import LinkLost, give_up
from twin.project import foreign
from twin.project.guard import guard
from twin.project.plugins import Loaded
from twin.protocols import Course, RobotSpec
from twin.specs import ExternalSpec
from twin.state import F64, Action, Message, Observation, Packet, Reference


def load_external(reference: str, spec: ExternalSpec, *folders: Path) -> Loaded:
    """Return a controller class whose robots share one conversation; the process starts at the first decision.

    Raises:
        PluginError: there is no such program, or the address can be reached from outside without permission.
    """
    command, source = None, None
    if reference.startswith("process:"):
        if (watch := guard()) is not None:
            watch.require([foreign.command(reference, folders)])
        command, source = _command(reference.removeprefix("process:"), folders)
    conversation = Conversation(reference, command, folders, spec)

    class Remote(External):
        """The robots of one scenario entry."""

        link = conversation

    digest = "" if source is None else hashlib.sha256(source.read_bytes()).hexdigest()
    return Loaded(Remote, reference, digest)


_LARGEST = 1 << 31


class External:
    """Stands in for a controller that runs in another process."""

    judges_parameters = True
    """Takes the scenario's `parameters` as they are."""

    link: ClassVar[Conversation]

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Announce this robot to the process."""
        self.spec = spec
        self.link.robots.append(_introduction(spec, int(rng.integers(2**63))))

    def act(self, observation: Observation) -> Action:
        """Ask for one robot."""
        return self.act_batch([self], [observation])[0]

    @staticmethod
    def act_batch(controllers: Sequence[External], observations: Sequence[Observation]) -> list[Action]:
        """Ask for all robots in one exchange; after a fault no robot gets an answer any more.

        Raises:
            RunError: the process is at fault, and the scenario says to stop then.
        """
        link = controllers[0].link
        if link.closed:
            return [Action() for _ in observations]
        try:
            pairs = list(zip(controllers, observations, strict=True))
            reply = link.ask("actions", observations=[_shown(c.spec, o) for c, o in pairs])
            return _actions(reply, controllers)
        except LinkLost as fault:
            return give_up(link, fault, observations)


def _command(text: str, folders: Sequence[Path]) -> tuple[list[str], Path | None]:
    """Return the command line of a process, and the file that it is, as far as that can be seen."""
    words = shlex.split(text)
    if not words:
        raise PluginError("process: what? expected a command, such as process:./my_controller")
    found = [next((p for f in folders if (p := (f / word).resolve()).is_file()), None) for word in words]
    words = [str(path or word) for path, word in zip(found, words, strict=True)]
    if words[0].endswith(".py") and found[0] is not None:
        words = [sys.executable, *words]
    elif found[0] is None and shutil.which(words[0]) is None:
        places = " or ".join(str(folder) for folder in dict.fromkeys(folders))
        raise PluginError(f"process: no program {words[0]!r} in {places}, nor on the path")
    return words, next((path for path in found if path is not None), None)


def _introduction(spec: RobotSpec, seed: int) -> dict[str, Any]:
    body = spec.kind.body
    assert body is not None, "only robots with bodies have controllers"
    fields = [
        {"name": f.name, "size": f.size, "unit": f.unit, "lower": f.lower, "upper": f.upper, "initial": f.initial}
        for f in body.command
    ]
    return {"name": spec.name, "group": spec.group, "row": spec.row, "seed": seed, "command": fields,
            "control_hz": spec.kind.control, "task": spec.task is not None,
            "parameters": spec.parameters or {}}  # fmt: skip


def _shown(spec: RobotSpec, seen: Observation) -> dict[str, Any]:
    sensed = seen.sensed
    goal = spec.task.reference(spec.row, seen.time / NS) if isinstance(spec.task, Course) else None
    return {
        "robot": seen.robot,
        "time": seen.time,
        "sensed": None if sensed is None else {"time": sensed.time, "values": dict(sensed.values)},
        "inbox": [_packet(packet) for packet in seen.inbox],
        "heard": seen.heard,
        "answers": seen.answers,
        "reference": None if goal is None else _reference(goal),
    }


def _packet(packet: Packet) -> dict[str, Any]:
    names = ("source", "kind", "sequence", "size", "created", "arrived", "stamp", "payload")
    return {name: getattr(packet, name) for name in names}


def _reference(goal: Reference) -> dict[str, Any]:
    return {name: getattr(goal, name) for name in ("position", "velocity", "acceleration", "yaw")}


def _actions(reply: dict[str, Any], controllers: Sequence[External]) -> list[Action]:
    answers = reply.get("actions")
    if not isinstance(answers, list) or len(answers) != len(controllers):
        found = f"{len(answers)}" if isinstance(answers, list) else repr(answers)
        raise LinkLost(f"expected {len(controllers)} actions, found {found}")
    return [_action(answer, c.spec) for answer, c in zip(answers, controllers, strict=True)]


def _action(answer: Any, spec: RobotSpec) -> Action:
    """Check one robot's answer as thoroughly as a stranger's word deserves."""
    if not isinstance(answer, dict):
        raise LinkLost(f"action of {spec.name}: expected a map, found {answer!r}")
    command, messages, log = answer.get("command"), answer.get("messages") or [], answer.get("log") or {}
    try:
        return Action(
            None if command is None else _vector(command, spec),
            tuple(_message(message) for message in messages),
            {str(name): float(value) for name, value in log.items()},
            size=None if answer.get("size") is None else _size(answer["size"]),
        )
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise LinkLost(f"action of {spec.name} is malformed: {type(error).__name__}: {error}") from error


def _message(message: dict[str, Any]) -> Message:
    to, kind = str(message["to"]), str(message.get("kind", "message"))
    return Message(to, message["payload"], _size(message["size"]), kind)


def _size(value: Any) -> int:
    """Return a number of bytes on the network."""
    if not 0 <= int(value) <= _LARGEST:
        raise ValueError(f"a size of {value} bytes; allowed: 0 to {_LARGEST}")
    return int(value)


def _vector(command: Any, spec: RobotSpec) -> F64:
    body = spec.kind.body
    assert body is not None
    if not isinstance(command, list) or len(command) != body.width:
        raise LinkLost(f"command of {spec.name} must be {body.width} numbers, found {command!r}")
    if not all(isinstance(value, (int, float)) and isfinite(value) for value in command):
        raise LinkLost(f"command of {spec.name} must be {body.width} finite numbers, found {command!r}")
    return np.array(command, dtype=np.float64)
