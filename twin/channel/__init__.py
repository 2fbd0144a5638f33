"""Propagation between radios: free space and ray tracing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.channel.freespace import FreeSpace
    from twin.channel.tracer import RayTracer

__all__ = ["FreeSpace", "RayTracer"]


def __getattr__(name: str) -> Any:
    """Import a channel when it is first asked for: each costs seconds of compiled code."""
    from importlib import import_module

    homes = {"FreeSpace": "twin.channel.freespace", "RayTracer": "twin.channel.tracer"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)
