"""Compiled kernels: one decorator, and a cache folder that changes whenever twin's sources do.

numba does not notice a changed callee in another file, so a kernel cached before the change would silently run
the old code. A cache folder named by the digest of all sources that kernels can come from makes that impossible,
also for kernels of users that call ours. Import this module before numba.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., object])


KEPT = 3
"""Caches of other versions that stay."""


def cache_home() -> Path:
    """Return the folder for things that can be made again (`TWIN_CACHE`, else the user's cache folder)."""
    base = os.environ.get("TWIN_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twin"


def sources() -> dict[str, str]:
    """Return every Python source of the package by its module's name, in path order."""
    root = Path(__file__).parent.parent
    paths = [path for path in sorted(root.glob("twin/**/*.py")) if "_builtin" not in path.parts]
    return {".".join(path.relative_to(root).with_suffix("").parts): path.read_text() for path in paths}


def sources_digest(modules: Mapping[str, str] | None = None) -> str:
    """Return a digest of the package's sources, or of the given ones."""
    digest = hashlib.sha256()
    for name, text in (sources() if modules is None else modules).items():
        digest.update(f"{name}\n{len(text)}\n{text}".encode())
    return digest.hexdigest()[:16]


def kernel_sources() -> dict[str, str]:
    """Return the sources that compiled code can come from: modules with kernels, and all that they import."""
    texts = sources()
    pending = [name for name, text in texts.items() if re.search(r"from twin\.kernels import .*\bkernel\b", text)]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in texts and name not in found:
            found.add(name)
            pending += re.findall(r"^\s*from (twin[\w.]*) import", texts[name], re.MULTILINE)
    return {name: texts[name] for name in texts if name in found}


CACHE = cache_home() / "kernels" / sources_digest(kernel_sources())
os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  the cache folder must be set first

_numba: Any = numba  # its types forbid a decorator that keeps the signature
_numba.config.CACHE_DIR = str(CACHE)


def kernel(function: _Function) -> _Function:
    """Compile `function` with numba: cached on disk, without the interpreter lock, never parallel."""
    # _nrt stated: otherwise a kernel first compiled for an `uncounted` caller would be uncounted as well.
    compiled: _Function = _numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=True)(function)
    return compiled


def inlined(function: _Function) -> _Function:
    """Compile `function` into the body of each kernel that calls it: for small parts of hot loops."""
    compiled: _Function = _numba.njit(inline="always", nogil=True, error_model="numpy")(function)
    return compiled


def uncounted(function: _Function) -> _Function:
    """Compile `function` into the kernels that call it, without counting references: it must allocate no array.

    An array is seven words to hand over at each call, and two atomic operations where references are counted; a
    named tuple of them costs a small function more than its work (the ray tracer: three times as much).
    """
    compiled: _Function = _numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)(
        function
    )
    return compiled


def is_cold(work: str = "run") -> bool:
    """Tell whether kernels of these sources may still have to be compiled: no such work was completed with them."""
    return not (CACHE / f"a {work} was completed").is_file()


def mark_warm(work: str = "run") -> None:
    """Note that work was completed with these kernels; folders of other sources but the newest few are removed."""
    with suppress(OSError):  # a cache that can't be written only costs time
        CACHE.mkdir(parents=True, exist_ok=True)
        if is_cold(work):
            (CACHE / f"a {work} was completed").touch()
            others = [folder for folder in CACHE.parent.iterdir() if folder != CACHE]
            for folder in sorted(others, key=lambda folder: folder.stat().st_mtime)[:-KEPT]:
                shutil.rmtree(folder, ignore_errors=True)
