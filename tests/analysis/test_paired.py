"""Settings compared pair by pair: exact values, and how often intervals hold."""

import numpy as np
import pytest

from twin.analysis.forest import draw_forest
from twin.analysis.paired import compared, settings_of
from twin.errors import RecordingError, ScenarioError

TEXT = "rtt_p50 < 1 s"


def row(seed, rtt, answer="passed", **point):
    figures = {} if rtt is None else {"rtt_p50": rtt, "collisions": 0}
    status, asked = ("died", {}) if rtt is None else ("complete", {TEXT: answer})
    return {"point": point, "seed": seed, "status": status, "figures": figures, "requirements": asked}


def of(comparison, figure="rtt_p50"):
    return next(one for one in comparison.differences if one.figure == figure)


def test_differences_of_pairs_are_bounded_by_students_t():
    """Differences of 1, 2 and 3 ms: mean 2 ms, deviation 1 ms, half-width 4.302653 / sqrt(3) ms (t of 2 degrees)."""
    first = [row(seed, 0.01 * seed) for seed in (1, 2, 3, 4)]
    second = [row(seed, 0.01 * seed + 0.001 * seed) for seed in (3, 2, 1, 9)]
    found = compared(("a", first), ("b", second))
    rtt = of(found)
    assert (found.pairs, found.alone, rtt.pairs, rtt.more, rtt.less) == (3, 2, 3, 3, 0)
    assert (rtt.mean, rtt.first, rtt.second) == pytest.approx((0.002, 0.02, 0.022))
    assert rtt.interval.upper - rtt.mean == pytest.approx(0.001 * 4.302653 / 3**0.5, rel=1e-6)
    assert rtt.chance == 0.25, "three signs alike: 2 / 2 ** 3"


def test_a_setting_against_itself_differs_by_exactly_nothing():
    rows = [row(seed, 0.01 / seed) for seed in range(1, 8)]
    for one in compared(("a", rows), ("b", rows)).differences:
        assert (one.mean, one.interval.lower, one.interval.upper, one.more, one.less) == (0.0, 0.0, 0.0, 0, 0)
        assert one.chance == 1.0
    with pytest.raises(RecordingError, match="no figure differs"):
        draw_forest([compared(("a", rows), ("b", rows))])


def test_verdicts_that_differ_are_weighed_and_a_run_that_died_has_met_nothing():
    """McNemar, exact: 6 pairs differ, all one way: 2 / 2 ** 6."""
    first = [row(seed, 0.01) for seed in range(12)]
    second = [row(seed, *((None,) if seed < 2 else (0.01, "failed") if seed < 5 else (0.01, "inconclusive")
                          if seed < 6 else (0.01,))) for seed in range(12)]  # fmt: skip
    (one,) = compared(("a", first), ("b", second)).verdicts
    assert (one.both, one.first_alone, one.second_alone, one.neither) == (6, 6, 0, 0)
    assert one.chance == 2 / 2**6


def test_what_seeds_share_cancels_out():
    """Values x + e and x + d + e': the variance falls by 1 + var(x) / var(e), and intervals hold d in 95 %."""
    rng = np.random.default_rng(1)
    right, gains = 0, []
    for _ in range(500):
        common, one, other = 10 + 3 * rng.normal(size=20), rng.normal(size=20), rng.normal(size=20)
        a = [row(seed, value) for seed, value in enumerate(common + one)]
        b = [row(seed, value) for seed, value in enumerate(common + 0.5 + other)]
        rtt = of(compared(("a", a), ("b", b)))
        right += rtt.interval.lower <= 0.5 <= rtt.interval.upper
        gains.append(rtt.gain)
    assert right / 500 >= 0.95 - 3 * (0.95 * 0.05 / 500) ** 0.5
    assert np.median(gains) == pytest.approx(1 + 3**2, rel=0.15)


def test_a_sweep_is_compared_by_what_it_varied_and_paired_by_the_rest():
    rows = [row(seed, 0.1 * x + 0.01 * (y == "b"), x=x, y=y) for x in (1, 2) for y in "ab" for seed in (1, 2)]
    (first, before), (second, after) = settings_of({"s": rows}, "y").items()
    found = compared((first, before), (second, after))
    assert (found.pairs, of(found).mean) == (4, pytest.approx(0.01))
    assert of(found).interval.upper - of(found).mean < 1e-12, "each pair differs by the same"
    for by, says in (("z", "allowed: what s varies: x, y"), ("", "missing; allowed: one of what s varies: x, y")):
        with pytest.raises(ScenarioError, match=says):
            settings_of({"s": rows}, by)


def test_a_forest_has_a_line_for_each_setting_and_figure():
    rows = [row(seed, 0.1 * seed, x=1) for seed in (1, 2)]
    others = [[row(seed, 0.1 * seed + apart * seed) for seed in (1, 2)] for apart in (0.01, -0.02)]
    first = [{**one, "point": {}} for one in rows]
    figure = draw_forest([compared(("a", first), (name, other)) for name, other in zip("bc", others, strict=True)])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[0] == "round trip p50" and texts[1].startswith("+15.0 ms (") and texts[2].startswith("-30.0 ms (")
    assert len(texts) == 3, "collisions are the same everywhere"
