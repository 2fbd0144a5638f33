"""The patrol of the README, shortened: what its network does to it can be seen."""

import json
from pathlib import Path

import pytest

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")


@pytest.fixture
def patrol(command):
    def run(name, *settings):
        sets = [part for setting in settings for part in ("--set", setting)]
        code, out, err = command("run", PATROL, "-o", f"{name}.h5", "--duration", "10 s", "--json", *sets)
        assert code in (0, 5, 6), err
        return code, json.loads(out)

    return run


def test_it_flies_worse_over_a_slower_network_and_gives_up_over_a_very_slow_one(patrol):
    code, ideal = patrol("ideal")
    assert code == 6 and ideal["failsafes"] == 0, "ten seconds are too short for 99.9 %"
    assert {one["answer"] for one in ideal["requirements"]} == {"passed", "inconclusive"}
    assert ideal["tracking_rms"] < 0.3
    _, slow = patrol("slow", "network.kind=fixed", "network.delay=120 ms")
    assert slow["rtt_p50"] == pytest.approx(0.24, abs=0.002 + 1e-9), "two ways, and an offset within the 2 ms tick"
    assert slow["tracking_rms"] > 2 * ideal["tracking_rms"]
    code, lost = patrol("lost", "network.kind=fixed", "network.delay=600 ms")
    assert code == 5 and lost["failsafes"] >= 4 and lost["failsafe_time"] > 20


def test_packets_are_conserved(patrol):
    _, figures = patrol("lossy", "network.kind=fixed", "network.delay=35 ms", "network.loss=0.1")
    parts = ("packets_delivered", "packets_lost", "packets_queued")
    assert figures["packets_sent"] == sum(figures[part] for part in parts)
    # Losses are binomial: n = packets that entered, p = 0.1; five standard deviations.
    n = figures["packets_sent"]
    assert figures["packets_lost"] == pytest.approx(0.1 * n, abs=5 * (0.09 * n) ** 0.5)
    assert figures["losses"] == {"lost": figures["packets_lost"]}


INSIDE = [([0, 0, 10], "building_"), ([100, 0, 20], "building_"), ([0, 60, -1], "ground")]


@pytest.mark.parametrize(("place", "thing"), INSIDE)
def test_a_drone_that_starts_inside_of_something_is_refused(command, place, thing):
    settings = ("robots.patrol.count=1", f"robots.patrol.positions=[{place}]")
    code, out, err = command("check", PATROL, *(part for s in settings for part in ("--set", s)))
    assert code == 2 and "robots.patrol.positions[0]: patrol at" in err and f"is inside of {thing}" in err
