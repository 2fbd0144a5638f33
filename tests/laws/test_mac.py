"""Laws of the slot-level MAC: queueing, fairness, conservation, independence of how far it runs ahead."""

import numpy as np
import pytest

from twin.link import Radio
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.network import NrNetwork
from twin.network.nr.tbs import transport_block_size
from twin.specs.nr import CarrierSpec, NrSpec, QosSpec
from twin.state import LinkState, Packet

HEADER = 5


def carrier(snr_db: list[float], **settings) -> Carrier:
    qos = settings.pop("qos", [QosSpec()])
    spec = CarrierSpec(**({"duplex": "fdd", "resource_blocks": 50, "cces": 16, "control": "ideal"} | settings))
    names = [f"t{i}" for i in range(len(snr_db))]
    made = Carrier(spec, qos, names, 1, seed=1, segment_header=HEADER, ahead=0)
    made.state.ratio[:] = 10 ** (np.array(snr_db)[:, None] / 10)
    made.report(np.array(snr_db), np.array(snr_db))
    for terminal in range(len(snr_db)):
        made.attach(terminal, 0, 0)
    return made


@pytest.mark.parametrize("load", [0.3, 0.6, 0.9])
def test_packets_that_fill_a_slot_wait_like_a_slotted_m_d_1_queue(load):
    """Service S = one slot begins at slot starts only: the mean wait is S / 2 + load S / (2 (1 - load))."""
    made = carrier([60.0])
    slot, count = made.grid.slot, 60_000
    elements = 50 * (12 * 13 - 12)  # 50 PRBs, 14 symbols less one with PDCCH, 12 REs of DM-RS
    largest = transport_block_size(elements, int(made.state.mcs[1, -1]), int(made.state.mcs[0, -1]), 1)
    size = largest // 8 - HEADER  # nothing else fits beside it
    gaps = np.random.default_rng(3).exponential(slot / load, count)
    created = np.cumsum(gaps).astype(np.int64) + 100 * slot
    columns = np.full(count, cs.DOWN), np.full(count, size), created, created + made.grid.n2_half, np.arange(count)
    rows = made.enter(np.stack(columns, axis=1))
    made.advance(int(created[-1]) + 1000 * slot, False)
    fates = made.state.fates[: made.state.counts[cs.DECIDED]]
    assert len(fates) == count
    assert (fates["transmissions"] == 1).all()
    decoded = np.zeros(len(made.state.packets), dtype=np.int64)
    decoded[fates["packet"]] = fates["time"]
    waits = decoded[rows] - created - made.grid.n2_half - slot - made.grid.n1_half
    theory = slot / 2 + load * slot / (2 * (1 - load))
    means = waits.reshape(30, -1).mean(axis=1)
    half_width = 3.66 * means.std(ddof=1) / np.sqrt(30)  # 99.9 % of Student's t with 29 degrees of freedom
    assert waits.mean() == pytest.approx(theory, abs=half_width)


@pytest.mark.parametrize("scheduler", ["proportional-fair", "round-robin"])
def test_full_buffers_get_equal_shares_of_the_slots_whatever_their_channel(scheduler):
    """Proportional fairness over constant channels is equal time; rates then differ as the channels do."""
    made = carrier([5.0, 12.0, 20.0, 30.0], scheduler=scheduler)
    for terminal in range(4):
        made.endless(2 * terminal + cs.DOWN, 0, 0)
    made.advance(2_000_000_000, False)
    blocks = made.state.links["sequence"][1::2]
    assert blocks.sum() > 3000
    assert np.ptp(blocks) <= 0.02 * blocks.mean()


def served_first(scheduler: str, qos: list[QosSpec], created: list[int]) -> list[int]:
    """Return the order in which packets of terminals 0, 1, ... (class = terminal) are sent."""
    made = carrier([60.0] * len(created), scheduler=scheduler, qos=qos)
    count = len(created)
    links = 2 * np.arange(count) + cs.DOWN
    rows = made.enter(np.stack([
        links * len(qos) + np.arange(count), np.full(count, 3000), np.array(created),
        np.full(count, 10_000_000), np.arange(count),
    ], axis=1))  # fmt: skip
    made.advance(100_000_000, False)
    return np.argsort(made.state.packets["first"][rows], kind="stable").tolist()


