"""Where a packet is: waiting, on the air, in the core; by its recorded times, and by its times alone."""

import pytest

pytest.importorskip("viser", reason="the extra `view` is not installed")

from twin.specs.figures import FIGURES
from twin.state import NEVER, Event, Hop, Node, Packet
from twin.viewer.heading import event_texts, marks
from twin.viewer.packets import Serving, UnderWay, whereabouts
from twin.viewer.traffic import slow_motion

MS = 1_000_000
EDGE, DRONE, MAST, OTHER = range(4)
UP = Hop(queued=1 * MS, occasion=2 * MS, alone=3 * MS, first=4 * MS, transmissions=2, retransmissions=1,
         retransmitted=(7 * MS,), decoded=8 * MS)  # fmt: skip
DOWN = Hop(queued=2 * MS, occasion=2 * MS, alone=2 * MS, first=3 * MS, transmissions=1, retransmissions=0,
           retransmitted=(), decoded=4 * MS)  # fmt: skip


def cell(node):
    return {DRONE: MAST, OTHER: MAST}.get(node)


def packet(source, destination, arrived, up=None, down=None, fate="delivered"):
    made = Packet(source, destination, "telemetry", 0, 100, 0, 0, None, arrived, fate)
    made.uplink, made.downlink = up, down
    return made


@pytest.mark.parametrize(
    ("ms", "start", "end", "part", "words"),
    [
        (0.5, DRONE, MAST, 0.0, "being processed"),
        (1.5, DRONE, MAST, 0.0, "waits for data's turn"),
        (2.5, DRONE, MAST, 0.0, "waits for a grant"),
        (3.5, DRONE, MAST, 0.0, "waits behind others"),
        (5.0, DRONE, MAST, 0.25, "on the air"),
        (7.5, DRONE, MAST, 0.875, "on the air again"),
        (9.0, MAST, EDGE, 0.5, "in the core"),
    ],
)
def test_an_uplink_goes_from_robot_to_mast_to_edge(ms, start, end, part, words):
    place = whereabouts(packet(DRONE, EDGE, 10 * MS, up=UP), round(ms * MS), cell)
    assert (place.start, place.end, place.words) == (start, end, words) and place.part == pytest.approx(part)


@pytest.mark.parametrize(
    ("ms", "start", "end", "part"), [(1.0, EDGE, MAST, 0.5), (2.5, MAST, DRONE, 0.0), (3.5, MAST, DRONE, 0.5)]
)
def test_a_command_goes_from_edge_to_mast_to_robot(ms, start, end, part):
    place = whereabouts(packet(EDGE, DRONE, 4 * MS, down=DOWN), round(ms * MS), cell)
    assert (place.start, place.end) == (start, end) and place.part == pytest.approx(part)


def test_without_a_radio_link_it_goes_evenly_and_over_a_sidelink_straight():
    assert whereabouts(packet(DRONE, EDGE, 10 * MS), 4 * MS, cell).part == pytest.approx(0.4)
    alone = whereabouts(packet(DRONE, OTHER, 8 * MS, up=UP), 6 * MS, lambda node: None)
    assert (alone.start, alone.end, alone.part) == (DRONE, OTHER, 0.5)


def test_what_is_never_decoded_stays_where_it_was_sent():
    lost = UP._replace(decoded=NEVER)
    assert whereabouts(packet(DRONE, EDGE, NEVER, up=lost, fate="lost"), 9 * MS, cell).part == 0.0


def test_packets_under_way_are_those_sent_and_not_yet_there(second):
    """20 ms each way: of what was sent at any time up to 1 s, under way is what is younger than that."""
    under_way = UnderWay(second, 0.04)
    sent = second.packets()
    for at in (500 * MS, 503 * MS, 700 * MS, 110 * MS):  # on and back
        found = sorted((p.source, p.destination, p.sequence) for p in under_way.at(at))
        now = sent[(sent["created"] <= at) & (at < sent["arrived"])]
        expected = sorted(zip(*(now[name].tolist() for name in ("source", "destination", "sequence")), strict=True))
        assert found == expected and found, at
    node = int(sent["source"][0])
    later = sent["created"][(sent["source"] == node) & (sent["created"] > 500 * MS)]
    assert under_way.next_of(node, 500 * MS) == int(later.min())


class Handed:
    robots = [Node(name, name, "kind", body) for name, body in (("edge", -1), ("d", 0), ("mast", -1), ("far", -1))]

    def events(self):
        turns = ((5, "handover", "far at 28 GHz"), (7, "failsafe", ""), (9, "handover", "mast"))
        return [Event(time, kind, "d", detail) for time, kind, detail in turns]


def test_who_serves_is_who_was_handed_over_to_last():
    serving = Serving(Handed(), lambda node: MAST)
    assert [serving(1, at) for at in (0, 5, 8, 9)] == [2, 3, 3, 2]


def test_marks_and_lines_of_events():
    events = [Event(2_000 * MS, "recovered", "d"), Event(1_000 * MS, "failsafe", "d", "lost")]
    assert marks(events, 4.0) == ((0.0, "0"), 1.0, 2.0, (4.0, "4"))
    assert list(event_texts(events)) == ["2.00 s  d: failsafe ends", "1.00 s  d: failsafe takes over lost"]
    assert len(marks([Event(i * MS, "x", "d") for i in range(1, 4000)], 4.0)) <= 62


def test_slow_motion_shows_a_round_trip_in_seconds():
    assert slow_motion(0.005) == 0.0005 and slow_motion(0.3) == 0.1
    assert FIGURES["rtt_p50"].shown(0.005) == "5.0 ms"
