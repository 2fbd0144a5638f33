"""What all conversations with other processes have in common: how they end, and from where one may take part."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from twin.errors import PluginError, RunError
from twin.protocols import Conversation
from twin.state import Action, Observation
from twin.units import time_text


class LinkLost(Exception):
    """The other side is gone, silent, or says what can't be."""


def give_up(link: Conversation, fault: LinkLost, observations: Sequence[Observation]) -> list[Action]:
    """End a conversation for good: an instant later, state and answers would not match.

    Raises:
        RunError: the scenario says to stop then, rather than to leave the robots to their failsafe.
    """
    link.close()
    message = f"controller {link.name}: {fault}"
    if link.spec.on_failure == "stop":
        robots = ", ".join(observation.robot for observation in observations)
        when = time_text(observations[0].time)
        raise RunError(f"{message} (at {when}, for {robots})") from None  # no traceback: the fault isn't in twin
    return [Action(fault=message) for _ in observations]


def secret_file(file: Path, folders: Sequence[Path], key: str) -> Path:
    """Return the file that a scenario names at `key`, seen from the first of `folders` that has it.

    Raises:
        PluginError: there is none.
    """
    found = next((path for folder in folders if (path := folder / file).is_file()), None)
    if found is None:
        raise PluginError(f"{key}: no file {file} in {' or '.join(str(folder) for folder in dict.fromkeys(folders))}")
    return found


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
