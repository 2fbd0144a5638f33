"""Read a recording: columns as they are in the file, frames one after another, tables as DataFrames."""

import sys
from pathlib import Path

import twin

path = Path(sys.argv[1] if len(sys.argv) > 1 else "patrol.h5")
if not path.exists():
    twin.run("city/patrol", duration="5 s", output=path).close()

with twin.Run(path) as run:
    recording = run.recording
    print(f"{run!r}")
    print(f"robots: {', '.join(node.name for node in recording.robots)}")
    height = recording["state/position"][-1, :, 2]  # one column, read when sliced: (bodies,) m
    print(f"heights at the end: {height.round(1).tolist()} m")
    speed = max(float(abs(frame.bodies.velocity).max()) for frame in run.frames())
    print(f"fastest along an axis: {speed:.1f} m/s")
    print(run.packets.groupby(["kind", "fate"]).latency.describe()[["count", "mean", "max"]])
    print(run.states("patrol-0")[["time", "x_m", "y_m", "z_m"]].tail(3).to_string(index=False))
