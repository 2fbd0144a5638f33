"""Age of information and tails are exact; a report shows them, and nothing from a file becomes markup."""

from html.parser import HTMLParser

import numpy as np
import pytest

from twin.analysis.flows import Flow, age_of_information, flows
from twin.analysis.kpis import kpis
from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout, RadioInfo
from twin.recording.writer import Writer
from twin.state import BodyState, Event, Frame, LinkState, Node, Packet

MS = 1_000_000


# --------------------------------------------------------------------------- laws


@pytest.mark.parametrize(("period", "delay"), [(20, 5), (20, 120), (1, 0)])
def test_periodic_news_with_a_fixed_delay_is_on_average_half_a_period_older_than_the_delay(period, delay):
    sent = np.arange(100) * period * MS
    age = age_of_information(sent + delay * MS, sent, int(sent[-1]) + (delay + period) * MS)
    assert age.mean == pytest.approx((delay + period / 2) / 1e3, rel=1e-12)
    assert age.peak == pytest.approx((delay + period) / 1e3, rel=1e-12)
    assert age.share_above(np.array([delay + period / 4]) / 1e3) == pytest.approx(0.75)


def test_old_news_changes_no_age():
    #  arrived  10   20    30        until 40 ms
    #  stamp     5    2     9
    age = age_of_information(np.array([10, 20, 30]) * MS, np.array([5, 2, 9]) * MS, 40 * MS)
    assert age.lowest.tolist() == [0.005, 0.021] and age.highest.tolist() == [0.025, 0.031]


def test_without_news_there_is_no_age():
    none = np.zeros(0, np.int64)
    age = age_of_information(none, none, NS)
    assert np.isnan(age.mean) and np.isnan(age.peak) and np.isnan(age.share_above(np.ones(1))).all()


def flow(latency, settled, **other):
    none = np.zeros(0)
    age = age_of_information(none.astype(int), none.astype(int), 0)
    return Flow("a", "b", "command", other.get("direction", "up"), np.sort(latency), settled, other.get("late", 0), 0,
                other.get("size", 0), age)  # fmt: skip


def test_a_tail_counts_what_is_lost_as_never_there():
    x, y = flow(np.array([0.3, 0.1, 0.2]), 4).tail()
    assert x.tolist() == [0.1, 0.2, 0.3] and y.tolist() == [1.0, 0.75, 0.5], "the lost one takes longer than all"


def test_a_thinned_tail_keeps_its_end():
    latency = np.arange(1, 100_001) / 1e6
    x, y = flow(latency, len(latency)).tail(50)
    assert len(x) <= 50 and x[-1] == latency[-1]
    assert np.array_equal(np.round(y * 1e5), np.round(1e5 - latency.searchsorted(x))), "every point lies on the tail"


def test_kpis_of_a_known_flow():
    found = {kpi.label: kpi for kpi in kpis([flow(np.array([0.010, 0.030]), 4, late=1, size=1000)], 2.0)}
    assert found["Mean delay, uplink"].value == pytest.approx(20.0)
    assert found["Throughput, uplink"].value == pytest.approx(4.0), "1000 B in 2 s"
    assert found["Packet loss, uplink"].value == pytest.approx(50.0)
    assert found["Late or lost, uplink"].value == pytest.approx(75.0)
    assert found["Packet loss, uplink"].standard == "DRB.PacketLossRateUl"
    assert found["Mean delay on the air, uplink"].shown == "-", "no radio link was recorded"


# --------------------------------------------------------------------------- a recording

EVIL = "</script><script>window.hacked = 1</script><img src=http://example.com/x onerror='window.hacked=1'>"
SCENARIO = f'''description = """{EVIL}"""
[network]
kind = "{EVIL}"
delay_budget = "10 ms"
[robots."{EVIL}"]
count = 1
task = {{ kind = "hover", points = [[3.0, 4.0, 0.0]] }}
[robots.site]
positions = [[10.0, 0.0, 5.0]]
'''


def frame(i):
    none, now = np.zeros(0), i * 20 * MS
    bodies = BodyState(np.zeros((1, 3)), np.array([[0.0, 0, 0, 1]]), np.zeros((1, 3)), np.zeros((1, 3)), none, none,
                       np.zeros(2, np.int64))  # fmt: skip
    links = LinkState(now, np.zeros(1, np.int32), np.ones(1, np.int32), np.array([-80.0 if i else -np.inf]),
                      np.ones(1, bool), np.zeros(2, np.int64), none + 0j, none, none, np.zeros((0, 3)),
                      np.zeros((0, 3)))  # fmt: skip
    late = [Packet(1, 0, "command", i, 60, now - 15 * MS, now - 20 * MS, None, now, "delivered")] if i else []
    lost = [Packet(0, 1, EVIL, i, 100, now, now, None, fate=EVIL)]
    modes = [EVIL if 5 <= i < 8 else "nominal", "nominal"]
    return Frame(now, bodies, links, {}, modes, late + lost, [Event(now, EVIL, EVIL, EVIL)] if i == 5 else [])


