"""Which run is which: by what decides what it does, not by names of files or places."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from twin.numerics.kernels import sources_digest
from twin.project import plugins
from twin.project.foreign import existing, folders, siblings, texts
from twin.project.project import Project
from twin.specs.scenario import Scenario

_PACKAGES = ("numba", "numpy", "pybullet")
_NO_INPUT = ("__pycache__", "recordings", "scenarios", "siting", "sweeps")


def run_id(scenario: Scenario, project: Project) -> str:
    """Return the name of a run: a digest of the resolved scenario, of all code, data and packages under it."""
    digest = hashlib.sha256(scenario.to_toml().encode())
    digest.update(_program().encode())
    own = folders(scenario, project)
    for folder in own:
        digest.update(_folder(folder).encode())
    places = [Path.cwd(), project.folder, *own]
    for text in sorted(set(texts(scenario.model_dump(mode="json")))):
        for file in existing([text.partition(":")[0]] if ".py:" in text else [text], places):
            beside = [file.with_name(name) for name in siblings(file)] if file.suffix == ".py" else []
            digest.update("\0".join([text, *map(_file, [file, *beside])]).encode())
    return digest.hexdigest()[:20]


def source_id(reference: str, *folders: Path) -> str:
    """Return a digest of what `file.py:name` is made of: its file, and its siblings that it imports.

    Raises:
        PluginError: it is malformed, or there is no such file.
    """
    source, _ = plugins.source_of(reference, *folders)
    return "\n".join([_file(source), *(f"{name} {its}" for name, its in plugins.siblings(source).items())])


@cache
def _program() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return "\n".join([sources_digest(), python, *(f"{name} {version(name)}" for name in _PACKAGES)])


@cache
def _folder(folder: Path) -> str:
    """Return a digest of a folder of a world or robot; it is read once a process."""
    digest = hashlib.sha256()
    for name, file in _inside(folder):
        digest.update(f"{name}\0{_file(file)}".encode())
    return digest.hexdigest()


def _inside(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not any(part in _NO_INPUT or part.startswith(".") for part in parts):
            yield "/".join(parts), file


def _file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
