"""Packets of a run meet the fates of the recorded ones; what the recording can't answer for is counted."""

from pathlib import Path

import numpy as np
import pytest

from twin.network.recorded import RecordedNetwork
from twin.state import NEVER, LinkState, Packet

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")

NAMES = ["drone", "edge"]
ROW = np.dtype([("created", "i8"), ("arrived", "i8"), ("fate", "U16")])
NO_LINKS = LinkState(
    0, *[np.zeros(0, np.int32)] * 2, np.zeros(0), np.zeros(0, bool), np.zeros(1, np.int64),
    np.zeros(0, complex), np.zeros(0), np.zeros(0), np.zeros((0, 3)), np.zeros((0, 3)),
)  # fmt: skip


def network(*rows):
    return RecordedNetwork({("drone", "edge", "telemetry"): np.array(list(rows), ROW)}, NAMES, [True, True])


def send(net, *times, kind="telemetry"):
    packets = [Packet(0, 1, kind, i, 100, time, time, None) for i, time in enumerate(times)]
    net.send(packets)
    for _ in net.run(until=10**9, links=NO_LINKS):
        pass
    return packets


def test_at_the_same_times_the_fates_are_the_same():
    rows = (0, 15, "delivered"), (10, NEVER, "lost"), (20, 27, "delivered"), (30, NEVER, "queued")
    net = network(*rows)
    packets = send(net, 0, 10, 20, 30)
    assert [(p.created, p.arrived, p.fate) for p in packets] == list(rows)
    assert net.queued() == [packets[3]] and net.counts == {"packets_with_borrowed_fate": 0}
    assert net.settled() == [packets[1], packets[0], packets[2]], "in the order in which fates are decided"


def test_between_two_recorded_packets_the_one_before_counts():
    net = network((10, 15, "delivered"), (20, NEVER, "lost"), (30, 31, "delivered"))
    packets = send(net, 5, 12, 25, 99)
    assert [p.arrived for p in packets] == [10, 17, NEVER, 100], "delays of 5, 5 and 1; before the first: the first"
    assert net.counts == {"packets_with_borrowed_fate": 4}


def test_of_several_at_one_time_each_meets_its_own():
    net = network((10, 15, "delivered"), (10, NEVER, "lost"), (20, 29, "delivered"))
    assert [p.arrived for p in send(net, 10, 10, 10, 20)] == [15, NEVER, NEVER, 29]


def test_a_flow_without_any_recorded_packet_is_lost_and_says_so():
    (packet,) = send(network((10, 15, "delivered")), 10, kind="message")
    assert packet.fate == "unrecorded" and packet.arrived == NEVER


@pytest.mark.parametrize("kind", ["fixed", "simple", "ideal"])
def test_the_same_controller_flies_the_same_over_the_recorded_packets(command, tmp_path, kind):
    """Law: a run over the packets of its own recording is that run, bit for bit."""
    from twin.analysis.diff import compare
    from twin.recording.reader import Recording

    changes = {
        "fixed": ["network.delay=30 ms", "network.loss=0.2", "network.jitter.kind=uniform",
                  "network.jitter.scale=10 ms"],
        "simple": ["network.bandwidth=1 MHz"],
        "ideal": [],
    }[kind]  # fmt: skip
    sets = [part for change in [f"network.kind={kind}", *changes] for part in ("--set", change)]
    code, out, err = command("run", PATROL, "-o", "a.h5", "-q", "--duration", "1 s", *sets)
    assert code in (0, 5, 6), err
    code, out, err = command("run", "--from", "a.h5", "-o", "b.h5", "-q", "--set", "network.kind=recorded")
    assert code in (0, 5, 6), err
    with Recording("a.h5") as a, Recording("b.h5") as b:
        assert b.summary.pop("network") == {"packets_with_borrowed_fate": 0}
        found = compare(a, b)
        order = {"state/end/packets", *(name for name in a.columns if name.startswith("packets/"))}
        assert {one.stream for one in found.streams} <= order, "what a queue lost, it lost later than its sending"
        columns = [np.sort(run.packets(), order=("created", "source", "kind", "sequence")) for run in (a, b)]
        names = list(columns[1].dtype.names)  # what happened on the radio isn't played back
        assert np.array_equal(*(packets[names] for packets in columns))
