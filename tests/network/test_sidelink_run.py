"""A controller's messages to another robot arrive over the sidelink, slots after they were sent."""

from pathlib import Path

from twin.recording.reader import Recording

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")

CONTROLLER = """
import numpy as np
from twin.state import Action, Message

class Neighbour:
    runs_on = "onboard"

    def reset(self, spec, rng):
        self.to = f"patrol-{(spec.row + 1) % 4}"

    def act(self, observation):
        heard = sum(packet.kind == "hello" for packet in observation.inbox)
        return Action(np.zeros(4), (Message(self.to, None, 100, "hello"),), {"heard": heard})
"""


def test_messages_between_robots_arrive_over_the_sidelink(command):
    Path("neighbour.py").write_text(CONTROLLER)
    sets = ["robots.patrol.controller=./neighbour.py:Neighbour", "network.kind=simple", "network.sidelink={period = 8}",
            "robots.patrol.send_offset=0 s"]  # fmt: skip
    code, out, err = command(
        "run", PATROL, "--duration", "1 s", "-q", "-o", "run.h5", *(p for s in sets for p in ("--set", s))
    )
    assert code in (0, 5, 6), err
    with Recording("run.h5") as run:
        packets, logs = run.packets(), run.logs()
    hello = packets[(packets["kind"] == "hello") & (packets["fate"] == "delivered")]
    delay = hello["arrived"] - hello["created"]
    slot = 500_000
    before, after = 12 * slot // 28, (20 + 10) * slot // 28  # N2 / 2; ten symbols and N1 / 2
    assert len(hello) >= 4 * 45
    assert (delay >= before + after - 1).all() and (delay < before + after + 8 * slot + 1000).all()
    start = hello["arrived"] - after - (hello["source"] - 1) * slot  # robots are nodes 1 to 4
    assert ((start + 1) % (8 * slot) < 1000).all(), "robot i sends in slot i of each period, 300 m away at most"
    assert logs["value"].sum() >= len(hello) - 4
