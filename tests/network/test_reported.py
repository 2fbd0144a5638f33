"""What happens on the radio, and what a network refuses or carries beside packets, is printed and recorded."""

import json
from pathlib import Path

PATROL = str(Path(__file__).resolve().parents[1] / "patrol.toml")

SETTINGS = [
    "network.kind=nr",
    "network.mobility.offset=-90 dB",  # the other cell is always good enough
    "network.mobility.time_to_trigger=200 ms",
    "network.mobility.interruption=40 ms",
    'network.background=[{model = "frames", terminals = ["patrol-0"], rate = 10, size = 1000}]',
]


def test_handovers_and_background_packets_are_recorded_and_shown(command):
    sets = [part for setting in SETTINGS for part in ("--set", setting)]
    code, out, err = command("run", PATROL, "--duration", "1 s", "-o", "run.h5", *sets)
    assert code in (0, 5, 6), err
    assert "background offered" in out
    code, out, err = command("events", "run.h5", "--json")
    handovers = [event for event in json.loads(out) if event["kind"] == "handover"]
    # traces come every 10 ms: A3 holds from 10 ms on, triggers at 210 ms, holds again from 250 ms on, ...
    assert [event["time"] for event in handovers] == [t for t in (0.21, 0.45, 0.69, 0.93) for _ in range(4)]
    assert {event["robot"] for event in handovers} == {f"patrol-{i}" for i in range(4)}
    assert {event["value"] for event in handovers} == {0.04}
    code, out, err = command("info", "run.h5", "--json")
    summary = json.loads(out)
    assert summary["events"]["handover"] == 16
    assert summary["network"]["background_offered"] == 10
    assert summary["channel"] == {}
