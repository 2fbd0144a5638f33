"""Buoys hand reports to the shore hop by hop, and keep them until the next one has them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.state import Observation, Packet, Sample

ROOT = Path(__file__).resolve().parents[2]
BUOY = ROOT / "agents/buoy"
MS = NS // 1000


@pytest.fixture
def relay():
    """Return make(row): a controller of that buoy."""
    kind, made = load_kind(BUOY), plugins.load_controller("relay", BUOY).value

    def make(row):
        ready = made()
        ready.reset(RobotSpec(f"b-{row}", "b", row, kind, None, made.Parameters()), np.random.default_rng(0))
        return ready

    return make


def look(time, *packets, heave=0.5):
    values = {"position": np.array([0.0, 0.0, heave]), "velocity": np.zeros(3)}
    return Observation(time, "b", Sample(time, values), packets)


def packet(message, time):
    return Packet(0, 1, message.kind, 0, message.size, time, time, message.payload, time, "delivered")


def test_a_report_goes_out_again_until_its_receipt_comes(relay):
    buoy = relay(2)
    (first,) = buoy.act(look(0)).messages
    assert (first.to, first.kind, first.payload.origin, first.payload.heave) == ("b-1", "report", 2, 0.5)
    assert not buoy.act(look(480 * MS)).messages
    (again,) = buoy.act(look(500 * MS)).messages
    assert again.payload is first.payload
    (receipt,) = relay(1).act(look(510 * MS, packet(again, 505 * MS))).messages[:1]
    assert (receipt.to, receipt.kind) == ("b-2", "receipt")
    action = buoy.act(look(600 * MS, packet(receipt, 590 * MS)))
    assert not action.messages and action.log["stored"] == 0.0


def test_what_comes_twice_is_confirmed_twice_and_passed_on_once(relay):
    (report,) = relay(2).act(look(0)).messages
    middle = relay(1)
    for time, passed in ((20 * MS, 1), (60 * MS, 0)):
        messages = middle.act(look(time, packet(report, time))).messages
        assert [m.to for m in messages if m.kind == "receipt"] == ["b-2"]
        assert sum(m.kind == "report" and m.payload.origin == 2 for m in messages) == passed


def test_the_shore_logs_the_age_at_arrival_and_sends_nothing_of_its_own(relay):
    (report,) = relay(1).act(look(0)).messages
    shore = relay(0)
    action = shore.act(look(50 * MS, packet(report, 42 * MS)))
    assert action.log == {"latency.1": pytest.approx(0.042)}
    assert [m.kind for m in action.messages] == ["receipt"]


def test_a_full_store_drops_its_oldest_and_says_so(relay):
    buoy = relay(1)
    buoy.parameters = buoy.parameters.model_copy(update={"room": 3})
    for second in range(5):
        log = buoy.act(look(second * NS)).log
    assert log["stored"] == 3.0 and log["dropped"] == 2.0
    assert [number for _, number in buoy.store] == [2, 3, 4]


def test_every_hop_of_the_chain_takes_its_slots_and_its_control_ticks(stage):
    """Two seconds over ideal links: each hop waits for its reservation (9.5 ms) and the next control tick (20 ms)."""
    settings = ("channel.kind=freespace", "robots.buoy.phase=0", "robots.buoy.send_offset=0 s", "rates.channel=10 Hz")
    built = stage("worlds/harbour/scenarios/buoy-relay.toml", *settings)
    found = {}
    for frame in built.twin.frames(2 * NS):
        for _, _, name, value in frame.logs:
            if name.startswith("latency."):
                found.setdefault(int(name.rpartition(".")[2]), []).append(value)
    air = 0.5e-3 * 11 / 14  # ten symbols and half of N1, at least
    for hops in range(1, 7):
        assert len(found[hops]) >= 2
        assert min(found[hops]) > hops * air
        assert max(found[hops]) < hops * (0.0095 + 0.001) + (hops - 1) * 0.02


@pytest.mark.parametrize(("power", "answers"), [("23 dBm", ["passed", "inconclusive"]), ("-30 dBm", ["failed"] * 2)])
def test_the_relay_fails_if_its_reports_do_not_arrive(command, power, answers):
    """The scenario's own words, for 3 s, which are too few for a share, not for none; -30 dBm bridge no hop of 90 m."""
    wanted = ["logs.buoy-0.latency.6.count >= 2", "flows.report.delivered > 80 %"]
    radio = f'{{carrier = "3.5 GHz", power = "{power}", noise_figure = "7 dB", mount = [0.0, 0.0, 3.3]}}'
    sets = ("channel.kind=freespace", f"requirements={json.dumps(wanted)}", f"robots.buoy.spec.radios=[{radio}]")
    words = [word for one in sets for word in ("--set", one)]
    code, out, err = command("run", "harbour/buoy-relay", "-o", "relay.h5", "--duration", "3 s", *words, "--json")
    assert [one["answer"] for one in json.loads(out)["requirements"]] == answers, err
    assert code == (5 if "failed" in answers else 6)
