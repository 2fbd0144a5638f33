"""How kernels are compiled: what a kernel calls becomes a part of it, and is optimized and translated once, with it.

numba takes each compiled function for a program of its own: with an entry from Python, optimized together with all
that it calls, and translated. A function four calls deep is then optimized five times and translated five times; that
was most of the first minutes on a machine. Here a function gets a program of its own only when Python calls it. Called
by a kernel it is a `_Part`: typed once for each set of argument types, simplified by itself, linked into the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.core.registry
from numba.core import errors, event, sigutils, types

from twin.numerics.shared import SharedCache

_core: Any = numba.core
_Kinds = tuple[Any, ...]
READY = "twin:ready"
"""The event of a kernel that Python calls, compiled or loaded."""


class _Flags(_core.compiler.Flags):
    """Options that compare fast: numba's own read all of them, one by one, at each look into its memory of types."""

    def __hash__(self) -> int:
        return hash(len(self.options))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Flags) and self._values == other._values)


class _PartLibrary(_core.codegen.JITCodeLibrary):
    """Code that is only linked into others."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(_core.compiler.Compiler):
    def compile_extra(self, func: Any) -> Any:
        self.state.library = _PartLibrary(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


def _part_flags(flags: Any) -> _Flags:
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    return _Flags(flags)


class _Part(_core.registry.CPUDispatcher):
    """A function as a part of kernels."""

    def __init__(self, function: Callable[..., object], options: dict[str, Any]) -> None:
        super().__init__(function, {}, options, pipeline_class=_PartCompiler)
        self._compiler._customize_flags = _part_flags

    def compile(self, sig: Any) -> object:
        """Return what stands for the code for a signature."""
        kinds: _Kinds = tuple(sigutils.normalize_signature(sig)[0])
        if kinds not in self.overloads:
            about = {"dispatcher": self, "args": kinds, "return_type": None}
            with self._compiling_counter, event.trigger_event("numba:compile", data=about):
                made = self._compiler.compile(kinds, None)
                made.library._ensure_finalized()
                key = object()
                self.targetctx.insert_user_function(key, made.fndesc, [made.library])
                self.overloads[kinds] = made._replace(entry_point=key)
        return self.overloads[kinds].entry_point


class Kernel(_core.registry.CPUDispatcher):
    """A function that Python and kernels call, each in a way of its own."""

    def __init__(self, py_func: Any, locals: Any = None, targetoptions: Any = None, **others: Any) -> None:
        entry = {name: value for name, value in (targetoptions or {}).items() if name != "forceinline"}
        super().__init__(py_func, locals, {**entry, "no_cfunc_wrapper": True}, **others)
        self._compiler._customize_flags = _Flags
        self._part = _Part(py_func, dict(targetoptions or {}))

    def enable_caching(self) -> None:
        """Keep what is compiled on disk, for other processes as well."""
        self._cache = SharedCache(self)

    def compile(self, sig: Any) -> object:
        """Return the code for a signature: from the cache, or compiled by one process while others wait for it."""
        with event.trigger_event(READY):
            try:
                return super().compile(sig)
            finally:
                if isinstance(self._cache, SharedCache):  # not of a kernel that is cached nowhere
                    self._cache.release()

    @property
    def is_compiling(self) -> bool:
        """Whether it is being compiled, so that a call of it is a recursion."""
        return bool(self._compiling_counter or self._part._compiling_counter)

    def add_overload(self, cres: Any) -> None:
        """Take what was compiled or loaded; errors raised in its parts find their words."""
        super().add_overload(cres)
        for environment in cres._find_referenced_environments():
            cres.library.codegen.set_env(environment.env_name, environment)

    def get_call_template(self, args: _Kinds, kws: dict[str, Any]) -> Any:
        """Type a call by a kernel: a number in the source is a value like any other, unless types hang on it."""
        try:
            return self._part.get_call_template(tuple(map(_kind, args)), {name: _kind(kws[name]) for name in kws})
        except errors.TypingError:
            return self._part.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        """Return what stands for the code that a kernel calls."""
        return self._part.get_overload(sig)


def _kind(given: Any) -> Any:
    return given if isinstance(given, types.Omitted) else types.unliteral(given)
