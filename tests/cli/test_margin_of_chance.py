"""`twin margin --probability` on runs of a falling ball: where half of them lose more packets than they may."""

import json
import sys
from pathlib import Path

import pytest
from scipy.stats import binom

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="margins fork their runs")
ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
FIXED = ("--set", "network.kind=fixed", "--set", "network.delay=0 s", "--set", "duration=0.2 s", "--trust")


def test_half_of_all_runs_lose_more_than_the_middle_of_a_binomial(command):
    """Each of n samples, or the command that answers it, is lost with 1 - (1 - q)^2: how many are lost is binomial."""
    asked = ("network.loss", "--between", "0", "0.9", "--probability", "0.5", "--requirement", "packets_lost < 45")
    code, out, err = command("margin", HEIGHT, *asked, "--seeds", "1:60", *FIXED, "--picture", "a.png", "--json")
    found = json.loads(out)
    assert code == 0 and found["inside"] and len(found["runs"]) == 60 and Path("a.png").stat().st_size > 5000
    code, out, err = command("run", HEIGHT, *FIXED, "-o", "a.h5", "-q")
    n = json.loads(command("info", "a.h5", "--json")[1])["packets_sent"] // 2
    low, high = found["interval"]["lower"], found["interval"]["upper"]
    broken = [binom.sf(44, n, 1 - (1 - q) ** 2) for q in (low, high)]
    assert broken[0] < 0.5 < broken[1] and high - low < 0.2
    code, out, err = command("margin", HEIGHT, *asked, "--seeds", "1:60", *FIXED)
    said = " ".join(out.split())
    assert "are broken in 50 % of runs at network.loss = " in said and "60 runs, each of a seed of its own" in said
    code, out, err = command("margin", HEIGHT, *asked, "--seeds", "1:60", *FIXED, "--picture", "a.png")
    assert code == 1 and "exists already; --force replaces it" in " ".join(err.split())


def test_what_has_no_border_is_said_and_within_is_not_for_it(command):
    asked = ("network.loss", "--between", "0", "0.1", "--probability", "0.5", "--requirement", "packets_lost < 4500")
    code, out, err = command("margin", HEIGHT, *asked, *FIXED)
    assert code == 2 and "no border between 0 and 0.1: 0 of 4 break at 0" in " ".join(err.split())
    code, out, err = command("margin", HEIGHT, *asked, *FIXED, "--within", "0.1")
    assert code == 2 and "--within: --seeds says how many runs there are" in " ".join(err.split())
