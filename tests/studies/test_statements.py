"""What many runs show: against exact values, and by how often it is wrong."""

import numpy as np
import pytest
from scipy import stats

from twin.numerics.statistics import clopper_pearson, confidence_sequence
from twin.studies.statements import Wanted, overall, statements

TEXT = "rtt_p50 < 1 s"


def rows(passed=0, failed=0, unshown=0, died=0, point=None):
    def row(answer, status="complete"):
        asked = {} if answer is None else {TEXT: answer}
        return {"point": point or {}, "status": status, "requirements": asked}

    found = [row("passed")] * passed + [row("failed")] * failed + [row("inconclusive")] * unshown
    found += [row(None, "died")] * died
    return [{**row, "figures": {"rtt_p50": i}} for i, row in enumerate(found)]


def test_without_a_violation_73_runs_show_less_than_5_percent():
    """Two-sided at 95 %: 1 - 0.025 ** (1/n) < 0.05 from n = 72 on; one fewer asks for one more."""
    (shown,), (almost,) = statements(rows(72)), statements(rows(71))
    assert shown.answer == "passed" and almost.answer == "inconclusive" and almost.needed == 1
    assert shown.interval.upper == pytest.approx(1 - 0.025 ** (1 / 72), rel=1e-12)


def test_five_of_a_hundred_is_neither():
    """Clopper and Pearson, 1934: [0.016432, 0.112835]."""
    (one,) = statements(rows(95, 5))
    assert (one.interval.lower, one.interval.upper) == pytest.approx((0.016432, 0.112835), abs=1e-6)
    assert one.answer == "inconclusive"
    assert statements(rows(80, 20))[0].answer == "failed"


def test_runs_that_died_or_show_nothing_have_not_met_it():
    assert statements(rows(80))[0].answer == "passed"
    for more in ({"died": 10}, {"unshown": 10}):
        (one,) = statements(rows(80, **more))
        assert one.answer == "inconclusive" and (one.violated, one.unshown) == (0, 10)
        assert one.interval.lower == 0.0


def test_a_run_cut_short_passes_nothing():
    short = [{**row, "status": "stopped"} for row in rows(100)]
    assert statements(short)[0].answer == "inconclusive"


def test_runs_that_draw_nothing_are_one_run():
    (one,) = statements([{**row, "figures": {"rtt_p50": 1.0}} for row in rows(500)])
    assert (one.answer, one.runs, one.alike) == ("inconclusive", 1, 500)
    assert one.interval.upper == pytest.approx(0.975)


def test_several_statements_share_the_error():
    """Four of them at 95 % in all: each at 98.75 %, which takes 99 clean runs instead of 72."""
    points = [row for x in range(4) for row in rows(98, point={"x": x})]
    found = statements(points)
    assert [one.confidence for one in found] == [pytest.approx(0.9875)] * 4
    assert {one.answer for one in found} == {"inconclusive"} and {one.needed for one in found} == {1}
    assert overall(found) == "inconclusive" and overall([]) is None


@pytest.mark.parametrize("truth", [0.02, 0.05, 0.1])
def test_it_is_wrong_no_more_often_than_it_says(truth):
    """2000 sweeps of 150 runs: false statements in at most 5 %, and three sigma of counting that."""
    rng = np.random.default_rng(1)
    wrong = 0
    for failed in rng.binomial(150, truth, 2000):
        answer = statements(rows(150 - int(failed), int(failed)))[0].answer
        wrong += answer == ("failed" if truth <= 0.05 else "passed") or (truth == 0.05 and answer != "inconclusive")
    assert wrong / 2000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_with_violations_it_says_how_many_more_runs_like_these_would_decide():
    """1 in 100 against 5 %: if violations go on at that rate, so many runs are enough, and one fewer is not."""
    (one,) = statements(rows(99, 1))
    total = one.runs + one.needed
    assert one.answer == "inconclusive" and clopper_pearson(total / 100, total).upper < 0.05
    assert clopper_pearson((total - 1) / 100, total - 1).upper >= 0.05
    assert statements(rows(95, 5))[0].needed is None, "at the limit itself nothing ever decides"
    assert statements(rows(95, 1, died=9))[0].needed is None, "which way it goes is not known while runs die"


def test_a_statement_can_be_looked_at_after_each_run():
    """Robbins' confidence sequence needs 116 clean runs where one look at the end takes 72."""
    at_any_time = Wanted(sequential=True)
    (almost,), (shown,) = (statements(rows(n), at_any_time) for n in (115, 116))
    assert (almost.answer, almost.needed, shown.answer) == ("inconclusive", 1, "passed")
    assert shown.interval == confidence_sequence(0, 116)


def test_walds_test_takes_72_clean_runs_of_any_number_and_two_that_fail():
    """1 % against 5 %, errors of 5 %: ln 19 = 2.9444 is reached after 72 clean runs, or 2 violations in 2."""
    test = Wanted(good=0.01)
    answers = [statements(rows(n), test)[0].answer for n in (71, 72)]
    assert answers == ["inconclusive", "passed"]
    assert statements(rows(0, 2), test)[0].answer == "failed"
    assert statements(rows(72, died=2), test)[0].answer == "inconclusive", "neither met nor violated"


def test_each_by_itself_takes_fewer_runs_than_all_together():
    points = [row for x in range(4) for row in rows(72, point={"x": x})]
    assert {one.answer for one in statements(points, Wanted(together=False))} == {"passed"}
    assert {one.answer for one in statements(points)} == {"inconclusive"}


def test_runs_that_all_died_are_not_taken_for_one_that_draws_nothing():
    lost = [{**row, "figures": {}} for row in rows(died=30, point={})]
    (one,) = statements([*lost, *rows(1)])
    assert (one.runs, one.unshown, one.alike) == (31, 30, 0)


@pytest.mark.parametrize(("text", "sign"), [("rtt_p50 < 1 s", -1), ("separation_min > 1 m", 1)])
def test_it_says_how_bad_the_figure_is_in_nearly_all_runs(text, sign):
    """Of 1 to 100, the worst without a value, 90 %: the 90th from the good side, between the 84th and the 96th."""
    assert stats.binom.cdf(95, 100, 0.9) - stats.binom.cdf(83, 100, 0.9) >= 0.95
    found = []
    for i in range(1, 101):  # figures of the best to the worst run
        figure = i if sign < 0 else 101 - i
        row = {"status": "complete", "margins": {text: sign * (figure - 1.0)}, "figures": {"rtt_p50": i}}
        found.append({"point": {}, "requirements": {text: "failed"}, **row})
    found[99] |= {"status": "died", "margins": {}}
    (one,) = statements(found, Wanted(probability=0.1))
    expected = (90, 84, 96) if sign < 0 else (11, 5, 17)
    assert (one.level.value, one.level.lower, one.level.upper) == pytest.approx(expected)
