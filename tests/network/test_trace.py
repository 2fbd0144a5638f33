"""Measured round trips: held, halved, never reordered; bad files are named with their row."""

from pathlib import Path

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.network.trace import TraceNetwork, join, read_round_trips
from twin.specs import TraceSpec
from twin.state import LinkState, Packet

MS = 1_000_000
MEASURED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "network" / "shanghai_n78_rtt.csv"


def write(folder: Path, text: str) -> Path:
    file = folder / "trace.csv"
    file.write_text(text)
    return file


def network(file: Path, **settings: object) -> TraceNetwork:
    return TraceNetwork(TraceSpec(kind="trace", file=file, **settings), ["drone", "edge"], [True, False])


def nothing() -> LinkState:
    empty, index = np.empty(0), np.empty(0, dtype=np.int32)
    return LinkState(
        0, index, index, empty, empty.astype(bool), np.zeros(1, dtype=np.int64), empty.astype(complex),
        empty, empty, empty.reshape(0, 3), empty.reshape(0, 3),
    )  # fmt: skip


def arrivals(network: TraceNetwork, created: list[int]) -> list[int]:
    packets = [Packet(0, 1, "telemetry", i, 100, t, t, None) for i, t in enumerate(created)]
    network.send(packets)
    assert sum(len(batch.packets) for batch in network.run(2**62, nothing())) == len(packets)
    return [p.arrived for p in packets]


def test_each_way_takes_half_a_round_trip_and_rows_hold_until_the_next_and_after_the_last(tmp_path):
    file = write(tmp_path, "time_s,sinr_db,round_trip_ms\n5.0,10,20\n5.1,11,30\n")
    created = [0, 99 * MS, 100 * MS, 5000 * MS]
    assert arrivals(network(file), created) == [10 * MS, 109 * MS, 115 * MS, 5015 * MS]


def test_a_flow_is_never_reordered(tmp_path):
    file = write(tmp_path, "time_s,round_trip_ms\n0,400\n0.1,20\n0.5,20\n")
    assert arrivals(network(file), [0, 150 * MS, 600 * MS]) == [200 * MS, 200 * MS, 610 * MS]


def test_offset_and_loop(tmp_path):
    file = write(tmp_path, "time_s,round_trip_ms\n0,10\n0.1,20\n0.2,30\n")
    assert network(file, offset="100 ms").round_trip(0) == 20 * MS
    looped = network(file, loop=True)
    played = [looped.round_trip(t * MS) // MS for t in (0, 299, 300, 400, 650)]
    assert played == [10, 30, 10, 20, 10]


def test_interruptions_are_joined_and_counted(tmp_path):
    times = [0, 50, 100, 900_000, 900_050, 20, 70]
    assert join(times, longest_gap=1000) == ([0, 50, 100, 150, 200, 250, 300], 2)
    file = write(tmp_path, "time_s,round_trip_ms\n0,1\n0.05,2\n900,3\n")
    assert network(file).counts == {"interruptions_joined": 1}
    assert network(file).round_trip(100 * MS) == 3 * MS


def fates(network, created):
    packets = [Packet(0, 1, "telemetry", i, 100, t, t, None) for i, t in enumerate(created)]
    network.send(packets)
    list(network.run(2**62, nothing()))
    return [packet.fate for packet in packets]


@pytest.mark.parametrize("mark", ["", "-1", "nan", " "])
def test_a_round_trip_that_never_came_back_is_a_loss(tmp_path, mark):
    played = network(write(tmp_path, f"time_s,round_trip_ms\n0,20\n1,{mark}\n2,25\n"))
    assert fates(played, [0, 999 * MS, 1000 * MS, 1999 * MS, 2000 * MS]) == (
        ["delivered"] * 2 + ["outage"] * 2 + ["delivered"]
    )
    assert played.counts == {"round_trips_lost": 1}


def test_five_seconds_without_a_row_are_an_outage(tmp_path):
    rows = "".join(f"{t},20\n" for t in (0, 0.1, 0.2, 5.2, 5.3))
    played = network(write(tmp_path, "time_s,round_trip_ms\n" + rows))
    times = [0.25, 0.35, 5.15, 5.25]
    assert fates(played, [round(t * 1e9) for t in times]) == ["delivered", "outage", "outage", "delivered"]
    assert played.counts == {"outages": 1}
    joined = network(write(tmp_path, "time_s,round_trip_ms\n" + rows), longest_outage=0)
    assert joined.counts == {"interruptions_joined": 1}
    assert joined.times[-1] == 400 * MS


@pytest.mark.parametrize("text", [
    "\ufefftime_s,round_trip_ms\n0,20\n1,25.5\n", "time_s, round_trip_ms\n0, 20\n1, 25.5\n",
    "time_s;round_trip_ms\n0;20\n1;25,5\n", "time_s,round_trip_ms\r\n0,20\r\n1,25.5\r\n",
    " time_s ,round_trip_ms , more\n0,20,x\n1,25.5,y\n",
])  # fmt: skip
def test_csv_as_spreadsheets_write_it(tmp_path, text):
    file = tmp_path / "trace.csv"
    file.write_text(text, encoding="utf-8", newline="")
    assert read_round_trips(file) == ([0, 1000 * MS], [20 * MS, 25_500_000])


def test_times_since_1970_begin_at_the_first_row(tmp_path):
    played = network(write(tmp_path, "time_s,round_trip_ms\n1732999999.1,20\n1732999999.2,25\n"))
    assert [played.round_trip(t * MS) // MS for t in (0, 99, 101)] == [20, 20, 25]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1: no column time_s; columns: nothing"),
        ("time_s,rtt\n0,1\n", "row 1: no column round_trip_ms; columns: time_s, rtt"),
        ("time_s,round_trip_ms\n", "has no rows"),
        ("time_s,round_trip_ms\n0,12\n0.1,fast\n", "row 3: round_trip_ms is 'fast', expected a number"),
        ("time_s,round_trip_ms\n0,12\n0.1\n", "row 3: round_trip_ms is None, expected a number"),
        ("time_s,round_trip_ms\nnan,2\n", "row 2: time_s is 'nan', expected a number"),
        ("time_s,round_trip_ms\n0,inf\n", "row 2: round_trip_ms is 'inf', expected a number"),
        ("time_s,round_trip_ms\n1e300,1\n", "row 2: time_s is '1e300', expected a number"),
        ("time_s,round_trip_ms\n0," + "9" * 400 + "\n", "row 2: round_trip_ms is '999"),
        ("time_s,round_trip_ms\n0,-3\n", "row 2: round_trip_ms is -3, allowed 0 and more, or nothing for one that is"),
    ],
)
def test_bad_files_are_named_with_their_row(tmp_path, text, message):
    with pytest.raises(ScenarioError) as error:
        read_round_trips(write(tmp_path, text))
    assert "trace.csv" in str(error.value)
    assert message in str(error.value)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(ScenarioError, match="can't be read: No such file"):
        read_round_trips(tmp_path / "none.csv")
    file = tmp_path / "trace.csv"
    file.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xfe")
    with pytest.raises(ScenarioError, match="is not a CSV text"):
        read_round_trips(file)


@pytest.mark.skipif(not MEASURED.exists(), reason="measured data is not beside the repository")
def test_a_real_measurement_is_read_whole():
    played = network(MEASURED)
    assert len(played.round_trips) == 44_658
    assert max(played.round_trips) == 694 * MS
    assert played.times == sorted(played.times)
    assert played.times[-1] < 3600 * 10**9  # 44,658 rows at about 20 Hz
