"""A cache of compiled kernels that processes fill together: what one of them compiles, the others wait for."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba.core.caching
from numba.core import event

_caching: Any = numba.core.caching
WAITING = "twin:waiting"
"""The event, beside numba's `numba:compile`, of a kernel that another process compiles meanwhile."""


class SharedCache(_caching.FunctionCache):
    """The cache of one kernel, to which one process at a time adds."""

    def __init__(self, kernel: Any) -> None:
        super().__init__(kernel.py_func)
        self._kernel = kernel
        self._lock = -1  # descriptor of the locked file, while this process compiles

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; if there is none, this process may compile it, until `release`."""
        found = super().load_overload(sig, target_context)
        if found is None:
            self._enter()
            found = super().load_overload(sig, target_context)
        return found

    def _enter(self) -> None:
        """Lock this kernel's file, once no other process has it."""
        with suppress(OSError):  # a cache that can't be written or locked only costs time
            self._impl.locator.ensure_cache_path()
            path = Path(self.cache_path) / f"{self._impl.filename_base}.lock"
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with event.trigger_event(WAITING, data={"dispatcher": self._kernel}):
                    fcntl.flock(self._lock, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let other processes load what was compiled."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
