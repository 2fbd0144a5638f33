"""The network of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.link import Radio
from twin.network.fixed import FixedNetwork
from twin.network.ideal import IdealNetwork
from twin.network.nr.network import NrNetwork
from twin.network.nr.sidelink import Sidelink
from twin.network.nr.with_sidelink import WithSidelink
from twin.network.recorded import RecordedNetwork
from twin.network.simple import SimpleNetwork
from twin.network.trace import TraceNetwork
from twin.project.project import Project
from twin.protocols import Network
from twin.recording.fates import packet_fates
from twin.registry import NETWORKS
from twin.specs import FixedSpec, IdealSpec, NetworkSpec, NrSpec, RecordedSpec, SimpleSpec, TraceSpec
from twin.state import Node


@dataclass(frozen=True, slots=True)
class Ends:
    """Whom a network joins, and what else it may need to know."""

    nodes: Sequence[Node]
    radios: Sequence[Radio]
    lookahead: int  # ns, the least time to any answer of a node without a body
    seed: int
    project: Project

    @property
    def names(self) -> list[str]:
        """Names of the nodes."""
        return [node.name for node in self.nodes]

    @property
    def embodied(self) -> list[bool]:
        """Whether each node has a body, and takes what arrives at its next control tick."""
        return [node.body >= 0 for node in self.nodes]


def make_network(spec: NetworkSpec, ends: Ends) -> Network:
    """Return the network that a scenario names, with its sidelink if it has one.

    Raises:
        ScenarioError: these nodes can't be joined like that.
        PluginError: a package brings it, and it can't be imported.
    """
    network: Network = NETWORKS[spec.kind](spec, ends)
    sidelink = getattr(spec, "sidelink", None)
    if sidelink is None:
        return network
    return WithSidelink(network, Sidelink(sidelink, ends.seed, ends.names, ends.radios))


def ideal(spec: IdealSpec, ends: Ends) -> Network:
    """Return the network without delay."""
    return IdealNetwork(ends.names, ends.embodied, ends.lookahead)


def fixed(spec: FixedSpec, ends: Ends) -> Network:
    """Return a network of a given delay."""
    return FixedNetwork(spec, ends.seed, ends.names, ends.embodied, ends.lookahead)


def trace(spec: TraceSpec, ends: Ends) -> Network:
    """Return a network of measured round trips."""
    there = spec.model_copy(update={"file": ends.project.file(spec.file)})
    return TraceNetwork(there, ends.names, ends.embodied, ends.lookahead)


def recorded(spec: RecordedSpec, ends: Ends) -> Network:
    """Return a network in which packets fare as in a recorded run."""
    fates = packet_fates(ends.project.file(spec.recording))
    return RecordedNetwork(fates, ends.names, ends.embodied, ends.lookahead)


def simple(spec: SimpleSpec, ends: Ends) -> Network:
    """Return a network of one queue a radio link."""
    return SimpleNetwork(spec, ends.names, ends.embodied, ends.radios, ends.lookahead)


def nr(spec: NrSpec, ends: Ends) -> Network:
    """Return a slot-level radio network."""
    return NrNetwork(spec, ends.seed, ends.names, ends.embodied, ends.radios, ends.lookahead)
