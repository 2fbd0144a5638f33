"""A drone lands on a deck that heaves, by what the deck streams; messages of other robots at the edge."""

from __future__ import annotations

import numpy as np
import pytest

from twin.clock import NS

PAIR = {"deck", "lander"}
SCENARIO = "worlds/harbour/scenarios/drone-on-deck.toml"
QUICK = ("robots.lander.parameters={height='1 m', wait='1 s'}", "robots.lander.positions=[[260, 110, 2.3]]",
         "network.kind=fixed")  # fmt: skip


def fly(built, seconds):
    """Return the frames of a run and the rows of deck and drone."""
    row = {node.name: node.body for node in built.nodes}
    return list(built.twin.frames(seconds * NS)), row["deck"], row["lander"]


@pytest.mark.parametrize("place", [(), ("robots.lander.runs_on=onboard", "robots.deck.parameters={to='lander'}")])
def test_it_lands_gently_and_stays_down(stage, place):
    """0.4 m/s over the deck, less than 1 m/s with what 20 ms leave; its feet stay 9 cm under its middle."""
    frames, deck, drone = fly(stage(SCENARIO, *QUICK, "network.delay=20 ms", *place), 8)
    speeds = [e.value for f in frames for e in f.events if e.kind == "contact" and {e.robot, e.detail} == PAIR]
    assert speeds and max(speeds) < 1.0
    assert frames[-1].commands["lander"][0, 2] == -15.0
    for frame in frames[-200:]:
        x, y, z, w = frame.bodies.orientation[deck]
        up = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
        rise = up @ (frame.bodies.position[drone] - frame.bodies.position[deck])
        assert rise == pytest.approx(0.9 + 0.09, abs=0.03)


def test_without_the_deck_s_state_it_gets_no_command_and_its_failsafe_takes_over(stage):
    """The deck speaks to a base station, which nobody at the edge hears."""
    frames, _, drone = fly(stage(SCENARIO, *QUICK, "robots.deck.parameters={to='site-0'}"), 2)
    assert all(not np.any(frame.commands["lander"]) for frame in frames[:100])
    assert frames[-1].modes[[n.name for n in stage(SCENARIO).nodes].index("lander")] != "nominal"
    assert frames[-1].bodies.position[drone, 2] > 1.0


def test_messages_of_the_deck_reach_the_controller_at_the_edge_and_cause_no_event(stage):
    frames, *_ = fly(stage(SCENARIO, *QUICK), 1)
    delivered = [p for f in frames for p in f.packets if p.kind == "deck" and p.fate == "delivered"]
    assert len(delivered) > 40
    assert not [e for f in frames for e in f.events if e.kind == "unheard"]
    ages = [value for f in frames for _, _, name, value in f.logs if name == "deck_age"]
    assert 0.02 <= min(ages) and max(ages) <= 0.061  # 20 ms on the way, 20 ms between two, 20 ms until telemetry came
