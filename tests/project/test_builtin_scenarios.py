"""A built-in scenario is ray-traced and over NR, or its description says over what it runs, for the sake of what."""

from pathlib import Path

import pytest

from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(ROOT.glob("worlds/*/scenarios/*.toml"))
WORDS = {"ideal": "over an ideal", "fixed": "over a fixed delay", "simple": "over a simple network", "nr": ""}
"""Of kinds of networks, as descriptions say them."""


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_what_is_not_traced_over_nr_says_so(path):
    scenario, _ = load_scenario(path)
    assert WORDS[scenario.network.kind] in scenario.description
    assert ("in free space" in scenario.description) is (scenario.channel.kind == "freespace")


def test_all_of_them_are_looked_at():
    assert len(SCENARIOS) == 21
