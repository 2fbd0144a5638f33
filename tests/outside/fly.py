"""Run the kites with what a package brings, and say what came of it: `python fly.py SCENARIO [KEY=VALUE ...]`."""

import json
import sys
from pathlib import Path

import numpy as np

from twin.assembly.build import build
from twin.project.project import Project
from twin.specs.scenario import load_scenario

if __name__ == "__main__":
    path = Path(sys.argv[1])
    scenario, _ = load_scenario(path, sys.argv[2:])
    built = build(scenario, Project.around(path.parent))
    kites = [i for i, node in enumerate(built.nodes) if node.group == "kite"]
    frames = list(built.twin.frames(scenario.duration))
    built.close()
    packets = [packet for frame in frames for packet in frame.packets]
    logs = [log for frame in frames for log in frame.logs]
    print(json.dumps({
        "time": [frame.time for frame in frames],
        "place": [frame.bodies.position.tolist() for frame in frames[::100]],
        "velocity": frames[-2].bodies.velocity.tolist(),
        "command": frames[-1].commands["kite"].tolist(),
        "received": [value for _, node, name, value in logs if name == "received" and node in kites],
        "ground": [value for _, _, name, value in logs if name == "ground"],
        "fates": [(p.source, p.kind, p.sequence, p.fate, p.arrived - p.created) for p in packets],
        "power": built.radios[-1].power_dbm,
        "finite": bool(np.isfinite(frames[-1].bodies.position).all()),
        "radios": [radio.role for radio in built.radios],
    }))  # fmt: skip
