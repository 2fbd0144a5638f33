"""The simple network: rates, routes, propagation, outage."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.link import SPEED_OF_LIGHT, Radio
from twin.network.simple import SimpleNetwork, truncated_shannon
from twin.network.topology import noise_dbm
from twin.specs import SimpleSpec
from twin.state import LinkState, Packet

DRONE, OTHER, CELL, FAR_CELL, EDGE = range(5)
NAMES = ["drone", "other", "cell", "far-cell", "edge"]
EMBODIED = [True, True, False, False, False]
ORIGIN = (0.0, 0.0, 0.0)
RADIOS = [Radio(i, i, i, ORIGIN, 3.5e9) for i in range(2)]
RADIOS += [Radio(i, i, None, ORIGIN, 3.5e9, role="cell") for i in range(2, 4)]
SPEC = SimpleSpec(kind="simple", backhaul="1 ms", discard="50 ms")


def links(gain_db: dict[tuple[int, int], float], time: int = 0, metres: float = 0.0) -> LinkState:
    a, b = np.array(sorted(gain_db), dtype=np.int32).T
    values = np.array([gain_db[pair] for pair in sorted(gain_db)])
    n = len(a)
    return LinkState(
        time, a, b, values, np.ones(n, dtype=bool), np.arange(n + 1), np.ones(n, dtype=complex),
        np.full(n, metres / SPEED_OF_LIGHT), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip


def packet(source: int, destination: int, created: int = 0, size: int = 1000, sequence: int = 0) -> Packet:
    return Packet(source, destination, "telemetry", sequence, size, created, created, None)


def carry(network: SimpleNetwork, packets: list[Packet], state: LinkState, until: int = 10**9):
    network.send(packets)
    return [p for batch in network.run(until, state) for p in batch.packets]


def airtime(gain_db: float) -> int:
    snr = gain_db + 23.0 - noise_dbm(SPEC.bandwidth, 7.0)
    return round(8000 * 1e9 / float(truncated_shannon(SPEC, np.array([snr]))[0]))


def test_thermal_noise_is_minus_174_dbm_per_hertz():
    assert noise_dbm(1.0, 0.0) == pytest.approx(-173.98, abs=0.01)
    assert noise_dbm(100e6, 7.0) == pytest.approx(-173.98 + 80 + 7, abs=0.01)


def test_rate_is_truncated_at_both_ends():
    rates = truncated_shannon(SPEC, np.array([-10.01, -10.0, 0.0, 60.0]))
    assert rates[0] == 0.0
    assert rates[1] == pytest.approx(20e6 * 0.6 * np.log2(1.1))
    assert rates[2] == pytest.approx(20e6 * 0.6)
    assert rates[3] == pytest.approx(20e6 * 4.4)


def test_a_packet_crosses_uplink_propagation_and_backhaul():
    state = links({(DRONE, CELL): -100.0, (OTHER, CELL): -100.0}, metres=300.0)
    network = SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS)
    (arrived,) = carry(network, [packet(DRONE, EDGE)], state)
    assert arrived.arrived == airtime(-100.0) + round(300.0 / SPEED_OF_LIGHT * 1e9) + 1_000_000


def test_a_packet_to_another_terminal_goes_up_through_the_core_and_down():
    state = links({(DRONE, CELL): -100.0, (OTHER, CELL): -110.0})
    network = SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS)
    (arrived,) = carry(network, [packet(DRONE, OTHER)], state)
    assert arrived.arrived == airtime(-100.0) + 2_000_000 + airtime(-110.0)


def test_terminals_use_the_cell_that_they_receive_best():
    state = links({(DRONE, CELL): -120.0, (OTHER, CELL): -100.0, (DRONE, FAR_CELL): -95.0})
    network = SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS)
    (arrived,) = carry(network, [packet(DRONE, EDGE)], state)
    assert arrived.arrived == airtime(-95.0) + 1_000_000


def test_an_outage_holds_packets_until_the_next_trace_and_discards_old_ones():
    out, back = links({(DRONE, CELL): -200.0}), links({(DRONE, CELL): -100.0}, time=60_000_000)
    network = SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS)
    old, young = packet(DRONE, EDGE, created=1), packet(DRONE, EDGE, created=40_000_000, sequence=1)
    assert carry(network, [old, young], out, until=60_000_000) == []
    assert network.queued() == [old, young]
    assert carry(network, [], back) == [young]
    assert young.arrived == 60_000_000 + airtime(-100.0) + 1_000_000
    assert old.fate == "discarded"
    assert network.queued() == []
    assert {id(p) for p in network.settled()} == {id(old), id(young)}


def test_running_ahead_changes_nothing():
    def run(lookahead: int) -> list[tuple[int, int, int]]:
        network = SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS, lookahead)
        state = links({(DRONE, CELL): -118.0, (OTHER, CELL): -119.0})
        network.send([packet(s, EDGE, 700_000 * i, sequence=i) for s in (DRONE, OTHER) for i in range(40)])
        seen = []
        for batch in network.run(10**9, state):
            for p in batch.packets:
                seen.append((p.arrived, p.source, p.sequence))
                if p.destination == EDGE:  # answers after 400 us of service
                    network.send([packet(EDGE, p.source, p.arrived + 400_000, 60, p.sequence)])
        return seen

    assert run(0) == run(400_000)


def test_without_a_base_station_the_scenario_is_wrong():
    with pytest.raises(ScenarioError, match="no base station"):
        SimpleNetwork(SPEC, NAMES, EMBODIED, RADIOS[:2])
    with pytest.raises(ScenarioError, match="no cell for the radio of node 0 at 28 GHz; cells: 3.5 GHz"):
        SimpleNetwork(SPEC, NAMES, EMBODIED, [Radio(0, 0, 0, ORIGIN, 28e9), *RADIOS[2:]])


def test_a_robot_with_two_radios_uses_the_one_that_hears_its_cell_best():
    """The second one's cell comes into reach: what waits for the first one goes there, and all that follows."""
    radios = [Radio(0, DRONE, 0, ORIGIN, 0.8e9), Radio(1, DRONE, 0, ORIGIN, 3.5e9)]
    radios += [Radio(i, i, None, ORIGIN, f, role="cell") for i, f in ((2, 0.8e9), (3, 3.5e9))]
    network = SimpleNetwork(SPEC, NAMES, EMBODIED, radios)
    none, near = links({(0, 2): -200.0, (1, 3): -200.0}), links({(0, 2): -200.0, (1, 3): -95.0}, 20_000_000)
    sent = [packet(DRONE, EDGE), packet(EDGE, DRONE)]
    assert carry(network, sent, none, 20_000_000) == []
    assert {p.created for p in carry(network, [], near)} == {0}
    assert sent[0].arrived == 20_000_000 + airtime(-95.0) + 1_000_000
    assert sent[1].arrived == 20_000_000 + airtime(-95.0)
