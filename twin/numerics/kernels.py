"""Compiled kernels: one decorator, and a cache folder per module that changes whenever a source it stands on does.

numba does not notice a changed callee in another file, so a kernel cached before the change would silently run
the old code. A cache folder named by the digest of a module and of all that it imports makes that impossible; for
kernels of users, which may call any of ours, by the digest of all modules with kernels.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., object])


KEPT = 3
"""Caches of a module that stay when it was changed."""


def cache_home() -> Path:
    """Return the folder for things that can be made again (`TWIN_CACHE`, else the user's cache folder)."""
    base = os.environ.get("TWIN_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twin"


def sources() -> dict[str, str]:
    """Return every Python source of the package by its module's name, in path order."""
    root = Path(__file__).parents[2]
    paths = [path for path in sorted(root.glob("twin/**/*.py")) if "_builtin" not in path.parts]
    return {".".join(path.relative_to(root).with_suffix("").parts): path.read_text() for path in paths}


def sources_digest(modules: Mapping[str, str] | None = None) -> str:
    """Return a digest of the package's sources, or of the given ones."""
    digest = hashlib.sha256()
    for name, text in (sources() if modules is None else modules).items():
        digest.update(f"{name}\n{len(text)}\n{text}".encode())
    return digest.hexdigest()[:16]


def imported(text: str) -> set[str]:
    """Return the names of the modules of twin that a source may import, some of which may be none."""
    found = set()
    for package, names in re.findall(r"^\s*from (twin[\w.]*) import (\([^)]*\)|.*)", text, re.MULTILINE):
        found |= {package, f"{package}.__init__"} | {f"{package}.{name}" for name in re.findall(r"\w+", names)}
    return found


def sources_under(modules: Iterable[str], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the sources of the modules and of all that they import, in the order of `texts`."""
    pending, found = list(modules), set[str]()
    while pending:
        name = pending.pop()
        if name in texts and name not in found:
            found.add(name)
            pending += imported(texts[name])
    return {name: texts[name] for name in texts if name in found}


def kernel_sources() -> dict[str, str]:
    """Return the sources that compiled code can come from: modules with kernels, and all that they import."""
    texts = sources()
    takes_kernel = re.compile(r"from twin\.numerics\.kernels import .*\bkernel\b")
    with_kernels = [name for name, text in texts.items() if takes_kernel.search(text)]
    return sources_under(with_kernels, texts)


_SOURCES = kernel_sources()
HOME = cache_home() / "kernels"
CACHE = HOME / "all" / sources_digest(_SOURCES)
os.environ["NUMBA_CACHE_DIR"] = str(CACHE)
os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")  # numba colours messages that nobody will see

import numba  # noqa: E402  the cache folder must be set first

from twin.numerics.parts import Kernel  # noqa: E402

_numba: Any = numba  # its types forbid a decorator that keeps the signature
_numba.config.CACHE_DIR = str(CACHE)


@cache
def cache_folder(module: str) -> Path:
    """Return where the kernels of a module are cached; those of a module that is not twin's are in `CACHE`."""
    if module not in _SOURCES:
        return CACHE
    return HOME / module / sources_digest(sources_under([module], _SOURCES))


def _compiled(function: _Function, **options: bool) -> _Function:
    """Compile `function`, cached on disk in the folder of its module."""
    if _numba.config.DISABLE_JIT:
        return function
    _numba.config.CACHE_DIR = str(cache_folder(function.__module__))
    try:
        compiled = Kernel(function, targetoptions={"nopython": True, "nogil": True, "error_model": "numpy", **options})
        compiled.enable_caching()
    finally:
        _numba.config.CACHE_DIR = str(CACHE)
    return cast(_Function, compiled)


def kernel(function: _Function) -> _Function:
    """Compile `function` with numba: cached on disk, without the interpreter lock, never parallel."""
    # _nrt stated: otherwise a kernel first compiled for an `uncounted` caller would be uncounted as well.
    return _compiled(function, _nrt=True)


def inlined(function: _Function) -> _Function:
    """Compile `function` into the body of each kernel that calls it: for small parts of hot loops."""
    compiled: _Function = _numba.njit(inline="always", nogil=True, error_model="numpy")(function)
    return compiled


def uncounted(function: _Function) -> _Function:
    """Compile `function` into the kernels that call it, without counting references: it must allocate no array.

    An array is seven words to hand over at each call, and two atomic operations where references are counted; a
    named tuple of them costs a small function more than its work (the ray tracer: three times as much).
    """
    return _compiled(function, _nrt=False, forceinline=True)


def tidy() -> None:
    """Remove of each module's older caches all but the newest few."""
    with suppress(OSError):  # a cache that can't be written only costs time
        for module in HOME.iterdir():
            folders = sorted(module.iterdir(), key=lambda folder: folder.stat().st_mtime)
            if len(folders) > KEPT:
                others = [folder for folder in folders if folder not in (CACHE, cache_folder(module.name))]
                for folder in others[:-KEPT]:
                    shutil.rmtree(folder, ignore_errors=True)
