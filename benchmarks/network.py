"""How fast the slot-level network is: 200 terminals, 100 bytes every 10 ms in both directions, 0.125 ms slots.

Usage: python benchmarks/network.py [--terminals 200] [--seconds 1] [--rounds 8]

Prints how many times faster than real time the kernel alone runs, and the whole network with its deliveries
to Python, in CPU time, beside a slot loop without any protocol, and what it costs that control channels can fail. Each
round does the same work, all in turn; of each 10 ms the quickest round counts, since others use the machine too. Every
packet is accounted for in the end.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from time import process_time

import numpy as np
from bare_slots import speed

from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.runs.run import rare_collection
from twin.specs.nr import CarrierSpec, NrSpec
from twin.state import LinkState, Packet

PERIOD = 10_000_000
BACKHAUL = 500_000
SERVICE = 500_000
"""ns, the least compute time at the edge: how far the network may run ahead."""


def make(terminals: int, control: str = "real") -> tuple[NrNetwork, LinkState]:
    origin = (0.0, 0.0, 0.0)
    radios = [Radio(i, i, i, origin, 28e9) for i in range(terminals)]
    radios.append(Radio(terminals, terminals, None, origin, 28e9, 0.0, 40.0, role="cell"))
    names = [f"t{i}" for i in range(terminals)] + ["cell", "edge"]
    spec = NrSpec(
        kind="nr",
        backhaul=BACKHAUL / 1e9,
        carriers={"n257": CarrierSpec(frequency=28e9, scs=120e3, pattern="DDSUU", coreset=2, control=control)},
    )
    network = NrNetwork(spec, 1, names, [True] * terminals + [False, False], radios, SERVICE)
    n, index = terminals, np.arange(terminals, dtype=np.int32)
    gain = np.random.default_rng(1).uniform(-115.0, -85.0, n)
    links = LinkState(
        0, index, np.full(n, n, dtype=np.int32), gain, np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.zeros(n), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip
    return network, links


def traffic(terminals: int, seconds: float) -> Iterator[list[Packet]]:
    """Yield the packets of each period, created at random offsets in it."""
    offsets = np.random.default_rng(2).integers(0, PERIOD, 2 * terminals).tolist()
    edge = terminals + 1
    for k in range(int(seconds * 1e9) // PERIOD):
        up = [Packet(t, edge, "telemetry", k, 100, k * PERIOD + offsets[t], 0, None) for t in range(terminals)]
        down = [
            Packet(edge, t, "command", k, 100, k * PERIOD + offsets[terminals + t], 0, None) for t in range(terminals)
        ]
        yield up + down


def in_kernel(terminals: int, seconds: float, control: str = "real") -> list[float]:
    """Return the CPU seconds of the kernel alone in each period, fed once per period."""
    network, links = make(terminals, control)
    network._trace(0, links)
    (band,) = network.bands
    used = []
    for k, packets in enumerate(traffic(terminals, seconds)):
        network.send(packets)
        network._transit.enter(band, network.spec.header)
        start = process_time()
        band.carrier.advance((k + 1) * PERIOD, False)
        used.append(process_time() - start)
        network._drain(band)
    return used


def with_deliveries(terminals: int, seconds: float) -> tuple[list[float], float]:
    """Return the CPU seconds of sending, running and delivering in each period, and the mean latency [ms]."""
    network, links = make(terminals)
    sent, delivered, delay = 0, 0, 0
    used = []
    for k, packets in enumerate(traffic(terminals, seconds)):
        sent += len(packets)
        start = process_time()
        network.send(packets)
        for batch in network.run((k + 1) * PERIOD, links):
            delivered += len(batch.packets)
        settled = network.settled()
        used.append(process_time() - start)
        delay += sum(packet.arrived - packet.created for packet in settled)
    assert delivered + len(network.queued()) == sent, "a packet is missing"
    return used, delay / delivered / 1e6


def speed_of(rounds: list[list[float]]) -> float:
    """Return simulated over CPU seconds, from those of each period in each round."""
    return len(rounds[0]) * PERIOD / 1e9 / sum(map(min, zip(*rounds, strict=True)))


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--terminals", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    in_kernel(2, 0.05)  # compiles
    work = given.terminals, given.seconds
    bares, kernels, ideals, wholes = [], [], [], []
    with rare_collection():
        for _ in range(given.rounds):
            bares.append(speed(*work))
            kernels.append(in_kernel(*work))
            ideals.append(in_kernel(*work, "ideal"))
            used, latency = with_deliveries(*work)
            wholes.append(used)
    bare, kernel, ideal, whole = max(bares), speed_of(kernels), speed_of(ideals), speed_of(wholes)
    print(f"bare slot loop:  {bare:6.1f} times real time (a yardstick of the machine)")
    print(f"kernel:          {kernel:6.1f} times real time, {kernel / bare:.2f} of the bare loop")
    print(f"ideal control:   {ideal:6.1f} times real time: control channels that fail cost {ideal / kernel - 1:.1%}")
    print(f"with deliveries: {whole:6.1f} times real time, {whole / bare:.2f}, mean latency {latency:.2f} ms")


if __name__ == "__main__":
    main()