def test_earliest_deadline_first_serves_by_creation_plus_budget():
    qos = [QosSpec(delay_budget=f"{ms} ms") for ms in (50, 5, 20)]
    assert served_first("earliest-deadline", qos, [0, 0, 0]) == [1, 2, 0]
    assert served_first("earliest-deadline", qos, [0, 9_000_000, 1_000_000]) == [1, 2, 0]


def test_strict_priority_serves_the_smaller_level_first():
    qos = [QosSpec(priority=p) for p in (60, 10, 30)]
    assert served_first("strict-priority", qos, [0, 0, 0]) == [1, 2, 0]


def starts(survival: str) -> list[int]:
    """Return when three terminals are sent packets at 30 ms, after a packet of each at the start.

    The last one's class has the lowest priority, 5 ms of delay budget and that survival time.
    """
    qos = [QosSpec(priority=10), QosSpec(priority=20),
           QosSpec(priority=30, delay_budget="5 ms", survival_time=survival)]  # fmt: skip
    made = carrier([60.0] * 3, scheduler="strict-priority", qos=qos)
    bearers = 2 * np.arange(3) * 3 + cs.DOWN * 3 + np.arange(3)
    for time in (0, 30_000_000):
        columns = bearers, np.full(3, 3000), np.full(3, time), np.full(3, time), np.arange(3)
        rows = made.enter(np.stack(columns, axis=1))
        made.advance(time + 10_000_000, False)
    return made.state.packets["first"][rows].tolist()


def test_who_would_outlive_its_survival_time_goes_first():
    first, second, third = starts("60 ms")
    assert first <= second < third, "30 ms and 5 ms more are within it: by priority"
    first, second, third = starts("20 ms")
    assert third <= first < second, "two fit into one occasion"


def test_messages_later_than_the_survival_time_are_counted():
    made = carrier([60.0], qos=[QosSpec(survival_time="20 ms")])
    for ms in (0, 10, 30, 70):  # after 10, 20 and 40 ms, all alike within the pattern
        made.enter(np.array([[cs.DOWN, 100, ms * 1_000_000, ms * 1_000_000, ms]]))
        made.advance((ms + 5) * 1_000_000, False)
    assert made.outlived == 1


def test_the_order_in_which_packets_are_handed_over_means_nothing():
    """Packets of one instant are ordered by their number: all others by when they are ready."""
    rng = np.random.default_rng(7)
    ready = np.sort(rng.integers(0, 20_000_000, 200)) // 1_000_000 * 1_000_000
    entries = np.stack([2 * rng.integers(0, 4, 200) + cs.DOWN, np.full(200, 400), ready, ready, np.arange(200)], axis=1)
    decided = []
    for order in (np.arange(200), rng.permutation(200)):
        made, number = carrier([20.0] * 4), {}
        for part in np.array_split(order, 3):
            number |= zip(made.enter(entries[part]).tolist(), part.tolist(), strict=True)
        made.advance(100_000_000, False)
        fates = made.state.fates[: made.state.counts[cs.DECIDED]]
        decided.append([(number[p], int(time)) for p, time in zip(fates["packet"], fates["time"], strict=True)])
    assert len(decided[0]) == 200
    assert decided[0] == decided[1]


def test_long_packets_are_segmented_and_arrive_once_all_parts_did():
    made = carrier([20.0])
    rows = made.enter(np.array([[cs.DOWN, 100_000, 0, 0, 0]]))
    made.advance(1_000_000_000, False)
    assert made.state.counts[cs.DECIDED] == 1
    assert made.state.packets["transmissions"][rows[0]] > 10
    assert (made.state.packets["references"] == 0).all()


def test_control_channel_elements_limit_how_many_are_served_in_a_slot():
    made = carrier([60.0] * 8, cces=3)
    for terminal in range(8):
        made.enter(np.array([[2 * terminal + cs.DOWN, 40, 0, 0, terminal]]))
    made.advance(20_000_000, False)
    _, per_slot = np.unique(made.state.fates["first"][: made.state.counts[cs.DECIDED]], return_counts=True)
    assert per_slot.tolist() == [3, 3, 2]


def topology(terminals: int, cells: int, spec: NrSpec, lookahead: int = 0) -> NrNetwork:
    origin = (0.0, 0.0, 0.0)
    radios = [Radio(i, i, i, origin, 3.5e9) for i in range(terminals)]
    radios += [Radio(terminals + c, terminals + c, None, origin, 3.5e9, 0.0, 46.0, role="cell") for c in range(cells)]
    names = [f"t{i}" for i in range(terminals)] + [f"cell{c}" for c in range(cells)] + ["edge"]
    embodied = [True] * terminals + [False] * (cells + 1)
    return NrNetwork(spec, 1, names, embodied, radios, lookahead)


