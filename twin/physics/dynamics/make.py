"""What a `dynamics` in robot.toml names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import ScenarioError, nearest
from twin.protocols import Dynamics
from twin.registry import DYNAMICS
from twin.specs.toml_text import validate

if TYPE_CHECKING:
    from twin.project.plugins import Loaded

def make_dynamics(reference: str, parameters: Any, n: int, folder: Path, urdf: Path | None = None) -> Dynamics:
    """Make the dynamics of `n` robots: a name in the registry, or "file.py:Class" seen from `folder`.

    A class with `takes_urdf = True` is given the body's URDF as well.

    Raises:
        ScenarioError: no such name, or parameters that the class refuses.
        PluginError: the file or class can't be loaded.
    """
    kind = DYNAMICS[reference] if reference in DYNAMICS else load_dynamics(reference, folder).value
    try:
        if hasattr(kind, "Parameters"):
            parameters = validate(kind.Parameters, dict(parameters), file=folder, key="body.parameters")
            if hasattr(parameters, "with_files"):
                parameters = parameters.with_files(folder)
        more = (urdf,) if getattr(kind, "takes_urdf", False) else ()
        dynamics: Dynamics = kind(parameters, n, *more)
    except ValueError as error:
        raise ScenarioError(str(error), file=folder, key="body.parameters") from error
    return dynamics


def load_dynamics(reference: str, folder: Path) -> Loaded:
    """Load the dynamics that a user wrote: `file.py:Class`.

    Raises:
        ScenarioError: the reference is no such thing, and no name in the registry.
        PluginError: the file or class can't be loaded.
    """
    if ":" not in reference:
        allowed = f"allowed: {', '.join(DYNAMICS)} or 'file.py:Class'{nearest(reference, DYNAMICS)}"
        raise ScenarioError(f"unknown dynamics {reference!r}; {allowed}", file=folder, key="body.dynamics")
    from twin.project.plugins import load_object

    return load_object(reference, folder)
