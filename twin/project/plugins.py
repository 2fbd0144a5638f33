"""The one loader of code, by path or entry point; a class is checked against its contract before it is used.

A file `folder/stem.py` becomes the module `twin_plugins.<folder>_<digest of its path>.<stem>`: two folders
never meet, `from .sibling import x` works, `from ..x` does not, and `sys.path` is never touched.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import keyword
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint
from itertools import chain, product
from pathlib import Path
from types import ModuleType
from typing import Any

from twin.errors import PluginError, ScenarioError, nearest
from twin.project.contracts import check_contract, check_options
from twin.project.guard import guard
from twin.protocols import Controller
from twin.registry import SCHEMES, installed, load
from twin.specs.toml_text import validate

ROOT = "twin_plugins"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An object that was loaded, and what a recording says about where it came from."""

    value: Any
    reference: str
    sha256: str  # of the source file
    siblings: Mapping[str, str] = field(default_factory=dict)  # files it imports by `from .x` -> sha256


def load_object(reference: str, *folders: Path) -> Loaded:
    """Load `file.py:Name`; a relative file is looked for in `folders`.

    Raises:
        PluginError: the reference is malformed, there is no such file or name, or the file can't be imported.
    """
    path, name = source_of(reference, *folders)
    module = import_source(path)
    if not hasattr(module, name):
        there = _public(module)
        listing = ", ".join(there) or "nothing public"
        raise PluginError(f"{path}: no {name!r} in it; there is: {listing}{nearest(name, there)}")
    return Loaded(getattr(module, name), reference, _digest(path), siblings(path))


def load_class(reference: str, contract: type, *folders: Path) -> Loaded:
    """Load a class by path that meets `contract`, one of the protocols.

    Raises:
        PluginError: as `load_object`, or the class doesn't meet the contract.
    """
    loaded = load_object(reference, *folders)
    check_contract(loaded.value, contract, reference)
    return loaded


def load_controller(reference: str, robot_folder: Path, *folders: Path) -> Loaded:
    """Load a controller: `file.py:Class`, a name in the robot's `controllers/`, or an installed one.

    Raises:
        PluginError: it can't be found or loaded, or doesn't meet the Controller contract.
    """
    if ":" in reference or reference.endswith(".py"):
        loaded = load_object(reference, *folders)
    else:
        loaded = _named_controller(reference, robot_folder, folders)
    check_contract(loaded.value, Controller, reference)
    check_options(loaded.value, reference)
    return loaded


def scheme_of(reference: str) -> str | None:
    """Return the scheme of a controller's reference such as `mavlink:ADDRESS` or `process:COMMAND`, if it has one."""
    scheme, colon, _ = reference.partition(":")
    return scheme if colon and scheme in SCHEMES else None


def controllers(robot_folder: Path) -> list[str]:
    """Return the names of the controllers that a robot's folder brings along."""
    return sorted(path.stem for path in robot_folder.glob("controllers/*.py") if path.stem.isidentifier())


def parameters(controller: type, table: dict[str, Any], *, key: str, file: Path | str | None = None) -> Any:
    """Validate a scenario's `parameters` table by the controller's `Parameters` model; None without a model.

    Raises:
        ScenarioError: a parameter is unknown or wrong.
    """
    model = getattr(controller, "Parameters", None)
    if model is not None:
        return validate(model, table, file=file, key=key)
    if table:
        raise ScenarioError(f"{controller.__name__} takes no parameters, found {', '.join(table)}",
                            file=file, key=key)  # fmt: skip
    return None


def source_of(reference: str, *folders: Path) -> tuple[Path, str]:
    """Return the resolved file and the name of `file.py:Name`, without loading it.

    Raises:
        PluginError: the reference is malformed, or as of `find_source`.
    """
    file, colon, name = reference.rpartition(":")
    if not colon or not name.isidentifier():
        raise PluginError(f"{reference!r}: expected 'file.py:Class'")
    return find_source(file, *folders), name


def find_source(file: str, *folders: Path) -> Path:
    """Return the resolved path of a Python file; in two folders at once it is ambiguous.

    Raises:
        PluginError: there is no such file, two of them, or its name can't be a module's.
    """
    found = list(dict.fromkeys(path for folder in folders if (path := (folder / file).resolve()).is_file()))
    if not found:
        places = list(dict.fromkeys(str((folder / file).resolve().parent) for folder in folders))
        there = sorted({path.name for place in places for path in Path(place).glob("*.py")})
        raise PluginError(f"{file}: no such file in {' or '.join(places)}{nearest(Path(file).name, there)}")
    if len(found) > 1:
        raise PluginError(f"{file}: ambiguous, there are {found[0]} and {found[1]}; give an absolute path")
    path = found[0]
    if path.suffix != ".py" or not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise PluginError(f"{path}: a plug-in's file name must be an identifier and end in .py")
    return path


