"""Above the MAC: cables with a rate are queues, hardware adds what its distribution says, headers weigh."""

import numpy as np
import pytest

from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.network.simple import SimpleNetwork
from twin.specs import SimpleSpec
from twin.specs.nr import NrSpec
from twin.state import LinkState, Packet

ROBOTS, NEAR, FAR = 4, 5, 6
NAMES = [*(f"robot-{i}" for i in range(ROBOTS)), "cell", "near", "far"]
EMBODIED = [True] * ROBOTS + [False] * 3
MS, SECOND = 1_000_000, 1_000_000_000
RATE, DELAY, FAR_DELAY, HEADER = 2_000_000, 300_000, 900_000, 32
N2_HALF = 12 * 500_000 // 28


def made(spec, kind=NrNetwork, lookahead=0):
    radios = [Radio(i, i, i, (0.0, 0.0, 0.0), 3.5e9) for i in range(ROBOTS)]
    radios.append(Radio(ROBOTS, ROBOTS, None, (0.0, 0.0, 0.0), 3.5e9, 0.0, 46.0, role="cell"))
    n, index = ROBOTS, np.arange(ROBOTS, dtype=np.int32)
    links = LinkState(
        0, index, np.full(n, n, dtype=np.int32), np.full(n, -80.0), np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.zeros(n), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip
    if kind is SimpleNetwork:
        return SimpleNetwork(spec, NAMES, EMBODIED, radios, lookahead), links
    return NrNetwork(spec, 1, NAMES, EMBODIED, radios, lookahead), links


def run(network, links, steps=1, answer_after=None, until=SECOND):
    """Send random packets up, between robots and down; servers answer each one; return all of them."""
    rng = np.random.default_rng(3)
    sent = []
    for source in range(ROBOTS):
        for k, created in enumerate(np.sort(rng.integers(1, until - 200 * MS, 60)).tolist()):
            to = int(rng.choice([NEAR, FAR, (source + 1) % ROBOTS]))
            sent.append(Packet(source, to, "telemetry", k, int(rng.integers(50, 400)), created, created, None))
    for k, created in enumerate(np.sort(rng.integers(1, until - 200 * MS, 80)).tolist()):
        sent.append(Packet(NEAR, k % ROBOTS, "video", k, 900, created, created, None))
    network.send(sent)
    answers = 0
    for step in range(1, steps + 1):
        for batch in network.run(until * step // steps, links):
            for packet in batch.packets if answer_after is not None else ():
                if not EMBODIED[packet.destination]:
                    created = packet.arrived + answer_after
                    back = Packet(packet.destination, packet.source, "command", answers, 60, created, created, None)
                    answers += 1
                    sent.append(back)
                    network.send([back])
    return [packet for packet in sent if packet.fate == "delivered"]


def leaving(arrivals, sizes):
    """Lindley's recursion: each packet leaves its own time on the cable after it came or the one before it left."""
    free, found = 0, []
    for time, size in zip(arrivals, sizes, strict=True):
        free = max(time, free) + round(8 * (size + HEADER) * SECOND / RATE)
        found.append(free)
    return found


SPEC = {"kind": "nr", "backhaul": DELAY / SECOND, "edges": {"far": FAR_DELAY / SECOND}, "backhaul_rate": RATE}


@pytest.mark.parametrize(("lookahead", "steps"), [(0, 1), (0, 50), (400_000, 50)])
def test_a_cable_is_a_queue_at_its_rate(lookahead, steps):
    delivered = run(*made(NrSpec(**SPEC), lookahead=lookahead), steps, answer_after=400_000)
    queued = 0
    for server, delay in ((NEAR, DELAY), (FAR, FAR_DELAY)):
        up = sorted((p for p in delivered if p.destination == server), key=lambda p: (p.uplink.decoded, p.source))
        down = sorted((p for p in delivered if p.source == server), key=lambda p: (p.created, p.destination, p.kind))
        assert len(up) > 60 and len(down) > 60
        times = leaving([p.uplink.decoded for p in up], [p.size for p in up])
        assert [p.arrived for p in up] == [time + delay for time in times]
        times = leaving([p.created for p in down], [p.size for p in down])
        assert [p.downlink.queued for p in down] == [time + delay + N2_HALF for time in times]
        alone = [8 * (p.size + HEADER) * SECOND // RATE for p in down]
        queued += sum(t - p.created > own + 1 for t, p, own in zip(times, down, alone, strict=True))
    assert queued > 20, "it was put to the test"
    between = sorted((p for p in delivered if p.uplink and p.downlink), key=lambda p: p.uplink.decoded)
    assert len(between) > 60
    there = leaving([p.uplink.decoded for p in between], [p.size for p in between])
    back = leaving([time + DELAY for time in there], [p.size for p in between])
    assert [p.downlink.queued for p in between] == [time + DELAY + N2_HALF for time in back]


def test_running_ahead_and_the_length_of_steps_change_nothing_with_cables():
    runs = []
    for ahead, steps in ((0, 1), (400_000, 1), (0, 90), (400_000, 33)):
        delivered = run(*made(NrSpec(**SPEC), lookahead=ahead), steps, 400_000)
        runs.append(sorted((p.source, p.kind, p.sequence, p.arrived) for p in delivered))
    assert runs[0] == runs[1] == runs[2] == runs[3]


def test_the_simple_network_has_the_same_cables():
    spec = SimpleSpec(kind="simple", backhaul=DELAY / SECOND, backhaul_rate=RATE)
    delivered = run(*made(spec, SimpleNetwork))
    up = sorted((p for p in delivered if p.destination == FAR), key=lambda p: p.uplink.decoded)
    free = 0
    for packet in up:
        free = max(packet.uplink.decoded, free) + 8 * packet.size * SECOND // RATE
        assert packet.arrived == free + DELAY


@pytest.mark.parametrize(("kind", "mean"), [("uniform", 0.5), ("exponential", 1.0), ("normal", 1 / np.sqrt(2 * np.pi))])
def test_hardware_adds_what_its_distribution_says(kind, mean):
    """Means in units of the scale; a normal one is cut at 0, so half of its draws are nothing."""
    scale = 2 * MS
    quiet = run(*made(NrSpec(kind="nr")))
    noisy = run(*made(NrSpec(kind="nr", terminal_jitter={"kind": kind, "scale": scale / SECOND})))
    assert {p.uplink.queued - p.created for p in quiet if p.uplink} == {N2_HALF}
    added = np.array([p.uplink.queued - p.created - N2_HALF for p in noisy if p.uplink])
    assert (added >= 0).all() and len(added) > 200
    assert added.mean() == pytest.approx(mean * scale, abs=4 * added.std() / np.sqrt(len(added)))
    station = run(*made(NrSpec(kind="nr", base_station_jitter={"kind": kind, "scale": scale / SECOND})))
    added = np.array([p.arrived - p.uplink.decoded - 500_000 for p in station if p.destination in (NEAR, FAR)])
    assert (added >= 0).all() and added.max() > 0
    assert added.mean() == pytest.approx(mean * scale, abs=4 * added.std() / np.sqrt(len(added)))


def test_headers_are_carried():
    """IPv4 20, UDP 8, SDAP 1 and PDCP 3 bytes a packet."""
    network, links = made(NrSpec(kind="nr"))
    network.send([Packet(0, NEAR, "telemetry", 0, 100, 0, 0, None)])
    list(network.run(SECOND, links))
    (band,) = network.bands
    assert band.carrier.state.packets["size"].max() == 100 + 20 + 8 + 1 + 3
