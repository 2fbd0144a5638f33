"""The drones of the city: the same again bit for bit, and a mission from the ground to the ground."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from twin.analysis.metrics import Metrics
from twin.analysis.report_run import take_apart
from twin.clock import NS
from twin.recording.reader import Recording
from twin.runs.surroundings import place_of
from twin.world.opening import open_world

ROOT = Path(__file__).resolve().parents[2]

FLIGHTS = [("formation", ()), ("inspection", ()), ("swap", ()), ("parcels", ("robots.courier.task.interval=0 s",))]


@pytest.mark.parametrize(("name", "changes"), FLIGHTS, ids=[name for name, _ in FLIGHTS])
def test_the_same_again_bit_for_bit(stage, name, changes):
    seen = set()
    for _ in range(2):
        state = hashlib.sha256()
        for frame in stage(f"worlds/city/scenarios/{name}.toml", *changes).twin.frames(NS // 2):
            for array in (frame.bodies.position, frame.bodies.velocity, *frame.commands.values()):
                state.update(array.tobytes())
            state.update(repr((frame.logs, frame.events, [(p.created, p.arrived) for p in frame.packets])).encode())
        seen.add(state.hexdigest())
    assert len(seen) == 1


HOP = """schema = 1
world = "city"
duration = "30 s"
[network]
kind = "fixed"
delay = "20 ms"
[robots.hopper]
kind = "drone"
count = 2
controller = "avoid"
[robots.hopper.task]
kind = "mission"
plans = ["hop.plan"]
interval = "1 s"
offset = [0, 2.5, 0]
[robots.edge]
kind = "edge"
"""
PLAN = """{"fileType": "Plan", "version": 1, "mission": {"version": 2, "hoverSpeed": 4,
"plannedHomePosition": [48.1543, 11.5902, 517], "items": [
{"type": "SimpleItem", "command": 22, "frame": 3, "params": [0, 0, 0, null, 48.1543, 11.5902, 6]},
{"type": "SimpleItem", "command": 211, "frame": 2, "params": [1, 0, 0, 0, 0, 0, 0]},
{"type": "SimpleItem", "command": 16, "frame": 3, "params": [0, 0, 0, null, 48.1543, 11.5903, 6]},
{"type": "SimpleItem", "command": 21, "frame": 3, "params": [0, 0, 0, null, 0, 0, 0]}]}}"""


def test_a_plan_is_flown_from_the_ground_to_the_ground(stage, tmp_path, monkeypatch):
    """Rotors stand until each one's turn, and after the landing, which is no collision."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hop.plan").write_text(PLAN)
    (tmp_path / "hop.toml").write_text(HOP)
    built = stage(str(tmp_path / "hop.toml"))
    assert built.notes == ["hop.plan: not used: 1 x command 211"]
    metrics, commands = Metrics(built.nodes, built.tasks, 0), []
    for frame in built.twin.frames(21 * NS):
        metrics.take(frame)
        commands.append(frame.commands["hopper"][:, 2].copy())
    summary = metrics.summary()
    assert summary["waypoints_reached"] == 2 * 4 and summary["waypoints_missed"] == 0
    assert summary["collisions"] == summary["failsafes"] == 0 and summary["completion_time"] < 21.0
    assert summary["separation_min"] > 1.3
    stopped = np.array(commands) == -15.0
    assert stopped[-1].all() and stopped[400, 1] and not stopped[600].any()
    assert np.abs(frame.bodies.velocity).max() < 0.01
    assert frame.bodies.position[:, 2] == pytest.approx(0.09, abs=0.05)


def test_a_mission_has_a_report_with_its_tracking_error_as_long_as_its_plan_is_there(command, tmp_path):
    pytest.importorskip("plotly")
    (tmp_path / "hop.plan").write_text(PLAN)
    (tmp_path / "hop.toml").write_text(HOP)
    code, _, said = command("run", "hop.toml", "-o", "hop.h5", "--duration", "1 s")
    assert code in (0, 5, 6) and "hop.plan: not used: 1 x command 211" in said
    code, _, said = command("report", "hop.h5", "-o", "hop.html")
    assert code == 0 and "tracking" not in said
    with Recording(tmp_path / "hop.h5") as recording:
        run = take_apart(recording, None, place=place_of(recording, open_world(ROOT / "worlds/city")))
        assert run.errors.keys() == {"hopper-0", "hopper-1"} and run.errors["hopper-0"].max() < 0.5
        assert take_apart(recording, None).errors == {}
    (tmp_path / "hop.plan").write_text(PLAN.replace("517", "518"))
    code, _, said = command("report", "hop.h5", "-o", "other.html")
    assert code == 0 and "without tracking errors of missions: hop.plan has changed" in said
