"""Sensing in the loop: CPIs by the clock, detections as packets, tables of a recording, and nothing without it."""

import json

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.recording.reader import Recording
from twin.runs.run import Onlookers, run
from twin.scan import Cpi, Scan
from twin.state import Packet
from twin.viewer.range_doppler import cpi_at, draw_cpi
from twin.viewer.seen_map import draw_seen

LIVE = []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Run the scenario once, and return the frames of the run and its recording."""
    from pathlib import Path

    from twin.assembly.build import build
    from twin.project.project import Project
    from twin.specs.scenario import load_scenario

    path = Path(__file__).parents[1] / "project/worlds/void/scenarios/sensed.toml"
    scenario, _ = load_scenario(path)
    files = []
    for name in ("one", "two"):
        file = tmp_path_factory.mktemp("sensed") / f"{name}.h5"
        LIVE.clear()
        told = Onlookers(progress=lambda frame: LIVE.extend(frame.cpis))
        outcome = run(build(scenario, Project.around(path.parent)), scenario, file, onlookers=told)
        assert outcome.error is None
        files.append(file)
    return files


def test_each_site_senses_once_in_each_refresh_and_reports_to_the_tracker(recorded):
    """32 pulses 2 ms apart in every 100 ms: the middle at 31.25 ms, the last pulse over at 62.5 ms, 5 ms later sent."""
    with Recording(recorded[0]) as recording:
        names = [robot.name for robot in recording.robots]
        time, receiver = recording["cpis/time"][:], recording["cpis/receiver"][:]
        assert [names[node] for node in receiver[:2]] == ["site-0", "site-1"]
        np.testing.assert_array_equal(time[::2], [35_000_000 + 100_000_000 * n for n in range(15)])  # a tick of 5 ms
        packets = [p for frame in recording.frames() for p in frame.packets if p.kind == "detections"]
        ends = np.diff(recording["cpis/detection_end"][:], prepend=0)
    sent = [p for p in packets if names[p.source] == "site-0"]
    assert {names[p.destination] for p in packets} == {"tracker"}
    assert [p.created for p in sent] == [67_500_000 + 100_000_000 * n for n in range(15)]
    assert all(p.stamp == t for p, t in zip(sent, time[::2], strict=True))
    assert [p.sequence for p in sent] == list(range(15))
    assert all(p.fate == "delivered" and p.arrived - p.created == 500_000 for p in sent)  # the backhaul
    assert sorted(p.size for p in packets) == sorted((24 + 32 * ends).tolist())


def test_detections_are_where_the_bodies_are(recorded):
    """Range within 5 deviations of the truth at the time of the stamp, directions likewise, rates as bodies move."""
    with Recording(recorded[0]) as recording:
        frames = {frame.time: frame for frame in recording.frames()}
        bodies = [robot.body for robot in recording.robots]
        cpis = [cpi for frame in frames.values() for cpi in frame.cpis]
    assert len(cpis) == 30
    seen = 0
    for cpi in cpis:
        frame = min(frames.values(), key=lambda f, t=cpi.scan.time: abs(f.time - t))
        later = (cpi.scan.time - frame.time) / 1e9
        for k in np.flatnonzero(cpi.source >= 0):
            seen += 1
            body = bodies[cpi.source[k]]
            place = frame.bodies.position[body] + later * frame.bodies.velocity[body] - cpi.scan.receiver
            distance = np.linalg.norm(place)
            deviation = cpi.scan.deviation[k]
            assert abs(cpi.scan.range[k] - distance) < 5.0 * deviation[0] + 0.2
            assert abs(cpi.scan.rate[k] - frame.bodies.velocity[body] @ place / distance) < 5.0 * deviation[1] + 0.3
            turned = (cpi.scan.direction[k] - place / distance) @ cpi.scan.axes
            assert np.all(np.abs(turned[[2, 1]]) < 5.0 * deviation[2:] + 0.01)
    assert seen >= 6


def test_the_tracker_follows_what_flies(recorded):
    """At the end both drones have a track within 3 m, and the figures of the run say how well they were seen."""
    with Recording(recorded[0]) as recording:
        names = [robot.name for robot in recording.robots]
        *_, last = recording.frames()
        logs = {}
        for frame in recording.frames():
            logs |= {(name, node): value for _, node, name, value in frame.logs if name.startswith("track")}
        figures = recording.summary["sensing"]
        overhead = recording.summary["network"]["sensing_per_mille"]
    node = names.index("tracker")
    numbers = {name.split(".")[1] for name, _ in logs if name.startswith("track.")}
    at = np.array([[logs[f"track.{n}.{axis}", node] for axis in "xyz"] for n in sorted(numbers)])
    apart = np.linalg.norm(at[:, None] - last.bodies.position[None, :2], axis=2).min(axis=0)
    assert apart.max() < 4.0
    assert figures["cpis"] == 30
    assert figures["refresh"] == pytest.approx(0.1)
    assert figures["latency"] == pytest.approx(0.033, abs=0.001)  # from 35 ms to 67.5 ms, and the backhaul
    assert 0.0 <= figures["missed"] < 1.0
    assert figures["detection_probability"] == 1.0 - figures["missed"]
    assert 0.0 < figures["horizontal_error"] < 5.0
    assert figures["resolution"] == pytest.approx(2.0 * 299_792_458 / (2.0 * 106 * 12 * 30e3))
    assert figures["untracked"] == 0
    assert overhead == 1000 * 32 * 4 * 2 // (14 * 200)  # pulses, beams, symbols, of those of 100 ms
    assert 0.235 <= figures["time_to_track"] < 1.5  # three looks at least: the third is at 235 ms
    assert 0.0 < figures["track_error"] < 5.0
    assert 0.0 < figures["horizontal_speed_error"] < 15.0  # of a new track, before it knows better


def test_a_run_and_its_recording_tell_the_same_and_twice_the_same(recorded):
    """Every column of both files, and every CPI of the run and of its recording."""
    with Recording(recorded[0]) as one, Recording(recorded[1]) as two:
        assert one.columns == two.columns
        for name in one.columns:
            np.testing.assert_array_equal(one[name][:], two[name][:])
        told = [cpi for frame in one.frames() for cpi in frame.cpis]
    for cpi, again in zip(LIVE, told, strict=True):
        for name in set(Cpi.__slots__) - {"scan"}:
            np.testing.assert_array_equal(getattr(cpi, name), getattr(again, name))
        for name in Scan.__slots__:
            np.testing.assert_array_equal(getattr(cpi.scan, name), getattr(again.scan, name))


def test_whoever_subscribes_gets_tracks(stage):
    """One packet to each at every arrival of scans: 24 bytes and 52 for each confirmed track, of the scan's stamp."""
    built = stage("sensed", "duration=50 ms")
    tracker = next(robot for robot in built.twin.robots if robot.name == "tracker")
    at, none = np.zeros(3), np.zeros(0)
    scan = Scan(7, at, at, np.eye(3), none, none, np.zeros((0, 3)), none, np.zeros((0, 4)), 0.0)
    asked = Packet(0, tracker.node, "subscribe", 0, 10, 1, 1, None, arrived=3)
    seen = [Packet(2, tracker.node, "detections", k, 24, 5, 7, scan, arrived=t) for k, t in enumerate((9, 9, 12))]
    assert tracker.react(seen[:1], 9).packets == []
    told = tracker.react([asked, *seen], 12).packets
    assert [(p.destination, p.kind, p.size, p.created, p.stamp) for p in told] == [
        (0, "tracks", 24, 9, 7), (0, "tracks", 24, 12, 7)
    ]  # fmt: skip
    built.close()


