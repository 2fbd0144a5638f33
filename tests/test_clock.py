import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.clock import NS, Clock, periodic, rate_fault

RATES = st.integers(min_value=1, max_value=100_000)


@given(RATES, st.integers(min_value=0, max_value=10**9))
def test_an_event_is_never_early_and_less_than_a_nanosecond_from_exact(rate, n):
    assert 0 <= n * NS - periodic(n, rate) * rate < rate


@given(RATES, st.integers(min_value=0, max_value=10**6))
def test_nothing_accumulates_over_seconds(rate, seconds):
    assert periodic(rate * seconds, rate) == seconds * NS


@given(RATES, st.integers(min_value=1, max_value=50))
def test_ticks_are_the_events_of_the_physics_rate(rate, ticks):
    clock = Clock(rate)
    assert [clock.tick() for _ in range(ticks)] == [periodic(n, rate) for n in range(1, ticks + 1)]
    assert clock.now == periodic(ticks, rate)


@given(st.integers(min_value=1, max_value=200), st.integers(min_value=1, max_value=20))
def test_a_slower_rate_is_due_exactly_when_it_has_an_event(slow, ratio):
    clock = Clock(slow * ratio)
    events = {periodic(n, slow) for n in range(4)}
    for _ in range(3 * ratio):
        assert clock.due(slow) == (clock.now in events)
        clock.tick()


def test_a_rate_that_does_not_divide_is_refused_by_the_clock():
    with pytest.raises(ValueError, match="300 Hz does not divide the physics rate of 500 Hz"):
        Clock(500).due(300)


@given(st.integers(min_value=1, max_value=2000), st.integers(min_value=1, max_value=3000))
def test_the_fault_of_a_rate_names_the_nearest_divisors(rate, physics):
    fault = rate_fault(rate, physics)
    assert (fault is None) == (physics % rate == 0)
    if fault:
        divisors = [d for d in range(1, physics + 1) if physics % d == 0]
        named = [int(word) for word in fault.split("nearest legal: ")[1].replace(" Hz", "").split(" or ")]
        assert named == [d for d in divisors if d < rate][-1:] + [d for d in divisors if d > rate][:1]
