"""Intervals agree with published tables, and cover what they say they cover."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from twin.numerics import statistics as st

EXPERIMENTS = 2000
SLACK = 3 * (0.95 * 0.05 / EXPERIMENTS) ** 0.5  # three standard errors of a coverage of 95 %


@pytest.mark.parametrize(
    ("k", "n", "lower", "upper"),
    [(0, 10, 0.0, 0.308497), (0, 59, 0.0, 0.060609), (1, 100, 0.000253, 0.054459), (5, 100, 0.016432, 0.112835),
     (10, 10, 0.691503, 1.0)],
)  # fmt: skip
def test_clopper_pearson_as_tables_have_it(k, n, lower, upper):
    found = st.clopper_pearson(k, n)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-6)
    oracle = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    assert (found.lower, found.upper) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_how_many_trials_without_a_hit_show_a_small_probability():
    assert [st.trials_needed(p, sides=1) for p in (0.05, 0.01, 1e-3, 1e-6)] == [59, 299, 2995, 2_995_731]
    assert [st.trials_needed(p, 0.99, sides=1) for p in (0.05, 1e-6)] == [90, 4_605_168]
    for p in (0.05, 1e-3):
        n = st.trials_needed(p)
        assert st.clopper_pearson(0, n).upper < p < st.clopper_pearson(0, n - 1).upper


@pytest.mark.parametrize(
    ("n", "q", "ranks"),
    [(100, 0.5, (40, 61)), (10, 0.5, (2, 9)), (1000, 0.99, (983, 997)), (10_000, 0.999, (9983, 9997)),
     (71, 0.95, None), (367, 0.99, None)],
)  # fmt: skip
def test_ranks_of_a_quantile(n, q, ranks):
    assert st.quantile_ranks(n, q) == ranks


def test_too_few_values_bound_a_quantile_on_one_side_only():
    assert st.quantile_ranks(72, 0.95) is not None and st.quantile_ranks(368, 0.99) is not None
    time, value = np.arange(100) * 10**7, np.random.default_rng(1).normal(size=100)
    found = st.quantile(time, value, 0.99, independent=True)
    assert np.isinf(found.interval.upper) and np.isfinite(found.interval.lower) and found.wanted == 368


def test_rates_of_rare_events_as_tables_have_them():
    found = st.event_rate(0, 1.0)
    assert (found.lower, found.upper) == pytest.approx((0.0, 3.6889), abs=1e-4)
    found = st.event_rate(10, 1.0)
    assert (found.lower, found.upper) == pytest.approx((4.7954, 18.3904), abs=1e-4), "Garwood 1936"


@pytest.mark.parametrize(
    ("k", "n", "lower", "upper"),
    [(0, 10, 0.0, 0.37699), (0, 59, 0.0, 0.09069), (5, 100, 0.00715, 0.15579), (10, 10, 0.62301, 1.0)],
)
def test_the_confidence_sequence(k, n, lower, upper):
    found = st.confidence_sequence(k, n)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-5)


def border(bounds, limit, looks):
    """Return, after 1 to `looks` trials, the most hits that show less than `limit`, and the least that show more."""
    below, above, found = -1, 1, []
    for n in range(1, looks + 1):
        while bounds(below + 1, n).upper < limit:
            below += 1
        while above <= n and bounds(above, n).lower <= limit:
            above += 1
        found.append((below, above))
    return np.array(found)


LOOKS = 2000


@pytest.mark.parametrize(
    ("bounds", "least", "most"), [(st.confidence_sequence, 0.0, 0.05), (st.clopper_pearson, 0.25, 0.4)]
)
def test_looking_after_each_run_is_paid_for(bounds, least, most):
    """2,000 looks at p = 5 %: a sequence is wrong in 5 % of series at most (Ville), an exact interval in a third."""
    hits = np.cumsum(np.random.default_rng(2).random((EXPERIMENTS, LOOKS)) < 0.05, axis=1)
    below, above = border(bounds, 0.05, LOOKS).T
    wrong = np.mean(((hits <= below) | (hits >= above)).any(axis=1))
    assert least <= wrong <= most + 3 * (most * (1 - most) / EXPERIMENTS) ** 0.5


@pytest.mark.parametrize(("truth", "runs"), [(0.0, 116), (0.01, 221), (0.1, 266)])
def test_how_many_runs_a_confidence_sequence_takes(truth, runs):
    """To show whether a probability is below 5 %, on average; found apart from this code, over other draws."""
    hits = np.cumsum(np.random.default_rng(3).random((EXPERIMENTS, LOOKS)) < truth, axis=1)
    below, above = border(st.confidence_sequence, 0.05, LOOKS).T
    decided = (hits <= below) | (hits >= above)
    taken = np.where(decided.any(axis=1), decided.argmax(axis=1) + 1, LOOKS)
    assert taken.mean() == pytest.approx(runs, rel=0.05 if truth else 0.0)


@pytest.mark.parametrize("bounds", [st.clopper_pearson, st.confidence_sequence])
@pytest.mark.parametrize(("k", "n", "p"), [(0, 10, 0.05), (2, 100, 0.05), (3, 20, 0.05), (20, 40, 0.4)])
def test_how_many_trials_would_decide(bounds, k, n, p):
    """Trials that go on as they began: that many leave the limit out, one fewer do not."""
    needed = st.trials_to_decide(k, n, p, bounds=bounds)
    assert needed > n

    def decided(trials):
        found = bounds(k / n * trials, trials, 0.95)
        return not found.lower <= p <= found.upper

    assert decided(needed) and not decided(needed - 1)


def test_what_never_decides_is_told():
    assert st.trials_to_decide(5, 100, 0.05) is None and st.trials_to_decide(0, 0, 0.05) is None
    assert [st.trials_to_decide(0, 1, p) for p in (0.05, 1e-3)] == [st.trials_needed(p) for p in (0.05, 1e-3)]


def test_walds_test_passes_after_72_clean_runs():
    test = st.SequentialTest(0.01, 0.05)
    assert (test.score(1, 1), test.score(0, 1)) == pytest.approx((1.60944, -0.04124), abs=1e-5)
    assert test.decided(0, 71) is None and test.decided(0, 72) is True and test.decided(2, 2) is False


@pytest.mark.parametrize(("truth", "mean", "passes"), [(0.01, 114, None), (0.05, 79, 0.05), (0.1, 29, None)])
def test_how_many_runs_walds_test_takes(truth, mean, passes):
    """1 % against 5 %, errors of 5 %; by a walk over counts of violations, exact, beside figures found apart from it.

    Wald's own approximation leaves out by how far the walk overshoots its ends, so no walk is shorter than it says.
    """
    test = st.SequentialTest(0.01, 0.05)
    chance, taken, passed = np.array([1.0]), 0.0, 0.0
    for n in range(1, 2000):
        chance = np.append(chance * (1 - truth), 0.0) + np.append(0.0, chance * truth)
        for k in np.flatnonzero(chance).tolist():
            if (answer := test.decided(k, n)) is not None:
                taken, passed = taken + n * chance[k], passed + chance[k] * answer
                chance[k] = 0.0
    assert chance.sum() < 1e-6 and taken == pytest.approx(mean, rel=0.02)
    step = truth * np.log(5.0) + (1 - truth) * np.log(0.95 / 0.99)
    drift = (passed * -np.log(19.0) + (1 - passed) * np.log(19.0)) / step
    assert taken > drift
    if passes is not None:
        assert passed == pytest.approx(passes, abs=0.003)


def test_mcnemar_is_the_exact_sign_test():
    for b, c in ((0, 0), (5, 0), (3, 9), (8, 8)):
        oracle = stats.binomtest(b, b + c).pvalue if b + c else 1.0
        assert st.mcnemar(b, c) == pytest.approx(min(oracle, 1.0), abs=1e-12)


def covers(found, truth):
    return bool(found.doubt) or found.interval.lower <= truth <= found.interval.upper


def test_exact_intervals_cover():
    rng = np.random.default_rng(3)
    hits = rng.binomial(200, 0.03, EXPERIMENTS)
    bounds = {k: st.clopper_pearson(k, 200) for k in set(hits.tolist())}
    assert np.mean([bounds[k].lower <= 0.03 <= bounds[k].upper for k in hits.tolist()]) >= 0.95 - SLACK
    events = rng.poisson(4.0, EXPERIMENTS)
    rates = {k: st.event_rate(k, 2.0) for k in set(events.tolist())}
    assert np.mean([rates[k].lower <= 2.0 <= rates[k].upper for k in events.tolist()]) >= 0.95 - SLACK
    low, high = st.quantile_ranks(400, 0.9)
    values = np.sort(rng.normal(size=(EXPERIMENTS, 400)), axis=1)
    truth = stats.norm.ppf(0.9)
    assert np.mean((values[:, low - 1] <= truth) & (truth < values[:, high - 1])) >= 0.95 - SLACK


@pytest.mark.parametrize("phi", [0.0, 0.98, 0.999])
def test_intervals_of_correlated_series_cover_or_say_that_they_cannot(phi):
    """AR(1) of 2000 values, worth 2000, 20 and 1: an average, a share of rare values, a quantile."""
    noise = np.random.default_rng(4).standard_normal((EXPERIMENTS, 4000))
    noise[:, 0] /= np.sqrt(1 - phi**2)
    series = (lfilter([1], [1, -phi], noise, axis=1) * np.sqrt(1 - phi**2))[:, 2000:]
    time, border = np.arange(2000) * 10**7, stats.norm.ppf(0.98)
    means = [covers(st.mean(time, one), 0.0) for one in series]
    shares = [covers(st.share(time, (one > border).astype(float), one), 0.02) for one in series]
    quantiles = [covers(st.quantile(time, one, 0.9), stats.norm.ppf(0.9)) for one in series]
    for found in (means, shares, quantiles):
        assert np.mean(found) >= 0.9
    assert np.mean(means) >= 0.95 - SLACK or phi > 0.0


@pytest.mark.parametrize(("share", "burst"), [(0.01, 10), (0.05, 30)])
def test_losses_in_bursts_count_as_bursts(share, burst):
    """Losses of a two-state chain, with nothing that goes with them: no loss in a run is no answer."""
    rng = np.random.default_rng(5)
    right, silent = [], 0
    for _ in range(EXPERIMENTS):
        lengths = np.stack([rng.geometric(share / (burst * (1 - share)), 200), rng.geometric(1 / burst, 200)], axis=1)
        states = np.repeat(np.tile([0.0, 1.0], 200), lengths.ravel())[:6000]
        found = st.share(np.arange(len(states)) * 10**7, states)
        silent += bool(found.doubt)
        right.append(covers(found, share))
        assert not found.doubt or states.max() == 0.0
    assert np.mean(right) >= 0.9 and silent < EXPERIMENTS / 50


def test_an_effective_number_is_that_of_theory():
    """AR(1): n (1 - phi) / (1 + phi); estimates lie below it, for they must not lie above."""
    noise = np.random.default_rng(6).standard_normal((200, 6000))
    series = lfilter([1], [1, -0.9], noise, axis=1)[:, 1000:]
    found = np.median([st.effective_number(np.arange(5000) * 10**7, one) for one in series])
    assert 0.4 * 5000 / 19 < found < 1.1 * 5000 / 19


def test_what_never_changes_needs_no_interval():
    time, value = np.arange(50) * 10**7, np.full(50, 0.04)
    for found in (st.mean(time, value), st.quantile(time, value, 0.999)):
        assert found.interval.lower == found.interval.upper == found.value == 0.04
