"""A robot with radios on two carriers is served by one of them, and goes over to the other with all that waits."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.specs.nr import CarrierSpec, MobilitySpec, NrSpec
from twin.state import LinkState, Packet

MS = 1_000_000
NAMES = ["robot", "mast", "edge"]
LOW, HIGH = 0.8e9, 3.5e9
SPEC = NrSpec(
    kind="nr",
    carriers={"low": CarrierSpec(frequency=LOW, bandwidth=10e6, scs=15e3, duplex="fdd"), "high": CarrierSpec()},
    mobility=MobilitySpec(offset=3.0, time_to_trigger="100 ms", interruption="40 ms", filter=0),
)


def network(lookahead: int = 0, second: float = HIGH) -> NrNetwork:
    origin = (0.0, 0.0, 0.0)
    radios = [Radio(0, 0, 0, origin, LOW), Radio(1, 0, 0, origin, second)]
    radios += [Radio(i, 1, None, origin, f, 0.0, 46.0, role="cell") for i, f in ((2, LOW), (3, HIGH))]
    return NrNetwork(SPEC, 1, NAMES, [True, False, False], radios, lookahead)


def links(low_db: float, high_db: float, time: int) -> LinkState:
    gain = np.array([low_db, high_db])
    return LinkState(
        time, np.array([0, 1], dtype=np.int32), np.array([2, 3], dtype=np.int32), gain, np.ones(2, dtype=bool),
        np.arange(3), np.ones(2, dtype=complex), np.full(2, 1e-6), np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3)),
    )  # fmt: skip


def drive(made: NrNetwork, steps: int = 60) -> list[Packet]:
    """The low carrier is heard better for 200 ms, then the high one by 10 dB; packets both ways each 5 ms."""
    sent = []
    for k in range(steps):
        time = 10 * k * MS
        for n in range(2):
            created = time + 5 * n * MS + 1000
            sent.append(Packet(0, 2, "telemetry", 2 * k + n, 2000, created, time, None))
            sent.append(Packet(2, 0, "command", 2 * k + n, 2000, created, time, None))
            made.send(sent[-2:])
        state = links(-100.0, -130.0 if k < 20 else -75.0, time)
        list(made.run(time + 10 * MS, state))
    return sent


def test_the_better_carrier_serves_after_time_to_trigger_with_all_that_waits():
    made = network()
    sent = drive(made)
    (event,) = made.events()
    assert (event.kind, event.robot, event.detail) == ("handover", "robot", "mast at 3.5 GHz")
    assert event.time == 300 * MS
    settled, queued = made.settled(), made.queued()
    assert len(settled) + len(queued) == len(sent)
    assert {packet.fate for packet in settled} <= {"delivered", "handover"}
    waited = [p for p in sent if event.time <= p.created < event.time + 40 * MS]
    assert waited and all(p.fate == "delivered" and p.arrived > event.time + 40 * MS for p in waited)
    low, high = (band.carrier.state.links["sequence"] for band in made.bands)
    assert (low > 0).all() and (high > 0).all()


def test_running_ahead_changes_nothing_of_it():
    stories = [[(p.arrived, p.fate) for p in drive(network(ahead))] for ahead in (0, 700_000)]
    assert stories[0] == stories[1]


def test_two_terminals_on_one_carrier_are_refused():
    with pytest.raises(ScenarioError, match="robot has two terminals at 0.8 GHz; allowed: one a carrier"):
        network(second=LOW)
