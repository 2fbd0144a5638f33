"""Segments, discard timers, semi-persistent allocations and preemption: who is sent when, to the byte and the slot."""

import numpy as np
import pytest

from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.specs.nr import CarrierSpec, QosSpec

HEADER, SLOT = 5, 500_000


def carrier(qos: list[QosSpec], terminals: int = 1, snr_db: float = 60.0, **settings) -> Carrier:
    spec = CarrierSpec(**({"duplex": "fdd", "resource_blocks": 50, "cces": 16, "control": "ideal"} | settings))
    names = [f"t{i}" for i in range(terminals)]
    made = Carrier(spec, qos, names, 1, seed=1, segment_header=HEADER, ahead=0)
    made.state.ratio[:] = 10 ** (snr_db / 10)
    made.report(np.full(terminals, snr_db), np.full(terminals, snr_db))
    for terminal in range(terminals):
        made.attach(terminal, 0, 0)
    return made


def enter(made: Carrier, bearer: int, size: int, time: int, number: int = 0) -> int:
    return int(made.enter(np.array([[bearer, size, time, time, number]]))[0])


def fate_of(made: Carrier, row: int):
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    return fates[fates["packet"] == row][0]


def test_a_long_packet_is_cut_into_as_many_segments_as_its_bytes_and_headers_need():
    """Each block of B bytes carries B - 5 of the packet: ceil(size / (B - 5)) slots in a row."""
    made = carrier([QosSpec()])
    row = enter(made, cs.DOWN, 100_000, 0)
    made.advance(100 * SLOT, False)
    largest = int(made.state.blocks["size"].max()) // 8
    blocks = -(-100_000 // (largest - HEADER))
    fate = fate_of(made, row)
    assert fate["transmissions"] == blocks
    assert fate["time"] == fate["first"] + blocks * SLOT + made.grid.n1_half


def test_a_packet_is_dropped_when_its_discard_timer_runs_out_unless_a_part_was_sent():
    """Behind a packet that takes many slots, one waits longer than discardTimer; the long one is sent to its end."""
    made = carrier([QosSpec(discard="10 ms")])
    long, short = enter(made, cs.DOWN, 200_000, 0, 0), enter(made, cs.DOWN, 100, 1, 1)
    made.advance(200 * SLOT, False)
    assert fate_of(made, long)["fate"] == cs.DELIVERED
    assert fate_of(made, long)["time"] > 10_000_000
    assert fate_of(made, short)["fate"] == cs.DISCARDED
    assert fate_of(made, short)["time"] == 10_000_001


def test_semi_persistent_packets_go_in_every_nth_slot_without_control_channel():
    """Terminal t has slots t, t + 4, ...; with all of PDCCH taken (none fits) they still go out."""
    made = carrier([QosSpec(downlink="semi-persistent", period=4, size=100)], terminals=3, snr_db=-3.0)
    made._hold(made.state._replace(config=made.state.config._replace(cces=0)))
    for terminal in range(3):
        made.want_persistent(2 * terminal + cs.DOWN, 0)
    rows = [[enter(made, 2 * t + cs.DOWN, 60, 8 * k * SLOT + 1, 8 * t + k) for k in range(1, 6)] for t in range(3)]
    made.advance(100 * SLOT, False)
    for terminal in range(3):
        first = np.array([fate_of(made, row)["first"] for row in rows[terminal]])
        expected = 8 * np.arange(1, 6) + (terminal if terminal else 4)  # after the start of slot 8 k
        assert (first // SLOT == expected).all()


def background(preemption: bool) -> tuple[Carrier, int, int]:
    """A long packet fills slots of seven mini-slots when an urgent one comes in the midst of the first."""
    qos = [QosSpec(priority=10), QosSpec(priority=60, duration="slot")]
    made = carrier(qos, terminals=2, symbols=2, preemption=preemption, scheduler="strict-priority")
    long = enter(made, 2 * cs.DOWN + 1, 8_000, 0, 0)
    urgent = enter(made, (2 + cs.DOWN) * 2, 100, 2 * SLOT // 7 + 1, 1)
    made.advance(200 * SLOT, False)
    return made, long, urgent


def test_an_urgent_packet_preempts_a_long_transmission_and_waits_for_it_otherwise():
    made, _, urgent = background(preemption=True)
    assert fate_of(made, urgent)["first"] == 3 * SLOT // 7
    assert made.preempted > 0
    made, _, urgent = background(preemption=False)
    assert fate_of(made, urgent)["first"] == SLOT
    assert made.preempted == 0


def test_who_is_preempted_loses_exactly_the_information_of_those_resource_elements():
    made, _, urgent = background(preemption=True)
    taken = made.state.blocks[(2 + cs.DOWN) * cs.HARQ_PROCESSES]["prbs"]
    victim = made.state.blocks[cs.DOWN * cs.HARQ_PROCESSES]
    assert victim["lost"] == pytest.approx(taken / (50 * 7), rel=1e-12)
