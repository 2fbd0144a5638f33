"""Children that end with their parents."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that forked it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def from_outside(code: int) -> bool:
    """Tell by its exit code whether a process was ended by somebody else, which says nothing of what it did."""
    return -code in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
