"""Compiled kernels: one decorator, and a cache folder that changes whenever twin's sources do.

numba does not notice a changed callee in another file, so a kernel cached before the change would silently run
the old code. A cache folder named by the digest of all sources makes that impossible, also for kernels of users
that call ours. Import this module before numba.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Function = TypeVar("_Function", bound=Callable[..., object])


def cache_home() -> Path:
    """Return the folder for things that can be made again (`TWIN_CACHE`, else the user's cache folder)."""
    base = os.environ.get("TWIN_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twin"


def sources_digest() -> str:
    """Return a digest of every Python source of the package, in path order."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if "_builtin" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


CACHE = cache_home() / "kernels" / sources_digest()
os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  the cache folder must be set first

numba.config.CACHE_DIR = str(CACHE)


def kernel(function: _Function) -> _Function:
    """Compile `function` with numba: cached on disk, without the interpreter lock, never parallel."""
    compiled: _Function = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled


def is_cold() -> bool:
    """Tell whether no kernel of these sources was ever compiled on this machine."""
    return not any(CACHE.rglob("*.nbc")) if CACHE.is_dir() else True
