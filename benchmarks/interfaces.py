"""Cost of lock-step with controllers in other processes: `python benchmarks/interfaces.py`.

20 robots hover, decided for in phase or each at its own time, by one process or a process each. Prints how long twin
waits for an answer (packing, transport, the controller's own Python, unpacking), and per robot and decision; the
flight must be that of the same controllers in twin's own process.
"""

import argparse
import tempfile
import time
from collections import deque
from contextlib import closing
from pathlib import Path

import numpy as np

from twin.assembly.build import build
from twin.project.project import Project
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples/process"
HEAD = """
schema = 1
world = "{world}/"
duration = "{seconds} s"
[robots.edge]
kind = "edge"
"""
GROUP = """
[robots.scout{name}]
kind = "drone"
count = {count}
phase = 0
control = "50 Hz"
controller = {controller!r}
trigger = {trigger!r}
task = {{ kind = "hover", points = {points} }}
"""


def scenario(groups, trigger, controller, seconds, robots=20):
    """Return the text of `robots` hovering drones in that many groups."""
    each = robots // groups
    text = HEAD.format(world=ROOT / "tests/project/worlds/void", seconds=seconds)
    for group in range(groups):
        points = [[4.0 * (group * each + i), 0.0, 520.0] for i in range(each)]
        text += GROUP.format(name=group, count=each, controller=controller, trigger=trigger, points=points)
    return text


def fly(groups, trigger, controller, seconds):
    """Return where the robots ended, and duration [s] and robots of each exchange with other processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hover.toml"
        path.write_text(scenario(groups, trigger, controller, seconds))
        loaded, _ = load_scenario(path)
    exchanges = []
    with closing(build(loaded, Project(EXAMPLES))) as built:
        for entry in built.entries:
            if hasattr(entry.controller, "link"):
                entry.controller.link.ask = timed(entry.controller.link.ask, exchanges)
        (last,) = deque(built.twin.frames(loaded.duration), maxlen=1)
    return last.bodies.position.tobytes(), np.array(exchanges)


def timed(ask, exchanges):
    """Return `ask` with a watch on it."""

    def watched(expected, observations):
        start = time.perf_counter()
        reply = ask(expected, observations=observations)
        exchanges.append((time.perf_counter() - start, len(observations)))
        return reply

    return watched


def main():
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    cases = {
        "1 process, in phase": (1, "50 Hz"),
        "1 process, each in its time": (1, "arrival"),
        "20 processes, each in its time": (20, "arrival"),
    }
    for name, case in cases.items():
        ends, none = fly(*case, "hold.py:Hold", seconds)
        same, exchanges = fly(*case, "process:hold.py", seconds)
        assert ends == same and not len(none), "another process must not change the flight"
        took, robots = exchanges[20:].T  # the first ones start processes
        wait, each = np.median(took) * 1e6, np.median(took / robots) * 1e6
        print(f"{name:32} {wait:5.0f} us a wait for {np.mean(robots):4.1f} robots: {each:4.0f} us per robot and step")


if __name__ == "__main__":
    main()
