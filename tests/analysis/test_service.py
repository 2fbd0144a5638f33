"""Availability as TS 22.104 annex C has it: down only after the survival time, up with the next message in time."""

import numpy as np
import pytest

from twin.analysis.service import outages, service

MS = 1_000_000


def flow(latencies, interval=10, pair=(0, 1)):
    """Messages every `interval` ms; a latency of None is a loss."""
    n = len(latencies)
    created = np.arange(n) * interval * MS
    lost = np.array([one is None for one in latencies])
    arrived = np.where(lost, -1, created + np.array([one or 0 for one in latencies]) * MS)
    return {"created": created, "arrived": arrived, "stamp": created, "source": np.full(n, pair[0]),
            "destination": np.full(n, pair[1]), "size": np.full(n, 40), "fate": np.where(lost, 0, 1)}  # fmt: skip


def judged(latencies, survival, within=5, until=None):
    packets = flow(latencies)
    return service(packets, within * MS, survival * MS, (until or 10 * len(latencies)) * MS)


def test_one_lost_message_is_survived_for_one_interval():
    found = judged([2, 2, None, 2, 2], survival=10)
    assert found.failures == 0 and found.uptime == found.watched == 0.05
    assert found.good.tolist() == [True, True, False, True, True]


def test_two_lost_messages_are_not():
    """Due at 25 ms, survived until 35 ms, next at 42 ms: 7 ms down."""
    found = judged([2, 2, None, None, 2], survival=10)
    assert found.failures == 1 and found.watched - found.uptime == pytest.approx(0.007)


def test_without_survival_time_each_loss_takes_the_service_down():
    """Due at 25 ms, next at 32 ms."""
    found = judged([2, 2, None, 2, 2], survival=0)
    assert found.failures == 1 and found.watched - found.uptime == pytest.approx(0.007)


def test_a_late_message_is_as_bad_as_a_lost_one():
    late, lost = (judged([2, one, one, 2], survival=4) for one in (9, None))
    assert (late.failures, late.uptime) == (lost.failures, lost.uptime) == (1, pytest.approx(0.04 - 0.013))


def test_an_outage_that_does_not_end_lasts_to_the_end_and_what_is_under_way_is_not_judged():
    found = judged([2, 2, None, None], survival=10, until=60)
    assert found.failures == 1 and found.watched - found.uptime == pytest.approx(0.025)
    packets = flow([2, 2, 2]) | {"fate": np.array([1, 1, -1]), "arrived": np.array([2 * MS, 12 * MS, -1])}
    assert len(service(packets, 5 * MS, 0, 22 * MS).time) == 2, "due at 25 ms, after the end"
    assert len(service(packets, 1 * MS, 0, 22 * MS).time) == 3, "due at 21 ms: late already"


def test_pairs_go_down_one_by_one_and_slots_add_up():
    good, bad = flow([2] * 6), flow([2, None, None, None, 2, 2], pair=(0, 2))
    both = {name: np.concatenate([good[name], bad[name]]) for name in good}
    found = service(both, 5 * MS, 0, 60 * MS)
    assert found.failures == 1 and found.watched == 0.12 and found.watched - found.uptime == pytest.approx(0.027)
    assert np.sum((1 - found.up)[6:] * 10) == pytest.approx(27), "ms: slots are 10 ms each, but the last"


def is_down(now, packets, due, good, survival):
    """Look at one instant: has an unsuccessful message been waited for, and nothing good come after it?"""
    came = packets["arrived"]
    waited = [i for i in np.flatnonzero(~good & (due <= now)) if not (good[i + 1 :] & (came[i + 1 :] <= now)).any()]
    return bool(waited) and now > due[waited[0]] + survival


def test_random_services_agree_with_a_clock_that_looks_ten_times_a_millisecond():
    rng = np.random.default_rng(1)
    for _ in range(10):
        packets = flow([None if rng.random() < 0.4 else int(rng.integers(0, 9)) for _ in range(30)])
        due, survival = packets["created"] + 5 * MS, int(rng.integers(0, 25)) * MS
        good = (packets["fate"] == 1) & (packets["arrived"] <= due)
        down = outages(due, packets["arrived"], good, survival, 300 * MS)
        clock = range(MS // 20, 300 * MS, MS // 10)
        seen = np.mean([is_down(now, packets, due, good, survival) for now in clock]) * 300
        assert seen == pytest.approx(float((down[:, 1] - down[:, 0]).sum()) / MS, abs=0.2)
