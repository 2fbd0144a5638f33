"""Whether all that draws in a twin can go on with another seed."""

from __future__ import annotations

from twin.assembly.built import Built
from twin.errors import ScenarioError
from twin.network.nr.with_sidelink import WithSidelink
from twin.numerics.seeds import Reseeds
from twin.registry import SENSORS


def check_reseeds(built: Built) -> None:
    """See that nothing keeps draws of its own when the seed changes: they would be those of the past once more.

    Raises:
        ScenarioError: a controller runs in another process, or a package's sensor or network has no `reseed`.
    """
    for entry in built.entries:
        if entry.link is not None:
            message = "runs in another process, which keeps its own draws; allowed with another seed: classes"
            raise ScenarioError(message, key=f"robots.{entry.name}.controller")
        for sensor in entry.kind.sensors:
            _check(SENSORS[sensor.kind], f"sensor {sensor.kind!r}", f"robots.{entry.name}.spec.sensors")
    network = built.twin.network
    if isinstance(network, WithSidelink):
        network = network.network
    if not isinstance(network, Reseeds):
        _check(type(network), f"network {built.scenario.network.kind!r}", "network.kind")


def _check(kind: type, name: str, key: str) -> None:
    """Refuse a class that isn't of twin itself and has no `reseed`: nobody knows whether it draws."""
    if not kind.__module__.startswith("twin.") and not hasattr(kind, "reseed"):
        message = f"{name} has no reseed(seed), so its draws can't go on with another seed; one that draws nothing "
        raise ScenarioError(message + "has an empty one", key=key)
