"""Each export is opened by a reader of its own format, and says what the recording says."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from twin.project.project import Project
from twin.recording.reader import Recording
from twin.world.opening import open_world

ROOT = Path(__file__).resolve().parents[2]
PATROL = str(ROOT / "tests/patrol.toml")


@pytest.fixture
def run(command):
    """Half a second of patrol with losses."""
    sets = ("--set", "network.kind=fixed", "--set", "network.loss=0.2")
    code, out, err = command("run", PATROL, "-o", "run.h5", "--duration", "0.5 s", "-q", *sets)
    assert code in (0, 5, 6), err
    with Recording("run.h5") as recording:
        yield recording


@pytest.fixture
def export(command, run):
    def make(kind, *arguments):
        code, out, err = command("export", "run.h5", "--to", kind, "--json", *arguments)
        assert code == 0, err
        return [Path(name) for name in json.loads(out)]

    return make


def patrol(run):
    return [robot for robot in run.robots if robot.body >= 0]


def test_parquet(export, run):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra [parquet]")
    tables = {file.stem: parquet.read_table(file).to_pydict() for file in export("parquet")}
    assert set(tables) == {"state", "command_patrol", "links", "packets", "events", "logs"}
    state, robot = tables["state"], patrol(run)[2]
    z = [z for z, name in zip(state["z_m"], state["robot"], strict=True) if name == robot.name]
    assert z == run["state/position"][:, robot.body, 2].tolist()
    assert len(tables["packets"]["fate"]) == run.rows["packets"] and "lost" in tables["packets"]["fate"]
    assert tables["links"]["path_gain_db"] == run["links/path_gain_db"][:].ravel().tolist()


def test_mcap(export, run):
    reader = pytest.importorskip("mcap.reader", reason="needs the extra [mcap]")
    (file,) = export("mcap")
    with open(file, "rb") as stream:
        messages = [(channel.topic, message.log_time, json.loads(message.data))
                    for _, channel, message in reader.make_reader(stream).iter_messages()]  # fmt: skip
    poses = [(time, data) for topic, time, data in messages if topic == "/tf"]
    assert [time for time, _ in poses] == run["state/time"][:].tolist()
    robot = patrol(run)[1]
    (last,) = [one for one in poses[-1][1]["transforms"] if one["child_frame_id"] == robot.name]
    assert list(last["translation"].values()) == run["state/position"][-1, robot.body].tolist()
    assert sum(topic == "/packets" for topic, _, _ in messages) == run.rows["packets"]
    assert any(topic == f"/{robot.name}/log/error" for topic, _, _ in messages)


def test_pcap(export, run):
    dpkt = pytest.importorskip("dpkt", reason="needs dpkt")
    (file,) = export("pcap")
    assert file.suffix == ".pcapng"
    with open(file, "rb") as stream:
        captured = [(time, dpkt.ip.IP(data)) for time, data in dpkt.pcapng.Reader(stream)]
    packets = run.packets()
    delivered = packets[packets["fate"] == "delivered"]
    assert len(captured) == len(packets) + len(delivered)
    times = np.concatenate([packets["created"], delivered["arrived"]]) / 1e9
    assert [float(time) for time, _ in captured] == pytest.approx(sorted(times), abs=1e-9)
    assert sum(ip.len for _, ip in captured) == packets["size"].sum() + delivered["size"].sum() + 28 * len(captured)
    edge = [robot.name for robot in run.robots].index("edge")
    to_edge = sum(socket.inet_ntoa(ip.dst) == f"10.0.0.{edge + 1}" for _, ip in captured)
    assert to_edge == (packets["destination"] == edge).sum() + (delivered["destination"] == edge).sum()
    for _, ip in captured[:20]:
        sent, ip.sum = ip.sum, 0
        assert dpkt.in_cksum(ip.pack_hdr()) == sent


def places(run):
    origin = open_world(Project(ROOT).world("city")).georeference
    return {robot.name: origin.to_geodetic(run["state/position"][:, robot.body]) for robot in patrol(run)}


def test_kml(export, run):
    fastkml = pytest.importorskip("fastkml", reason="needs fastkml")
    from fastkml.gx import Track

    (file,) = export("kml")
    document = fastkml.KML.parse(file).features[0]
    assert [mark.name for mark in document.features] == [robot.name for robot in patrol(run)]
    for mark, robot in zip(document.features, patrol(run), strict=True):
        track = mark.kml_geometry
        assert isinstance(track, Track) and len(track.track_items) == run.rows["state"]
        found = np.array([[item.coord.x, item.coord.y, item.coord.z] for item in track.track_items])
        assert found[:, :2] == pytest.approx(places(run)[robot.name][:, :2], abs=1e-8)
        assert found[:, 2] == pytest.approx(run["state/position"][:, robot.body, 2], abs=1e-3)


def test_czml(export, run):
    core = pytest.importorskip("czml3", reason="needs czml3")
    (file,) = export("czml")
    document = core.Document.model_validate({"packets": json.loads(file.read_text())})
    assert [packet.id for packet in document.packets] == ["document", *(robot.name for robot in patrol(run))]
    for packet in document.packets[1:]:
        samples = np.reshape(packet.position.cartographicDegrees.values, (-1, 4))
        assert samples[:, 0] == pytest.approx(run["state/time"][:] / 1e9)
        assert samples[:, 1:3] == pytest.approx(places(run)[packet.id][:, :2], abs=1e-8)
        assert samples[:, 3] == pytest.approx(places(run)[packet.id][:, 2], abs=1e-3)


def test_rrd(export, run):
    pytest.importorskip("rerun", reason="needs the extra [rerun]")
    from rerun.chunk import RrdReader

    (file,) = export("rrd")
    chunks = {}
    for chunk in RrdReader(file).stream():
        chunks.setdefault(chunk.entity_path, []).append(chunk.to_record_batch())
    robot = patrol(run)[0]
    found = [place for batch in chunks[f"/world/{robot.name}"] for name in batch.schema.names
             if name.endswith("translation") for place in batch.column(name).to_pylist()]  # fmt: skip
    expected = run["state/position"][:, robot.body].astype(np.float32)
    assert np.reshape(found, (-1, 3)) == pytest.approx(expected)
    a, b = run.header.layout.pairs[-1]
    assert {f"/links/{a}-{b}/path_gain_db", f"/logs/{robot.name}/error"} < set(chunks)


def test_pandas(run):
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    state = run.to_pandas(start=100_000_000, stop=300_000_000)
    assert isinstance(state, pandas.DataFrame) and state.time.min() == 0.1 and state.time.max() < 0.3
    robot = patrol(run)[3]
    mine = state[state.robot == robot.name]
    assert mine.x_m.tolist() == run["state/position"][5:15, robot.body, 0].tolist()
    packets = run.to_pandas("packets", stop=250_000_000)
    assert len(packets) == len(run.packets(stop=250_000_000))
    assert set(packets.source) == {"edge", *(robot.name for robot in patrol(run))}
    assert run.to_pandas("command_patrol").columns[:3].tolist() == ["time", "time_ns", "robot"]
    lost = packets[packets.fate == "lost"]
    assert lost.arrived.isna().all() and (lost.arrived_ns == -1).all() and lost.latency.isna().all()
    assert (packets.time_ns == run.packets(stop=250_000_000)["created"]).all()
    links = run.to_pandas("links")
    assert set(links.a) | set(links.b) <= {robot.name for robot in run.robots} and links.los.dtype == bool
    assert {"robot", "time_ns"} < set(run.to_pandas("logs").columns)
    with pytest.raises(KeyError, match="no table 'paths'; there are: state"):
        run.to_pandas("paths")


def test_xarray(run):
    pytest.importorskip("xarray", reason="needs the extra [xarray]")
    data = run.to_xarray(start=100_000_000)
    robot = patrol(run)[2]
    z = data.position.sel(robot=robot.name, axis="z")
    assert z.values.tolist() == run["state/position"][5:, robot.body, 2].tolist()
    assert data.position.units == "m" and data.time.values[0] == 0.1 == data.trace.values[0]
    assert data.command_patrol.sel(robot_patrol=robot.name).shape == (len(data.time), 4)


def test_what_is_there_stays_and_what_is_missing_is_named(command, run, monkeypatch):
    Path("run.czml").write_text("precious")
    assert command("export", "run.h5", "--to", "czml")[0] == 1 and Path("run.czml").read_text() == "precious"
    assert command("export", "run.h5", "--to", "czml", "--force")[0] == 0
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.delitem(__import__("sys").modules, "twin.recording.export.parquet", raising=False)
    code, out, err = command("export", "run.h5", "--to", "parquet")
    assert code == 1 and f"pip install -e '{ROOT}[parquet]'" in err


def test_a_world_without_a_place_on_the_earth_says_so(command):
    scenario = ROOT / "tests/project/worlds/void/scenarios/height.toml"
    Path("here").mkdir()
    command("run", scenario, "-o", "run.h5", "-q", "--duration", "0.1 s")
    code, out, err = command("export", "run.h5", "--to", "kml")
    assert code != 0 and ("origin" in err or "no world 'void'" in err)