def test_requirements_name_what_was_seen(stage):
    """`sensing-1` and a figure of one's own are answered by the run."""
    built = stage("sensed", 'requirements=["sensing.latency < 20 ms", "sensing.refresh <= 0.1 s"]', "duration=1 s")
    outcome = run(built, built.scenario)
    verdicts = {row["requirement"]: row["answer"] for row in outcome.summary["requirements"]}
    assert verdicts == {"sensing.latency < 20 ms": "failed", "sensing.refresh <= 0.1 s": "passed"}


def test_without_sensing_there_are_no_tables_and_all_slots(stage, tmp_path):
    built = stage("sensed", "duration=50 ms")
    assert built.twin.sensing is not None
    text = built.scenario.model_copy(update={"sensing": None})
    assert "sensing" not in text.to_toml()
    carrier = built.twin.network.carrier("n78")
    assert carrier.state.sounding.shape == (200, 3)
    assert (carrier.state.sounding[:, 1] > 0).sum() == 32 * 1
    built.close()


def test_a_carrier_without_cells_senses_nothing(stage):
    other = "network.carriers.n77={frequency='4 GHz', resource_blocks=51, scs='30 kHz', duplex='fdd'}"
    with pytest.raises(ScenarioError, match="network.carriers.n77: no base station at 4 GHz; base stations: 3.5 GHz"):
        stage("sensed", other, "sensing.carrier=n77")


