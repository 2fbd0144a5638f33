"""A requirement reads as it is written, and a run meets it exactly or not at all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.analysis.measure import Measures
from twin.analysis.metrics import Metrics
from twin.analysis.requirements import judge, judged
from twin.errors import ScenarioError
from twin.specs.figures import FIGURES
from twin.specs.requirement import parse_requirement
from twin.specs.scenario import load_scenario
from twin.state import COMMAND, NOMINAL, Frame, Node, Packet

RTT = "rtt_p999 < 40 ms"


def passes(text, **summary):
    (verdict,) = judge([parse_requirement(text)], Measures(summary))
    return verdict.passed


@pytest.mark.parametrize(
    ("text", "metric", "sign", "limit", "unit"),
    [
        (RTT, "rtt_p999", "<", 0.04, "ms"),
        ("tracking_rms<=50cm", "tracking_rms", "<=", 0.5, "cm"),
        ("failsafe_time = 0 s", "failsafe_time", "=", 0.0, "s"),
        ("duration >= 1e1", "duration", ">=", 10.0, "s"),
        ("collisions = 0", "collisions", "=", 0.0, ""),
    ],
)
def test_it_reads_as_it_is_written(text, metric, sign, limit, unit):
    r = parse_requirement(text)
    assert (r.metric, r.operator, r.limit, r.unit) == (metric, sign, limit, unit)
    assert parse_requirement(str(r)) == r


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rtt_p99 < 40 m", "'40 m'; allowed: for rtt_p99, a time in s, ms"),
        ("rttp999 < 40 ms", "did you mean 'rtt_p999'?"),
        ("rtt_p999 ~ 40 ms", "'~'; allowed: <, <=, =, >=, >"),
        ("collisions = 0 s", "for collisions, a whole number without a unit"),
        ("collisions < 0.5", "a whole number"),
        ("rtt_p999", "text such as"),
        ("", "text such as"),
        (7, "text such as"),
    ],
)
def test_a_mistake_says_what_was_found_and_what_is_allowed(text, says):
    with pytest.raises(ValueError) as error:
        parse_requirement(text)
    assert says in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        parse_requirement(text)
    except ValueError as error:
        assert "allowed:" in str(error)


def test_limits_are_met_exactly():
    assert passes("rtt_p50 <= 40 ms", rtt_p50=0.04) and passes("rtt_p50 = 40 ms", rtt_p50=0.04)
    assert not passes("rtt_p50 < 40 ms", rtt_p50=0.04)
    assert passes("rtt_p50 < 40 ms", rtt_p50=math.nextafter(0.04, 0.0))
    assert not passes("collisions = 0", collisions=1) and passes("failsafes >= 1", failsafes=1)


def test_a_figure_that_the_run_does_not_have_meets_nothing_and_says_why():
    for text in (RTT, "rtt_p999 > 0 s"):
        (verdict,) = judge([parse_requirement(text)], Measures({"rtt_p999": None}))
        assert verdict.answer == "inconclusive" and verdict.passed is None and verdict.value is None
        assert verdict.reason == "nothing measured: no command arrived"


def test_a_run_passes_when_it_is_whole_and_meets_all():
    both = [parse_requirement(text) for text in (RTT, "collisions = 0")]
    good, bad = (Measures({"rtt_p999": 0.03, "collisions": n}) for n in (0, 2))
    assert judged(both, good, complete=True)["answer"] == "passed"
    assert judged(both, bad, complete=True)["answer"] == "failed"
    assert judged(both, good, complete=False)["answer"] == "inconclusive", "it was cut short"
    assert judged(both, bad, complete=False)["answer"] == "failed", "what was violated stays so"
    assert judged([], good, complete=True)["answer"] is None, "there was nothing to meet"


@pytest.mark.parametrize(
    ("text", "value", "answer"),
    [
        ("collisions = 0", 1, "failed"),
        ("collisions = 0", 0, "inconclusive"),
        ("missions >= 10", 3, "inconclusive"),
        ("tracking_max < 1 m", 2.0, "failed"),
        ("separation_min > 1 m", 0.5, "failed"),
        ("separation_min > 1 m", 2.0, "inconclusive"),
        ("landing_error < 1 m", 2.0, "inconclusive"),
    ],
)
def test_of_a_run_cut_short_only_what_can_not_get_better_has_failed(text, value, answer):
    requirement = parse_requirement(text)
    (verdict,) = judge([requirement], Measures({requirement.metric: value}), complete=False)
    assert verdict.answer == answer


@pytest.mark.parametrize("text", ["packets_lost = 0", "packets_late = 0", "packets_queued < 5"])
def test_no_packet_sent_is_nothing_measured(text):
    requirement = parse_requirement(text)
    (verdict,) = judge([requirement], Measures({requirement.metric: 0, "packets_sent": 0}), complete=True)
    assert verdict.answer == "inconclusive" and "no packet was sent" in verdict.reason
    (verdict,) = judge([requirement], Measures({requirement.metric: 0, "packets_sent": 9}), complete=True)
    assert verdict.answer == "passed"


def test_values_are_shown_in_the_unit_of_the_limit():
    assert parse_requirement(RTT).shown(0.0231) == "23.1 ms"
    assert parse_requirement("tracking_rms < 50 cm").shown(0.25) == "25 cm"
    assert parse_requirement("collisions = 0").shown(3) == "3"


def test_every_figure_is_in_the_summary_in_si():
    metrics = Metrics([Node("a", "a", "drone", 0), Node("edge", "edge", "edge")], {}, 40_000_000)
    without_tasks = {"duration", "packets_sent", "packets_delivered", "packets_late", "packets_lost", "packets_queued",
                     "rtt_p50", "rtt_p99", "rtt_p999", "tracking_rms", "tracking_max", "failsafes", "failsafe_time",
                     "collisions"}  # fmt: skip
    assert without_tasks <= set(FIGURES) & set(metrics.summary())
    packet = Packet(0, 1, COMMAND, 0, 60, 10, 0, None, 25_000_000, "delivered")
    metrics.take(Frame(0, None, None, {}, (NOMINAL,), [packet]))
    assert metrics.summary()["rtt_p50"] == 0.025


def test_a_scenario_keeps_them_and_says_which_is_wrong(tmp_path):
    path = tmp_path / "s.toml"
    lines = ['schema = 1', 'world = "void"', 'duration = "1 s"', "requirements = [", f'  "{RTT}",', "{}]",
             "[robots.a]", 'kind = "mass"']  # fmt: skip
    path.write_text("\n".join(lines).format('  "collisions = 0",\n'))
    scenario, _ = load_scenario(path)
    assert [str(r) for r in scenario.requirements] == [RTT, "collisions = 0"]
    (tmp_path / "again.toml").write_text(scenario.to_toml())
    assert load_scenario(tmp_path / "again.toml")[0] == scenario
    path.write_text("\n".join(lines).format('  "collision = 0",\n'))
    with pytest.raises(ScenarioError, match=r"s.toml:4: requirements\[1\]: found 'collision'.*'collisions'"):
        load_scenario(path)


def test_what_is_small_is_not_shown_as_nothing():
    assert FIGURES["failsafe_time"].shown(0.02) == "0.02 s" and FIGURES["failsafe_time"].shown(0.0) == "0.0 s"
    assert FIGURES["tracking_rms"].shown(-1e-12) == "0.00 m" and FIGURES["tracking_rms"].shown(0.004) == "0.004 m"
