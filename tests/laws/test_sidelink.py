"""Sidelink: what a slot carries, when a packet arrives, who hears whom, and how often a block is lost."""

from itertools import combinations

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.ideal import IdealNetwork
from twin.network.nr.mcs import MCS_TABLES
from twin.network.nr.phy import GAP_DB, per_symbol, qam, transport_error
from twin.network.nr.sidelink import Sidelink, shared_elements
from twin.network.nr.tbs import code_blocks, transport_block_size
from twin.network.nr.with_sidelink import WithSidelink
from twin.network.topology import noise_dbm
from twin.specs.nr import SidelinkSpec
from twin.state import LinkState, Packet

SLOT, MS = 500_000, 1_000_000  # ns; 30 kHz
N1_HALF, N2_HALF = 10 * SLOT // 28, 12 * SLOT // 28  # TS 38.214 Tables 5.3-1 and 6.4-1, capability 1
AIR = 10 * SLOT // 14  # AGC and nine symbols
METRES_300_NS = 1000


def pool(count: int, gain_db: float | dict = -80.0, **settings) -> tuple[Sidelink, LinkState]:
    """Robots 0, 1, ... with one radio each, all 1000 ns apart; gains of pairs that are named, or of all."""
    radios = [Radio(i, i, i, (0.0, 0.0, 0.0), 3.5e9, 0.0, 23.0, 7.0) for i in range(count)]
    pairs = list(combinations(range(count), 2))
    gain = [gain_db if isinstance(gain_db, float) else gain_db.get(pair, -200.0) for pair in pairs]
    n = len(pairs)
    links = LinkState(
        0, *np.array(pairs, dtype=np.int32).T, np.array(gain), np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.full(n, METRES_300_NS * 1e-9), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip
    return Sidelink(SidelinkSpec(**settings), 1, [f"robot-{i}" for i in range(count)], radios), links


def packet(source: int, destination: int, created: int, sequence: int = 0, size: int = 100) -> Packet:
    return Packet(source, destination, "relay", sequence, size, created, created, None)


def carry(made: tuple[Sidelink, LinkState], packets: list[Packet], until: int = 10_000 * MS) -> Sidelink:
    sidelink, links = made
    for one in packets:
        sidelink.send(one)
    sidelink.advance(until, links)
    sidelink.arrived(until)
    return sidelink


@pytest.mark.parametrize(
    ("prbs", "mcs", "dmrs", "beta", "with_feedback", "without"),
    [(20, 4, 21, 3.5, 704, 1128), (20, 11, 15, 5, 1800, 2856), (10, 17, 12, 5, 984, 1928),
     (10, 4, 15, 3.5, 208, 432), (10, 27, 12, 2.5, 3496, None)],
)  # fmt: skip
def test_transport_blocks_have_the_sizes_of_the_reference_channels(prbs, mcs, dmrs, beta, with_feedback, without):
    """TS 38.521-4 Table A.6.2.2-1, R.PSSCH.2-1.1 to 2-1.5: slots with PSFCH (9 symbols) and without (12)."""
    qm, rate = int(MCS_TABLES["qam64"].qm[mcs]), int(MCS_TABLES["qam64"].rate2048[mcs])
    for symbols, expected in ((9, with_feedback), (12, without)):
        if expected is not None:
            elements = shared_elements(prbs, symbols, dmrs, beta, rate)
            assert transport_block_size(elements, rate, qm, 1) == expected


@pytest.mark.parametrize("robot", [0, 3])
def test_latency_is_processing_wait_ten_symbols_and_processing(robot):
    """Mode 1 gives robot i slot i of every period; arrivals are spread over a period and not in step with slots."""
    period = 8
    created = [k * 20 * MS + k * 12_347 for k in range(1, 300)]
    sent = [packet(robot, 1, time, k) for k, time in enumerate(created)]
    carry(pool(4, period=period), sent)
    for one in sent:
        ready = one.created + N2_HALF
        start = -(-(ready - robot * SLOT) // (period * SLOT)) * period * SLOT + robot * SLOT
        assert one.arrived == start + AIR + N1_HALF + METRES_300_NS
        assert one.uplink == (ready, start, start, start, 1, 0, (), one.arrived - METRES_300_NS)


@pytest.mark.parametrize("size", [100, 163, 164, 1000])
def test_a_packet_takes_as_many_reservations_as_its_bytes_need(size):
    """20 PRBs at MCS 10: ceil(59 x 5 / (2 x 340 / 1024)) = 445 REs of SCI, 1235 left, N_info = 1640, 1608 bits."""
    period, room = 10, 1608 // 8 - 5
    one = packet(0, 1, 0, size=size)
    carry(pool(2, period=period), [one])
    blocks = -(-(size + 32) // room)
    assert one.arrived == (blocks - 1 + 1) * period * SLOT + AIR + N1_HALF + METRES_300_NS
    assert one.uplink.transmissions == blocks


def test_who_sends_hears_nothing():
    """Two subchannels: robots 0 and 4 have slot 0 both; when both send, neither hears; the others do."""
    settings = {"period": 4, "subchannels": 2, "transmissions": 3}
    both, alone = [packet(0, 4, 0), packet(4, 0, 0)], packet(0, 4, 0)
    sidelink = carry(pool(5, **settings), both)
    assert [one.fate for one in both] == ["harq", "harq"]
    assert [one.uplink.transmissions for one in both] == [3, 3]
    assert [one.uplink.retransmitted for one in both] == [(8 * SLOT, 12 * SLOT)] * 2
    assert sidelink.counts == {"sidelink_collisions": 0, "sidelink_missed_while_sending": 6}
    carry(pool(5, **settings), [alone])
    assert alone.fate == "delivered"
    apart = [packet(0, 1, 0), packet(4, 2, 0)]
    carry(pool(5, **settings), apart)
    assert [one.fate for one in apart] == ["delivered"] * 2, "other subchannels don't interfere"


def test_reservations_drawn_by_chance_collide():
    """Mode 2 with 9 robots and 8 places: two must share one, and at equal gains neither is understood."""
    settings = {"mode": 2, "period": 4, "subchannels": 2, "transmissions": 1}
    made = pool(10, **settings)
    places = [(m.slot, m.subchannel) for m in made[0]._members.values()][:9]
    first, second = next(pair for pair in combinations(range(9), 2) if places[pair[0]] == places[pair[1]])
    both = [packet(first, 9, 0), packet(second, 9, 0)]
    sidelink = carry(made, both)
    assert [one.fate for one in both] == ["harq", "harq"]
    assert sidelink.counts["sidelink_collisions"] == 2
    near = {(first, 9): -70.0, (second, 9): -110.0}
    captured = [packet(first, 9, 0), packet(second, 9, 0)]
    carry(pool(10, near, **settings), captured)
    assert [one.fate for one in captured] == ["delivered", "harq"], "the one 40 dB stronger is"


def test_blocks_are_lost_as_often_as_the_normal_approximation_says():
    """At the ratio where half of all first transmissions fail, for 800 blocks sent once."""
    rate, qm, prbs = int(MCS_TABLES["qam64"].rate2048[10]), 4, 20
    elements = shared_elements(prbs, 9, 12, 5.0, rate)
    blocks, bits = code_blocks(int(transport_block_size(elements, rate, qm, 1)), rate)
    snr_db = np.linspace(-5, 15, 2001)
    errors = []
    for snr in snr_db:
        capacity, dispersion = per_symbol(qam(), qm, 10 ** ((snr - GAP_DB) / 10))
        errors.append(transport_error(bits, blocks, elements, elements * capacity, elements * dispersion))
    i = int(np.argmin(np.abs(np.array(errors) - 0.5)))
    gain = float(snr_db[i] + noise_dbm(12 * 30e3 * prbs, 7.0) - 23.0)
    sent = [packet(0, 1, k * 10 * MS, k) for k in range(800)]
    carry(pool(2, gain, transmissions=1), sent, until=20_000 * MS)
    lost = sum(one.fate == "harq" for one in sent) / len(sent)
    assert lost == pytest.approx(errors[i], abs=4 * np.sqrt(0.25 / len(sent)))


def test_a_chain_relays_beyond_the_reach_of_one_link():
    """0 reaches 1, and 1 reaches 2, but 0 doesn't reach 2."""
    reach = {(0, 1): -90.0, (1, 2): -90.0}
    direct, first = packet(0, 2, 0), packet(0, 1, 0, 1)
    carry(pool(3, reach), [direct])
    assert direct.fate == "harq"
    carry(made := pool(3, reach), [first])
    second = packet(1, 2, first.arrived, 2)
    carry(made, [second])
    assert second.fate == "delivered" and second.arrived > first.arrived


def test_everything_is_accounted_for_and_old_packets_are_discarded():
    """One sets out at 10, 20, ... 200 ms; at 210 ms the rest is too old. The one of 150 ms is on the air then."""
    sent = [packet(0, 1, 0, k) for k in range(50)]
    sidelink = carry(pool(2, discard="205 ms"), sent, until=150 * MS)
    assert len(sidelink.settled()) == 14 and len(sidelink.queued()) == 36
    sidelink.advance(10_000 * MS, pool(2)[1])
    sidelink.arrived(10_000 * MS)
    fates = [one.fate for one in sidelink.settled()]
    assert fates.count("delivered") == 6 and fates.count("discarded") == 30


def test_what_is_not_between_two_members_goes_through_the_network():
    sidelink, links = pool(2)
    network = WithSidelink(IdealNetwork(["robot-0", "robot-1", "edge"], [True, True, False]), sidelink)
    direct, up = packet(0, 1, 0), packet(0, 2, 3 * MS)
    network.send([direct, up])
    batches = list(network.run(100 * MS, links))
    assert [one for batch in batches for one in batch.packets] == [up, direct]
    assert up.arrived == 3 * MS and direct.arrived == 20 * SLOT + AIR + N1_HALF + METRES_300_NS
    assert network.settled() == [up, direct] and network.queued() == []


def test_pools_that_are_too_small_are_refused():
    with pytest.raises(ScenarioError, match="4 slots of 1 subchannels are too few for all robots"):
        pool(5, period=4)
    with pytest.raises(ScenarioError, match="10 resource blocks hold nothing beside control"):
        pool(2, subchannel_prbs=10, mcs=0)
    with pytest.raises(ScenarioError, match="fewer than two robots have a radio at 28 GHz"):
        pool(2, frequency=28e9)
