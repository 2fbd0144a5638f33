"""Cost of lock-step with controllers in other processes: `python benchmarks/interfaces.py`.

20 robots, with one process for all of them and with a process each, against the same controllers in twin's own
process; the flight must be the same. Prints microseconds per robot and decision, as differences of whole runs.
"""

import argparse
import tempfile
import time
from pathlib import Path

from twin.build import build
from twin.project import Project
from twin.scenario import load_scenario

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
task = {{ kind = "hover", points = {points} }}
"""


def scenario(groups, controller, seconds, robots=20):
    """Return the text of `robots` hovering drones in that many groups."""
    each = robots // groups
    text = HEAD.format(world=ROOT / "tests/project/worlds/void", seconds=seconds)
    for group in range(groups):
        points = [[4.0 * (group * each + i), 0.0, 520.0] for i in range(each)]
        text += GROUP.format(name=group, count=each, controller=controller, points=points)
    return text


def measure(groups, controller, seconds):
    """Return seconds of the run after its first tenth, its decisions, and where the robots ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hover.toml"
        path.write_text(scenario(groups, controller, seconds))
        loaded, _ = load_scenario(path)
    built = build(loaded, Project(EXAMPLES))
    start = warm = 0.0
    for frame in built.twin.frames(loaded.duration):
        if not start and frame.time >= loaded.duration // 10:
            start, warm = time.perf_counter(), frame.time
    took = time.perf_counter() - start
    built.close()
    return took, 20 * 50 * (frame.time - warm) / 1e9, frame.bodies.position.tobytes()


def main():
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    measure(1, "hold.py:Hold", 0.2)  # compile
    for name, groups in (("one process for 20 robots", 1), ("20 processes", 20)):
        inside, decisions, ends = measure(groups, "hold.py:Hold", seconds)
        outside, _, same = measure(groups, "process:hold.py", seconds)
        assert ends == same, "another process must not change the flight"
        more = (outside - inside) / decisions * 1e6
        print(f"{name:28} {inside:6.2f} s inside, {outside:6.2f} s outside: {more:+.0f} us per robot and decision")


if __name__ == "__main__":
    main()