def import_source(path: Path) -> ModuleType:
    """Import a Python file by its resolved path, afresh if it or a sibling changed since it was imported.

    Raises:
        PluginError: the file raises when it is imported.
        TrustError: it is not this project's, and nobody agreed to it.
    """
    if (watch := guard()) is not None:
        watch.check_file(path)
    package = _package(path.parent)
    prefix = package.__name__ + "."
    sources: dict[str, str] = package.__dict__.setdefault("sources", {})
    if any(not Path(file).is_file() or _digest(Path(file)) != digest for file, digest in sources.items()):
        for name in [name for name in sys.modules if name.startswith(prefix)]:
            del sys.modules[name]
        sources.clear()
    importlib.invalidate_caches()
    # Bytecode is matched by whole seconds of its source's time: a quick edit would run the old code.
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        module = importlib.import_module(prefix + path.stem)
    except (Exception, SystemExit) as error:
        raise PluginError(_import_failure(path, error)) from error
    finally:
        sys.dont_write_bytecode = keep
    for name, child in list(sys.modules.items()):
        if name.startswith(prefix) and child.__file__:
            sources.setdefault(child.__file__, _digest(Path(child.__file__)))
    return module


def siblings(path: Path) -> dict[str, str]:
    """Return the files of its folder that a source imports by `from .x`, they and theirs, with their sha256.

    They are read off the sources: what else this process has imported doesn't matter.
    """
    found, todo = {path.name: ""}, [path]
    while todo:
        for module in _neighbours(todo.pop().read_bytes()):
            file = path.with_name(f"{module}.py")
            if file.name not in found and file.is_file():
                found[file.name] = _digest(file)
                todo.append(file)
    return {name: digest for name, digest in sorted(found.items()) if digest}


@lru_cache(maxsize=200)
def _neighbours(source: bytes) -> tuple[str, ...]:
    """Return the modules that a source imports by `from .x`; a source is parsed once a process."""
    nodes = (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.ImportFrom) and one.level == 1)
    named = ([one.module.partition(".")[0]] if one.module else [name.name for name in one.names] for one in nodes)
    return tuple(chain.from_iterable(named))


def _named_controller(name: str, robot_folder: Path, folders: Sequence[Path]) -> Loaded:
    there = controllers(robot_folder)
    packaged = installed("twin.controllers")
    if name in there and name in packaged:
        raise PluginError(f"controller {name!r} is there twice: in {robot_folder / 'controllers'} "
                          f"and installed as {packaged[name].value}")  # fmt: skip
    if name in there:
        return _only_controller(robot_folder / "controllers" / f"{name}.py", name)
    if name in packaged:
        return load_installed(packaged[name])
    known = there + sorted(packaged)
    own = _own_file(name, folders)
    hint = f"; did you mean {own!r}?" if own else nearest(name, known)
    raise PluginError(
        f"no controller {name!r}{hint}{' There are' if hint else '; there are'}: {', '.join(known) or 'none'} "
        "(a file of your own is './file.py:Class')"
    )


def _own_file(name: str, folders: Sequence[Path]) -> str:
    """Return `controllers/NAME.py:Class` or `NAME.py:Class` if a folder has that file, else nothing; nothing is run."""
    for folder, place in product(dict.fromkeys(folders), (f"controllers/{name}.py", f"{name}.py")):
        if (folder / place).is_file():
            try:
                body = ast.parse((folder / place).read_bytes()).body
            except (SyntaxError, ValueError):
                continue
            classes = [one for one in body if isinstance(one, ast.ClassDef) and not one.name.startswith("_")]
            acting = [one for one in classes if any(isinstance(part, ast.FunctionDef) and part.name == "act"
                                                    for part in one.body)]  # fmt: skip
            if found := acting or classes:
                return f"{place}:{found[0].name}"
    return ""


def load_installed(point: EntryPoint) -> Loaded:
    """Load what an entry point of an installed package names.

    Raises:
        PluginError: it can't be imported, or has no source file.
    """
    value = load(point)
    try:
        source = inspect.getsourcefile(value)
    except TypeError as error:
        raise PluginError(f"installed plug-in {point.name!r} = {point.value}: {_say(error)}") from error
    if source is None:
        raise PluginError(f"installed plug-in {point.name!r} = {point.value}: it has no source file")
    return Loaded(value, point.name, _digest(Path(source)), siblings(Path(source)))


def _only_controller(path: Path, reference: str) -> Loaded:
    path = path.resolve()
    module = import_source(path)
    candidates = [name for name in _public(module) if inspect.isclass(vars(module)[name])
                  and hasattr(vars(module)[name], "act")]  # fmt: skip
    if len(candidates) != 1:
        found = ", ".join(candidates) or "none"
        raise PluginError(f"{path}: expected one public class with an `act` method, found {found}")
    return Loaded(vars(module)[candidates[0]], reference, _digest(path), siblings(path))


def _package(folder: Path) -> ModuleType:
    """Return the synthetic parent package of a resolved folder."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    stem = re.sub(r"\W", "_", folder.name)
    name = f"{ROOT}.{stem}_{digest}"
    for package, places in ((ROOT, []), (name, [str(folder)])):
        if package not in sys.modules:
            module = ModuleType(package)
            module.__path__ = places
            sys.modules[package] = module
    return sys.modules[name]


def _public(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def _import_failure(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {_say(error)}"
    line, trace, folder = None, error.__traceback__, f"{path.parent}{os.sep}"
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(folder):
            path, line = Path(trace.tb_frame.f_code.co_filename), trace.tb_lineno
        trace = trace.tb_next
    hint = ""
    if isinstance(error, ImportError) and (error.name or "").startswith(ROOT):
        hint = " (only siblings can be imported: from .file import name)"
    return f"{path}:{line}: {_say(error)}{hint}" if line else f"{path}: {_say(error)}{hint}"


def _say(error: BaseException) -> str:
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
