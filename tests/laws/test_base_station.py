"""What a real base station takes of the air and of time: SSB, PRACH, its scheduler's lead, and how many it grants."""

import numpy as np
import pytest

from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.specs.nr import CarrierSpec, QosSpec

MS, SLOT = 1_000_000, 500_000


def carrier(terminals: int = 1, **settings) -> Carrier:
    """FDD at 30 kHz, at 50 dB: nothing is ever lost."""
    spec = CarrierSpec(**({"duplex": "fdd", "resource_blocks": 40, "false_alarm": 1e-6} | settings))
    made = Carrier(spec, [QosSpec()], [f"t{i}" for i in range(terminals)], 1, seed=1, segment_header=5, ahead=0)
    made.state.ratio[:] = 1e5
    made.report(np.full(terminals, 50.0), np.full(terminals, 50.0))
    for terminal in range(terminals):
        made.attach(terminal, 0, 0)
    return made


def send(made: Carrier, links: list[int], size: int, created: np.ndarray) -> np.ndarray:
    """Send a packet a link and time; return how long each took [ns], in order."""
    links = np.repeat(links, len(created))
    times = np.tile(created, len(links) // len(created))
    rows = made.enter(np.stack([links, np.full(len(links), size), times, times, np.arange(len(links))], axis=1))
    made.advance(int(created[-1]) + 3000 * MS, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    assert (fates["fate"] == cs.DELIVERED).all() and len(fates) == len(links)
    decoded = dict(zip(fates["packet"].tolist(), fates["time"].tolist(), strict=True))
    return np.array([decoded[row] for row in rows.tolist()]) - times


@pytest.mark.parametrize(("way", "settings", "left"), [
    (cs.DOWN, {"ssb_period": "5 ms", "ssb_beams": 8}, 1 - 4 / 10 * 20 / 40),  # SSB: 20 of 40 PRBs in 4 of 10 slots
    (cs.DOWN, {"ssb_period": "20 ms", "ssb_beams": 2}, 1 - 1 / 40 * 20 / 40),
    (cs.UP, {"prach_period": "1 ms"}, 1 - 1 / 2 * 12 / 40),  # PRACH: 12 PRBs in every second slot
])  # fmt: skip
def test_ssb_and_prach_take_their_resource_blocks(way, settings, left):
    """A long packet takes longer by 1 / what is left; blocks are whole bytes and few hundred slots: 2 %."""
    alone = send(carrier(control="ideal"), [way], 2_000_000, np.zeros(1, dtype=np.int64))
    beside = send(carrier(**settings), [way], 2_000_000, np.zeros(1, dtype=np.int64))
    assert alone / beside == pytest.approx(left, rel=0.02)


@pytest.mark.parametrize("way", [cs.DOWN, cs.UP])
@pytest.mark.parametrize("slots", [1, 10])
def test_the_lead_of_the_scheduler_is_added_once_a_packet(way, slots):
    """Downlink: from the packet to its slot. Uplink: from the request to its grant."""
    created = 100 * MS + np.arange(50, dtype=np.int64) * 50 * MS + np.arange(50) * SLOT // 50
    took = []
    for lead in (0, slots * SLOT):
        made = carrier(control="ideal", lead=f"{lead} ns")
        packets = created + (0 if way == cs.UP else made.grid.assign)  # as `enter` adds it to what isn't processed
        took.append(send(made, [way], 40, packets) + packets - created)
    assert took[1] - took[0] == pytest.approx(slots * SLOT)


def test_no_more_are_granted_in_an_occasion_than_stated():
    made = carrier(8, control="ideal", grants=3)
    send(made, [2 * t + cs.DOWN for t in range(8)], 40, np.array([MS]))
    _, per_slot = np.unique(made.state.fates["first"][:8], return_counts=True)
    assert per_slot.tolist() == [3, 3, 2]


def test_an_uplink_grant_is_as_wide_as_its_cap_needs():
    """The fewest resource blocks that hold 40 bytes: one less would hold less. 1,000 bytes take many of them."""
    made = carrier(control="ideal", grant_cap="40 B", sr_grant="40 B")
    made.report(np.full(1, 12.5), np.full(1, 50.0))
    send(made, [cs.UP], 1000, np.array([MS]))
    used = made.state.blocks[made.state.blocks["size"] > 0]
    narrower = used["size"] * (used["prbs"] - 1) / used["prbs"]
    assert len(used) and (narrower < 8 * 40 + 24).all(), "sizes step by 24 bits at most: TS 38.214 5.1.3.2"
    assert made.state.links["sequence"][cs.UP] >= 1000 / (used["size"].max() / 8)
