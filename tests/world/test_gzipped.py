"""Files packed by gzip are read like any other; what they unpack to is bounded."""

import gzip
import json

import pytest

from twin.errors import ScenarioError, WorldError
from twin.gzipped import unpacked
from twin.network.trace import read_round_trips
from twin.world.importers import import_world
from twin.world.measured_sea import read_spectrum

CORNERS = [[8, 50], [8.0003, 50], [8.0003, 50.0002], [8, 50]]
SQUARE = {"type": "Feature", "properties": {"height": 12}, "geometry": {"type": "Polygon", "coordinates": [CORNERS]}}


def packed(path, text):
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_packed_site_is_the_site(tmp_path):
    text = json.dumps({"type": "FeatureCollection", "features": [SQUARE]})
    (tmp_path / "site.geojson").write_text(text)
    plain, _ = import_world(tmp_path / "site.geojson")
    same, _ = import_world(packed(tmp_path / "site.geojson.gz", text))
    assert same.name == plain.name == "site" and same.geometry.digest() == plain.geometry.digest()


def test_round_trips_may_be_packed(tmp_path):
    file = packed(tmp_path / "trace.csv.gz", "time_s,round_trip_ms\n0,20\n")
    assert read_round_trips(file) == ([0], [20_000_000])


def test_a_fault_inside_names_the_file_that_was_given(tmp_path):
    file = packed(tmp_path / "trace.csv.gz", "time_s,delay\n0,20\n")
    with pytest.raises(ScenarioError, match=r"trace\.csv\.gz.*no column round_trip_ms"):
        read_round_trips(file)


def test_a_bomb_and_a_torn_file_are_refused(tmp_path):
    bomb = packed(tmp_path / "bomb.gz", "0" * 100_000)
    with pytest.raises(WorldError, match="unpacks to more than 0 MB"), unpacked(bomb, WorldError, 1000):
        pass
    torn = tmp_path / "torn.gz"
    torn.write_bytes(bomb.read_bytes()[:40])
    with pytest.raises(WorldError, match=r"torn\.gz: can't be unpacked"), unpacked(torn, WorldError):
        pass


def test_a_damaged_year_of_spectra_is_refused(tmp_path):
    """A flipped byte is an error of zlib, a torn end one of gzip, an endless one is neither."""
    file = packed(tmp_path / "46042w2020.txt.gz", "YY MM DD hh .03 .04\n" + "2020 1 1 0 1.0 2.0\n" * 100)
    good = file.read_bytes()
    for damaged in (good[:12] + bytes([good[12] ^ 255]) + good[13:], good[:30], gzip.compress(bytes(70 << 20))):
        file.write_bytes(damaged)
        with pytest.raises(WorldError, match=r"46042w2020\.txt\.gz: (can't be unpacked|unpacks to more)"):
            read_spectrum(file, 0)
