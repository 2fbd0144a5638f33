"""Fifty devices, 40 bytes each millisecond, 1 ms budget: what slots and grants cost, and what 6G-like settings do."""

from collections import Counter

import numpy as np

from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.specs.nr import NrSpec
from twin.state import LinkState, Packet

DEVICES, PERIODS, MS = 50, 50, 1_000_000
BUDGET = 1 * MS
FIVE_G = {
    "carriers": {"n78": {"scs": "30 kHz", "pattern": "DDDSU", "symbols": 14}},
    "qos": {"telemetry": {"uplink": "dynamic", "error_target": 0.1}},
}
SIX_G = {
    "carriers": {
        "n104": {"scs": "120 kHz", "resource_blocks": 264, "duplex": "fdd", "symbols": 2, "capability": 1}
    },
    "qos": {"telemetry": {"uplink": "configured", "period": 7, "size": 80, "error_target": 1e-5}},
}


def network(settings: dict[str, object]) -> tuple[NrNetwork, LinkState]:
    origin = (0.0, 0.0, 0.0)
    radios = [Radio(i, i, i, origin, 3.5e9) for i in range(DEVICES)]
    radios.append(Radio(DEVICES, DEVICES, None, origin, 3.5e9, 0.0, 30.0, role="cell"))
    names = [f"axis-{i}" for i in range(DEVICES)] + ["cell", "edge"]
    spec = NrSpec(kind="nr", backhaul="20 us", **settings)
    n, index = DEVICES, np.arange(DEVICES, dtype=np.int32)
    gain = np.random.default_rng(1).uniform(-85.0, -65.0, n)
    links = LinkState(
        0, index, np.full(n, n, dtype=np.int32), gain, np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.zeros(n), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip
    return NrNetwork(spec, 1, names, [True] * n + [False, False], radios), links


def reason(packet: Packet) -> str:
    """Say what alone made a packet late: the time before its first transmission, a further one, or the rest."""
    if packet.uplink.first - packet.created > BUDGET:
        return "waiting for a grant"
    return "retransmission" if packet.uplink.retransmissions else "transmission"


def run(settings: dict[str, object]) -> tuple[float, Counter[str]]:
    """Return the share of packets within the budget, and why the others are late."""
    made, links = network(settings)
    offsets = np.random.default_rng(2).integers(0, MS, DEVICES)
    sent = [
        Packet(d, DEVICES + 1, "telemetry", k, 40, (k + 10) * MS + int(offsets[d]), 0, None)
        for k in range(PERIODS)
        for d in range(DEVICES)
    ]
    made.send(sent)
    delivered = [p for batch in made.run((PERIODS + 60) * MS, links) for p in batch.packets]
    assert len(delivered) == len(sent)
    late = [p for p in delivered if p.arrived - p.created > BUDGET]
    reasons = Counter(map(reason, late))
    return 1 - len(late) / len(sent), reasons


def test_slots_with_dynamic_grants_miss_the_budget_because_of_the_grant():
    """At 30 kHz the request, the grant and N2 alone take 1 + 1 + 12 symbols and two alignments: over 1 ms."""
    share, reasons = run(FIVE_G)
    assert share < 0.002, "but for a false alarm that comes at the right time"
    assert reasons["waiting for a grant"] > 0.9 * reasons.total()


def test_mini_slots_with_configured_grants_at_120_khz_keep_the_budget():
    """N2 / 2 + one period of 7 occasions + 2 symbols + N1 / 2 = 18 + 14 + 2 + 11.5 symbols of 8.9 us: 0.41 ms."""
    share, reasons = run(SIX_G)
    assert share == 1.0, reasons
