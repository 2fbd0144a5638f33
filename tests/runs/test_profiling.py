"""Time goes to the part that has the processor, and watching a run changes nothing in it."""

import json
from pathlib import Path

import numpy as np
import pytest

from twin.recording.reader import Recording
from twin.runs.profiling import PARTS, Profile
from twin.state import Frame

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")


class Watch:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        return self.now

    def works(self, seconds):
        self.now += seconds


def frame(time):
    return Frame(time, None, None, {}, ())


def test_a_part_is_charged_without_what_it_calls():
    clock = Watch()
    profile = Profile(clock=clock)

    class Network:
        def send(self):
            clock.works(2.0)

    class Agents:
        def act(self):
            clock.works(1.0)
            network.send()
            clock.works(4.0)

    network, agents = Network(), Agents()
    profile.watch("network", network, "send")
    profile.watch("agents", agents, "act")
    profile.take(frame(0))
    agents.act()
    profile.take(frame(1_000_000_000))  # all before is start-up
    clock.works(0.5)
    agents.act()
    profile.take(frame(3_000_000_000))
    figures = profile.figures()
    assert figures["cpu_to_first_step"] == 7.0
    expected = {"network": 2.0 / 2, "agents": 5.0 / 2, "loop": 0.5 / 2}
    assert figures["seconds_per_second"] == {part: expected.get(part, 0.0) for part in PARTS}
    assert figures["calls_per_second"]["agents"] == 0.5


def test_an_error_leaves_its_part():
    clock = Watch()
    profile = Profile(clock=clock)

    class Physics:
        def step(self):
            clock.works(1.0)
            raise ValueError

    physics = Physics()
    profile.watch("physics", physics, "step")
    with pytest.raises(ValueError):
        physics.step()
    clock.works(3.0)
    profile.take(frame(1_000_000_000))
    assert profile.figures()["seconds_per_second"]["loop"] == 3.0


def test_a_profiled_run_is_the_same_run(command, tmp_path):
    for name, option in (("plain.h5", []), ("watched.h5", ["--profile", "--json"])):
        code, out, _ = command("run", PATROL, "--duration", "0.5 s", "-o", tmp_path / name, *option)
        assert code in (0, 6)
    profile = json.loads(out)["profile"]
    assert all(profile["seconds_per_second"][part] > 0 for part in PARTS)
    assert profile["calls_per_second"]["physics"] == pytest.approx(500)
    with Recording(tmp_path / "plain.h5") as plain, Recording(tmp_path / "watched.h5") as watched:
        for name in ("state/position", "packets/arrived"):
            assert np.array_equal(plain[name][:], watched[name][:])
