"""Requirements on flows, robots, places and windows measure what they say, on frames made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from twin.analysis.measure import Measures
from twin.analysis.requirements import judge
from twin.analysis.watch import Watch
from twin.specs.place import BoxSpec, CorridorSpec
from twin.specs.requirement import misfits, parse_requirement
from twin.state import NOMINAL, Event, Frame, Node, Packet

MS, NS = 1_000_000, 10**9
NODES = [Node("a-0", "a", "drone", 0, row=0), Node("a-1", "a", "drone", 1, row=1), Node("edge", "edge", "edge")]
PLACES = {
    "high": BoxSpec(kind="box", lower=(-10, -10, 10), upper=(10, 10, 99)),
    "lane": CorridorSpec(kind="corridor", waypoints=((0, 0, 0), (0, 0, 50)), radius=1.0),
}


def packet(i, source, destination, latency, kind="report", interval=100, size=50):
    created = i * interval * MS
    fate, arrived = ("lost", -1) if latency is None else ("delivered", created + latency * MS)
    return Packet(source, destination, kind, i, size, created, created, None, arrived, fate)


def run(requirements, packets=(), heights=None, events=(), errors=None, modes=None, seconds=10):
    """Ten seconds at 10 Hz; a-0 climbs 2 m/s from the ground, a-1 stands."""
    wanted = [parse_requirement(text) for text in requirements]
    watch = Watch(NODES, NODES[:2], wanted, PLACES)
    for tick in range(10 * seconds + 1):
        time = tick * 100 * MS
        height = 0.2 * tick if heights is None else heights(tick)
        bodies = SimpleNamespace(position=np.array([[0, 0, height], [5, 0, 0]], float),
                                 velocity=np.array([[0, 0, 2.0], [0, 0, 0]]))  # fmt: skip
        mine = [p for p in packets if time - 100 * MS < max(p.arrived, p.created) <= time]
        frame = Frame(time, bodies, None, {}, modes(tick) if modes else (NOMINAL,) * 3, mine,
                      [event for event in events if time - 100 * MS < event.time <= time])  # fmt: skip
        watch.take(frame, np.array(errors(tick) if errors else [0.0, 0.0]))
    return judge(wanted, Measures({"duration": float(seconds)}, None, watch, budget=40 * MS), duration=float(seconds))


def value(text, *args, **kwargs):
    (verdict,) = run([text], *args, **kwargs)
    return verdict.value


def test_flows_are_chosen_by_kind_and_by_their_ends():
    packets = [packet(i, 0, 2, 10) for i in range(50)] + [packet(i, 1, 2, 30) for i in range(50)]
    packets += [packet(i, 0, 2, 77, "other") for i in range(50)]
    assert value("flows.report.latency_mean < 1 s", packets) == pytest.approx(0.02)
    assert value("flows.report[a-1 > edge].latency_max < 1 s", packets) == 0.03
    assert value("flows.report[a > *].settled >= 1", packets) == 100
    assert value("flows.*.latency_max < 1 s", packets) == 0.077
    (verdict,) = run(["flows.report[*].latency_mean < 25 ms"], packets)
    assert verdict.answer == "failed" and "the worst of 2: a-1 > edge" in verdict.measured.ground


def test_counts_rates_and_shares():
    packets = [packet(i, 0, 2, None if i % 10 == 3 else 50 if i % 10 == 5 else 10) for i in range(100)]
    assert value("flows.report.delivered > 1 %", packets) == pytest.approx(0.9)
    assert value("flows.report.reliability > 1 % within 20 ms", packets) == pytest.approx(0.8)
    assert value("flows.report.lost < 1", packets) == 10 and value("flows.report.late < 1", packets) == 10
    assert value("flows.report.bytes > 1", packets) == 90 * 50
    assert value("flows.report.throughput > 1 bit/s", packets) == pytest.approx(90 * 50 * 8 / 10)
    assert value("flows.report.rate > 1 Hz", packets) == pytest.approx(10.0)
    assert value("flows.report.pairs_in_time >= 1", packets) == 0


def test_age_is_the_saw_tooth_of_theory():
    """News every 100 ms, 10 ms old: age rises from 10 to 110 ms: 60 ms on average, 109 ms at 99 %."""
    packets = [packet(i, 0, 2, 10) for i in range(100)]
    assert value("flows.report.age_mean < 1 s", packets) == pytest.approx(0.06, rel=1e-3)
    assert value("flows.report.age_p99 < 1 s", packets) == pytest.approx(0.109, rel=1e-3)
    assert value("flows.report.age_peak < 1 s", packets) == pytest.approx(0.11)


def test_mean_time_between_failures_counts_outages():
    packets = [packet(i, 0, 2, None if i in (20, 60) else 10) for i in range(100)]
    text = "flows.report.mtbf > 1 s within 20 ms"
    (verdict,) = run([text], packets)
    assert verdict.value == pytest.approx((10 - 2 * 0.09) / 2)
    assert verdict.measured.interval.lower == pytest.approx(9.82 / 7.2247, rel=1e-4), "Garwood's bound of 2 events"
    assert value("flows.report.survival_exceeded = 0 within 20 ms, survival 95 ms", packets) == 0


def test_windows_find_the_worst_and_say_where():
    packets = [packet(i, 0, 2, None if 50 <= i < 55 else 10) for i in range(100)]
    (whole, window) = run(["flows.report.delivered > 90 %", "flows.report.delivered > 90 % in any 1 s"], packets)
    assert whole.value == pytest.approx(0.95) and window.value == pytest.approx(0.5) and window.answer == "failed"
    assert "91 windows" in window.measured.ground and "the worst begins at 4.5 s" in window.measured.ground


def test_take_off_and_places_bound_what_counts():
    packets = [packet(i, 0, 2, 10 if i >= 60 else 70) for i in range(100)]
    packets += [packet(i, 1, 2, 99) for i in range(100)]
    assert value("flows.report[a-0 > edge].settled >= 1 after take-off", packets) == 94, "1 m high after 0.6 s"
    assert value("flows.report[a > *].settled >= 1 after take-off", packets) == 94, "the other one stands"
    assert value("flows.report.latency_max < 1 s in high", packets) == 0.07
    assert value("flows.report.settled >= 1 in high", packets) == 50, "10 m high after 5 s"
    assert value("flows.report.settled >= 1 after 8 s until 9 s", packets) == 22
    assert value("robots.a-0.speed_max < 9 m/s in lane") == 2.0
    (verdict,) = run(["robots.a[1].speed_max < 9 m/s in lane"])
    assert verdict.answer == "inconclusive" and verdict.reason == "nothing measured: nobody was in lane"
    (verdict,) = run(["robots.a.speed_max < 9 m/s after take-off"], heights=lambda tick: 0.0)
    assert verdict.answer == "inconclusive" and "nobody took off" in verdict.reason


def test_robots_together_or_each():
    errors = lambda tick: [0.01, 0.04 if tick < 100 else 1.0]  # noqa: E731
    assert value("robots.a.tracking_max < 2 m", errors=errors) == 1.0
    (verdict,) = run(["robots.a[*].tracking_max < 0.5 m"], errors=errors)
    assert verdict.answer == "failed" and "the worst of 2: a-1" in verdict.measured.ground
    assert value("robots.a[0].tracking_max < 2 m", errors=errors) == 0.1
    assert value("robots.a.tracking_max < 2 m until 9 s", errors=errors) == 0.2
    events = [Event(3 * NS, "contact", "a-0", "a-1", 2.0), Event(4 * NS, "contact", "a-0", "wall", 0.5)]
    assert value("robots.a.collisions = 0", events=events) == 1, "one contact of two robots is one collision"
    assert value("robots.a.collisions = 0 after 3.5 s", events=events) == 0
    modes = lambda tick: ("hold" if 20 <= tick < 30 else NOMINAL, NOMINAL, NOMINAL)  # noqa: E731
    assert value("robots.a.failsafe_time < 1 s", modes=modes) == pytest.approx(1.0)
    assert value("robots.a.failsafe_time < 1 s in any 0.5 s", modes=modes) == pytest.approx(0.5)


def test_what_was_logged_can_be_asked_for():
    watch = Watch(NODES, [], [parse_requirement("logs.a-0.x.count >= 1")], {})
    for tick in range(5):
        logs = [(tick * NS, 0, "x", float(tick))]
        watch.take(Frame(tick * NS, None, None, {}, (NOMINAL,) * 3, logs=logs), np.zeros(0))
    measures = Measures({}, None, watch)
    for text, found in {"count >= 1": 5, "max < 9": 4.0, "min < 9": 0.0, "last < 9": 4.0, "mean < 9": 2.0}.items():
        assert measures.of(parse_requirement(f"logs.a-0.x.{text}")).value == found
    assert "it logged: x" in measures.of(parse_requirement("logs.a-0.y.max < 1")).reason


def test_a_scope_must_fit_the_scenario():
    def faults(text):
        return misfits(parse_requirement(text).scope, {"a": 2, "edge": 1}, PLACES, 10 * NS)

    assert not faults("flows.report[a-1 > edge].lost < 1 in any 10 s")
    assert "a window of 11 s" in faults("flows.report.lost < 1 in any 11 s")[0]
    assert "a window of 6 s" in faults("flows.report.lost < 1 in any 6 s after 5 s")[0]
    assert "did you mean 'high'?" in faults("robots.a.speed_max < 1 m/s in hihg")[0]
    assert "found 'b'" in faults("logs.b.x.max < 1")[0]
    assert "found 12 to 10 s" in faults("robots.a.speed_max < 1 m/s after 12 s")[0]


def test_places_hold_what_lies_inside():
    points = np.array([[0, 0.9, 20], [0, 1.1, 20], [0, 0, 51.1], [0, 0, 50.9], [0, 0, -0.5]], float)
    assert PLACES["lane"].holds(points).tolist() == [True, False, False, True, True]
    assert PLACES["high"].holds(points).tolist() == [True, True, True, True, False]


def test_what_happened_can_be_counted_and_what_did_not_happened_no_times():
    measures = Measures({"events": {"handover": 3}, "losses": {}, "network": {"grants": 2}})
    assert measures.of(parse_requirement("events.handover <= 4")).value == 3
    assert measures.of(parse_requirement("losses.discarded = 0")).value == 0
    assert "there are: handover; did you mean 'handover'?" in measures.of(parse_requirement("events.handovr = 0")).note
    assert measures.of(parse_requirement("network.grnats = 0")).value is None


def test_a_service_that_never_worked_has_failed_in_this_run():
    """Nothing says how failures hang together where there is nothing else: it is a fact about the run."""
    lost = [packet(i, 0, 2, None) for i in range(60)]
    texts = ["flows.report.delivered > 80 %", "flows.report.reliability > 80 % within 20 ms",
             "flows.report.availability > 80 % within 20 ms, survival 100 ms"]  # fmt: skip
    for verdict in run(texts, lost):
        assert verdict.answer == "failed" and verdict.value < 0.02 and "in this run" in verdict.measured.ground
    assert "60 failed, most of a-0 > edge (60)" in verdict.measured.ground
    late = [packet(i, 0, 2, 50) for i in range(60)]
    first, second = run(texts[:2], late)
    assert second.answer == "failed" and first.value == 1.0
