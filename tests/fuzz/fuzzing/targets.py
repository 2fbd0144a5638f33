"""All that is tried: a module with `targets()` is added here."""

from __future__ import annotations

from fuzzing import frames, projects, recordings, sites, tables
from fuzzing.harness import Target


def all_targets() -> list[Target]:
    """Return the targets in the order in which they are tried."""
    return [target for module in (sites, tables, projects, recordings, frames) for target in module.targets()]