def links(gain_db: np.ndarray, time: int = 0) -> LinkState:
    terminals, cells = gain_db.shape
    a, b = (x.ravel().astype(np.int32) for x in np.indices(gain_db.shape))
    n = a.size
    return LinkState(
        time, a, b + np.int32(terminals), gain_db.ravel(), np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.full(n, 3e-7), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip


def loop(network: NrNetwork, gains: list[np.ndarray], step: int, service: int, order: int = 1) -> list[tuple]:
    """Telemetry up every 5 ms, an answer down after `service`; return every packet's story."""
    terminals = gains[0].shape[0]
    edge = terminals + gains[0].shape[1]
    stories, sent = [], []
    for k, gain in enumerate(gains):
        time = k * step
        state = links(gain, time)
        for source in range(terminals)[::order]:
            packet = Packet(source, edge, "telemetry", k, 200, time + 1000 * source, time, None)
            sent.append(packet)
            network.send([packet])
        for batch in network.run(time + step, state):
            for packet in batch.packets:
                if packet.destination == edge:
                    created = packet.arrived + service
                    sent.append(Packet(edge, packet.source, "command", packet.sequence, 80, created, 0, None))
                    network.send([sent[-1]])
    stories = [(p.source, p.destination, p.sequence, p.created, p.arrived, p.fate) for p in sent]
    return sorted(stories)


def gains(steps: int, terminals: int = 6, cells: int = 2) -> list[np.ndarray]:
    walk = np.random.default_rng(5).normal(0, 2.0, (steps, terminals, cells)).cumsum(axis=0)
    return list(np.clip(-112.0 + walk, -140.0, -70.0))


SPEC = NrSpec(
    kind="nr", backhaul="300 us", qos={"telemetry": QosSpec(discard="30 ms"), "command": QosSpec(priority=5)}
)


def test_running_ahead_changes_nothing():
    service = 700_000
    networks = [topology(6, 2, SPEC, lookahead) for lookahead in (0, service)]
    runs = [loop(network, gains(40), 5_000_000, service) for network in networks]
    assert runs[0] == runs[1]
    assert any(story[-1] == "delivered" for story in runs[0])


def test_the_length_of_steps_changes_nothing():
    """The same packets and one channel, run in one step or in many."""
    def run(steps: int) -> list[int]:
        network, state = topology(4, 1, SPEC), links(np.full((4, 1), -105.0))
        times = [1 + 3_000_000 * k for k in range(30)]
        sent = [(k, time, source) for k, time in enumerate(times) for source in range(4)]
        packets = [Packet(source, 5, "telemetry", k, 300, time, 0, None) for k, time, source in sent]
        network.send(packets)
        for k in range(1, steps + 1):
            list(network.run(200_000_000 * k // steps, state))
        return [p.arrived for p in packets]

    assert run(1) == run(7) == run(400)


def test_the_order_of_senders_changes_nothing():
    forward, backward = (loop(topology(6, 2, SPEC), gains(30), 5_000_000, 0, order) for order in (1, -1))
    assert forward == backward


def test_every_packet_is_delivered_dropped_for_a_reason_or_still_queued():
    network = topology(6, 2, SPEC)
    stories = loop(network, gains(60), 5_000_000, 200_000)
    fates = [story[-1] for story in stories]
    assert set(fates) <= {"delivered", "discarded", "harq", "handover", "queued"}
    settled, queued = network.settled(), network.queued()
    assert len(settled) + len(queued) == len(stories)
    assert len({id(p) for p in settled} | {id(p) for p in queued}) == len(stories)
    assert all(p.fate == "queued" for p in queued)
    assert fates.count("delivered") > 0.5 * len(fates)
    assert fates.count("discarded") > 0


def test_a_further_terminal_changes_nobody_elses_draws():
    def run(terminals: int) -> np.ndarray:
        made = carrier([8.0] * terminals)
        for terminal in range(2):
            made.enter(np.array([[2 * terminal + cs.DOWN, 40, 0, 0, terminal]]))
        made.advance(50_000_000, False)
        return made.state.blocks["draw"].reshape(-1, cs.HARQ_PROCESSES)[[1, 3], 0]

    assert run(2).tolist() == run(5).tolist()