def record(path, frames=50, finish=True):
    nodes = [Node(EVIL, EVIL, "drone", 0), Node("site", "site", "base_station")]
    radios = [RadioInfo(0, 3.5e9), RadioInfo(1, 3.5e9)]
    header = Header(Layout.of(frame(0)), nodes, SCENARIO, NS, 1, 100, 50, 50, radios, world=EVIL,
                    packages={"numpy": EVIL}, plugins={EVIL: EVIL})  # fmt: skip
    with Writer(path, header) as writer:
        for i in range(frames):
            writer.write(frame(i))
        if finish:
            writer.finish({"events": {EVIL: 1}, "passed": None}, complete=True)
    return path


@pytest.fixture
def run(tmp_path):
    pytest.importorskip("plotly", reason="the extra `report` is not installed")
    from twin.analysis.report_run import take_apart

    with Recording(record(tmp_path / "run.h5")) as recording:
        yield take_apart(recording, None)


def test_flows_are_taken_between_groups(tmp_path):
    with Recording(record(tmp_path / "run.h5")) as recording:
        up, down = flows(recording, 10 * MS)
    assert (up.direction, up.settled, up.lost, len(up.latency)) == ("up", 50, 50, 0)
    assert (down.direction, down.settled, down.late, down.lost) == ("down", 49, 49, 0)
    assert np.all(down.latency == 0.015) and down.age.peak == pytest.approx(0.040)


def test_a_run_is_taken_apart(run):
    assert run.delay_budget == 10 * MS
    assert np.all(run.errors[EVIL] == 5.0), "3, 4, 5"
    (spot,) = run.quality
    assert np.isneginf(spot.gain_db[0]) and np.all(spot.gain_db[1:] == -80.0)
    assert run.tracks[0].on_failsafe.sum() == 3


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_no_text_from_a_file_becomes_markup(run):
    from twin.analysis.report import page

    text = page([run])
    tags = Tags()
    tags.feed(text)
    assert EVIL not in text and "<img" not in text
    assert not [tag for tag, attributes in tags.found if "onerror" in attributes or tag == "img"]
    assert not [attributes for _, attributes in tags.found if str(attributes.get("src", "")).startswith("http")]
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text, "the browser may ask for nothing"


def test_two_runs_stand_side_by_side_and_name_their_differences(run):
    from dataclasses import replace

    from twin.analysis.report import page

    a = replace(run, label="A")
    b = replace(run, label="B", scenario={**run.scenario, "seed": 41_999})
    text = page([a, b])
    assert "What is different" in text and "41999" in text and "A: run.h5" in text and "B: run.h5" in text


def test_errors_have_a_panel_where_somebody_tracks_something(run):
    from dataclasses import replace

    from twin.analysis.report_figures import time_line

    idle = replace(run, errors={})
    for runs, labels in (([run], ["tracking error (m)", "round trip (ms)"]), ([idle], ["round trip (ms)"])):
        figure = time_line(runs)
        found = [axis.title.text for axis in figure.select_yaxes() if axis.title.text]
        assert found == labels
        assert figure.data[-1].yaxis == f"y{1 + len(labels)}", "round trips are in the last panel"


def test_the_page_is_written_once(run, tmp_path):
    from twin.analysis.report import write_report
    from twin.errors import TwinError

    write_report([run], tmp_path / "r.html")
    with pytest.raises(TwinError, match="--force"):
        write_report([run], tmp_path / "r.html")
    with pytest.raises(TwinError, match="can't be written"):
        write_report([run], tmp_path / "run.h5/r.html")


def test_a_missing_extra_is_named(monkeypatch):
    from twin.errors import TwinError
    from twin.extras import needed

    with pytest.raises(TwinError, match=r"\[report\]"), needed("report", "plotly"):
        raise ModuleNotFoundError("no plotly", name="plotly.graph_objects")
    with pytest.raises(ModuleNotFoundError), needed("report", "plotly"):
        raise ModuleNotFoundError("another", name="other")


@pytest.mark.parametrize(("frames", "finish"), [(1, True), (50, False), (0, False)])
def test_short_and_broken_runs_have_a_report(tmp_path, frames, finish):
    pytest.importorskip("plotly", reason="the extra `report` is not installed")
    from twin.analysis.report import page
    from twin.analysis.report_run import take_apart

    with Recording(record(tmp_path / "run.h5", frames, finish)) as recording:
        assert ("✗ incomplete" in page([take_apart(recording, None)])) is not finish