@pytest.mark.parametrize(
    ("override", "key", "said"),
    [
        ("network.kind=ideal", "sensing", 'found network.kind = "ideal"; allowed: "nr", whose carrier'),
        ("sensing.carrier=n77", "sensing.carrier", "found 'n77'; allowed: n78"),
        ('sensing.cells=["sita"]', "sensing.cells", "found 'sita'; cells of n78: site-0, site-1"),
        ('sensing.targets=["edge"]', "sensing.targets", "edge has no radar cross-section; allowed: robots whose"),
        ('sensing.targets=["sene"]', "sensing.targets", "found 'sene'; allowed: edge, other, seen, site, tracker"),
        ("sensing.pairs=all", "sensing.pairs", "pairs of two cells that all send at once; allowed: with turns = true"),
        ("sensing.report=seen", "sensing.report", "found 'seen', which has a body; allowed: one without"),
        ("sensing.report=edgy", "sensing.report", "found 'edgy'; allowed: "),
        ("sensing.interval=3 ms", "sensing.speed", "found 10 m/s, but pulses 3 ms apart tell up to 7.14 m/s"),
        ("robots.site.spec.radios=[{role='cell', carrier='3.5 GHz', antenna={rows=1, columns=8}}]", "sensing.cells",
         "site-0 has 1 x 8 elements; allowed: 2 rows and 2 columns or more"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_said(stage, override, key, said):
    with pytest.raises(ScenarioError, match=said) as found:
        stage("sensed", override)
    assert found.value.key == key


def test_the_command_shows_what_was_seen(recorded, command):
    code, said, err = command("sensing", str(recorded[0]))
    assert code == 0, err
    words = " ".join(said.split())
    assert "latency of a detection 33.0 ms" in words
    assert "site-0 site-0 15" in words
    code, said, _ = command("sensing", str(recorded[0]), "--json")
    found = json.loads(said)
    assert sum(pair["cpis"] for pair in found["pairs"]) == found["figures"]["cpis"] == 30
    assert sum(pair["detections"] for pair in found["pairs"]) == found["figures"]["detections"]


def test_a_cpi_is_drawn_where_bodies_are(recorded, command, tmp_path):
    """The crosses of the picture are ranges and rates of both drones from the site, at the time of CPI 24."""
    code, _, err = command("sensing", str(recorded[0]), "--cpi", "24", "-o", str(tmp_path / "rd.png"))
    assert code == 0, err
    assert (tmp_path / "rd.png").stat().st_size > 10_000
    with Recording(recorded[0]) as recording:
        (axes, *_) = draw_cpi(recording, 24).axes
        cpi, frame = cpi_at(recording, 24)
        time = recording["cpis/time"][24:25][0]
    assert cpi.scan.time == time
    (crosses,) = [line for line in axes.lines if line.get_label() == "target"]
    since = (cpi.scan.time - frame.time) / 1e9
    for row in range(2):
        place = frame.bodies.position[row] + since * frame.bodies.velocity[row] - cpi.scan.receiver
        distance = np.linalg.norm(place)
        assert crosses.get_ydata()[row] == pytest.approx(distance, rel=1e-9)
        assert crosses.get_xdata()[row] == pytest.approx(frame.bodies.velocity[row] @ place / distance, abs=1e-9)


def test_the_map_has_every_detection_and_track(recorded, command, tmp_path):
    """As many points as the tables have rows, both sites, and nobody's track has a name: nobody reports."""
    code, _, err = command("sensing", str(recorded[0]), "-o", str(tmp_path / "map.png"))
    assert code == 0, err
    with Recording(recorded[0]) as recording:
        (axes, *_) = draw_seen(recording, None).axes
        source, bounces = recording["detections/source"][:], recording["detections/bounces"][:]
    points = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert points["detection"] == ((source >= 0) & (bounces == 0)).sum()
    assert points["noise"] == (source < 0).sum()
    assert points["site"] == 2
    assert points["unknown track"] > 0
    assert "track that reports" not in points


@pytest.mark.parametrize(("arguments", "said"), [
    (("--cpi", "30", "-o", "rd.png"), "found CPI 30; allowed: 0 to 29"),
    (("--cpi", "3"), "--cpi says what is drawn; -o says where it goes"),
])  # fmt: skip
def test_a_picture_that_can_not_be_is_refused(recorded, command, arguments, said):
    code, _, err = command("sensing", str(recorded[0]), *arguments)
    assert code != 0
    assert said in " ".join(err.split())
