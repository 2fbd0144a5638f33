"""Background traffic: its statistics, and that it loads the cell without a controller waiting for it."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.network.nr.traffic import TrafficSource
from twin.specs.nr import BackgroundSpec, NrSpec
from twin.state import LinkState, Packet

MS, SECOND = 1_000_000, 1_000_000_000


def source(**settings) -> TrafficSource:
    return TrafficSource(BackgroundSpec(terminals=("a",), **settings), 1, "a")


def test_ftp_model_3_is_a_poisson_process():
    gaps = np.diff([time for _, time, _ in source(model="ftp3", rate=50.0).until(200 * SECOND)]) / 1e9
    count = len(gaps)
    assert gaps.mean() == pytest.approx(1 / 50, abs=4 / 50 / np.sqrt(count))
    assert gaps.std() == pytest.approx(1 / 50, rel=4 * np.sqrt(2 / count))  # var(s^2) / s^4 = 8 / n


def test_xr_frames_keep_to_their_rate_within_jitter_and_size_limits():
    frames = source(model="xr", rate=60.0, size=62_500).until(100 * SECOND)
    times, sizes = np.array([f[1] for f in frames]), np.array([f[2] for f in frames])
    regular = times - np.arange(len(frames)) * SECOND // 60
    assert np.ptp(regular) <= 8 * MS
    assert (np.abs(sizes / 62_500 - 1) <= 0.5 + 1e-4).all()
    assert sizes.mean() == pytest.approx(62_500, rel=4 * 0.105 / np.sqrt(len(frames)))
    assert sizes.std() == pytest.approx(0.105 * 62_500, rel=4 / np.sqrt(2 * len(frames)))


def test_what_was_asked_for_before_is_not_repeated_and_steps_change_nothing():
    whole = source(model="ftp3", rate=100.0).until(SECOND)
    stepped = source(model="ftp3", rate=100.0)
    assert [entry for k in range(1, 101) for entry in stepped.until(k * 10 * MS)] == whole


def cell(*background: BackgroundSpec, **settings) -> tuple[NrNetwork, LinkState]:
    origin = (0.0, 0.0, 0.0)
    radios = [Radio(i, i, i, origin, 3.5e9) for i in range(2)]
    radios.append(Radio(2, 2, None, origin, 3.5e9, 0.0, 46.0, role="cell"))
    spec = NrSpec(kind="nr", background=background, **settings)
    network = NrNetwork(spec, 1, ["robot", "camera", "cell", "edge"], [True, True, False, False], radios)
    index, n = np.arange(2, dtype=np.int32), 2
    links = LinkState(
        0, index, np.full(n, 2, dtype=np.int32), np.full(n, -90.0), np.ones(n, dtype=bool), np.arange(n + 1),
        np.ones(n, dtype=complex), np.zeros(n), np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3)),
    )  # fmt: skip
    return network, links


def command_delays(priority: int, *background: BackgroundSpec) -> list[int]:
    """Return the delays of commands that reach the robot within a second, under strict priority."""
    qos = {"command": {"priority": priority}, "background": {"priority": 50}}
    network, links = cell(*background, carriers={"n78": {"scheduler": "strict-priority"}}, qos=qos)
    network.send([Packet(3, 0, "command", k, 60, (20 + 7 * k) * MS, 0, None) for k in range(100)])
    return [p.arrived - p.created for batch in network.run(SECOND, links) for p in batch.packets]


def test_a_full_buffer_starves_who_comes_after_it_and_delays_nobody_who_goes_first():
    full = BackgroundSpec(model="full-buffer", terminals=("camera",))
    free = command_delays(5)
    assert len(free) == 100
    assert command_delays(5, full) == free
    assert command_delays(90, full) == []


def test_background_packets_are_counted_and_never_handed_over():
    entry = BackgroundSpec(model="frames", terminals=("camera",), direction="uplink", rate=30, size=20_000)
    network, links = cell(entry)
    batches = list(network.run(SECOND, links))
    assert batches == []
    assert network.background.offered == 30
    assert network.counts["background_delivered"] >= 28
    assert network.settled() == network.queued() == []


def test_edge_servers_may_be_at_different_distances():
    """The names are those of robots; the delay is between its site and the cells."""
    near, links = cell(backhaul="5 ms", edges={"edge": "1 ms"})
    far, _ = cell(backhaul="5 ms")
    arrivals = []
    for network in (near, far):
        packet = Packet(0, 3, "telemetry", 0, 100, 20 * MS, 0, None)
        network.send([packet])
        list(network.run(SECOND, links))
        arrivals.append(packet.arrived)
    assert arrivals[1] - arrivals[0] == 4 * MS


def test_unknown_names_are_refused():
    with pytest.raises(ScenarioError, match="no robot 'camra'; did you mean 'camera'"):
        cell(BackgroundSpec(model="ftp3", terminals=("camra",)))
    with pytest.raises(ScenarioError, match=r"network.edges: no robot 'edgy'; did you mean 'edge'"):
        cell(edges={"edgy": "1 ms"})
