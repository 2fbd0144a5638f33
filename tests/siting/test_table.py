import numpy as np
import pytest

from twin.channel.tracer import RayTracer
from twin.errors import TwinError
from twin.link import Radio
from twin.siting import table as tables
from twin.siting.table import Air, Column, link_table
from twin.specs import AntennaSpec, AtmosphereSpec, FreeSpaceSpec, RayTracingSpec
from twin.state import BodyState

SPEC = RayTracingSpec(order=2, rays=20_000)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "cache_home", lambda: tmp_path)
    return tmp_path / "siting" / "links"


def columns():
    sector = AntennaSpec(pattern="tr38901", azimuth=-1.5)
    return [Column(0, "n257", 28e9, (30.0, 0.0, 15.0), AntennaSpec(), 5.0),
            Column(0, "n78", 3.5e9, (30.0, 0.0, 15.0), AntennaSpec(), 0.0),
            Column(1, "n257", 28e9, (-30.0, -9.0, 23.0), sector, 0.0)]  # fmt: skip


def as_a_run_traces(town, flight, own, spec):
    """Path gains of a tracer with all radios of a twin, asked at the same places."""
    radios = [Radio(i, i, None, c.place, c.frequency, c.gain, antenna=c.antenna, role="cell")
              for i, c in enumerate(own)]  # fmt: skip
    for robot, (terminal,) in enumerate(flight.radios):
        radios.append(Radio(len(radios), 10 + robot, robot, terminal.mount, terminal.carrier))
    tracer = RayTracer(town.geometry, radios, spec.model_copy(update={"max_paths": 10_000}))
    expected = np.full((len(own), *flight.position.shape[:2]), -np.inf)
    for step, (place, turn) in enumerate(zip(flight.position, flight.orientation, strict=True)):
        still = np.zeros((2, 3))
        links = tracer.trace(step, BodyState(place, turn, still, still, np.zeros(0), np.zeros(0), np.zeros(3, int)))
        known = (links.a < len(own)) & (links.b >= len(own))
        expected[links.a[known], step, links.b[known] - len(own)] = links.path_gain_db[known]
    return expected


@pytest.mark.parametrize("mode", ["kinetic", "exhaustive"])
def test_a_table_is_what_a_run_traces_at_the_same_places(town, flight, mode):
    """float32 holds gains near -100 dB to 4e-6."""
    found = link_table(Air(town, SPEC), flight, columns())
    expected = as_a_run_traces(town, flight, columns(), SPEC.model_copy(update={"mode": mode}))
    assert np.isfinite(expected).any(axis=(1, 2)).all()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.isneginf(found[0, :, 1]).all()  # the second robot has no radio at 28 GHz
    assert np.isneginf(found[1, :, 0]).all()


def test_a_table_that_was_stopped_goes_on_with_what_is_missing(town, flight, monkeypatch, cache):
    monkeypatch.setattr(tables, "BLOCK", 1)
    told = []

    def stop(done, total):
        told.append((done, total))
        if done > len(flight.position):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link_table(Air(town, SPEC), flight, columns(), stop)
    steps = len(flight.position)
    assert told[-1] == (steps + 1, 2 * steps)
    assert len(list(cache.rglob("*.npy"))) == 1
    told.clear()
    again = link_table(Air(town, SPEC), flight, columns(), lambda done, total: told.append((done, total)))
    assert told == [(n, steps) for n in range(1, steps + 1)]
    np.testing.assert_array_equal(again, link_table(Air(town, SPEC), flight, columns(), stop))


def test_a_site_is_traced_once_whoever_stands_beside_it(town, flight, cache):
    link_table(Air(town, SPEC), flight, columns()[:2])
    (first,) = cache.rglob("*.npy")
    before = first.stat().st_mtime_ns
    link_table(Air(town, SPEC), flight, columns())
    assert first.stat().st_mtime_ns == before
    assert len(list(cache.rglob("*.npy"))) == 2


@pytest.mark.parametrize("change", [
    {"channel": SPEC.model_copy(update={"atmosphere": AtmosphereSpec(rain=25.0)})}, {"weather": "storm"},
])  # fmt: skip
def test_another_air_is_another_table(town, flight, cache, change):
    link_table(Air(town, SPEC), flight, columns()[:1])
    link_table(Air(town, **{"channel": SPEC, **change}), flight, columns()[:1])
    assert len(list(cache.rglob("*.npy"))) == 2


def test_a_damaged_part_is_named(town, flight, cache):
    link_table(Air(town, SPEC), flight, columns()[:1])
    (file,) = cache.rglob("*.npy")
    file.write_bytes(b"nothing")
    with pytest.raises(TwinError, match="without it, its links are traced again"):
        link_table(Air(town, SPEC), flight, columns()[:1])


def test_free_space_needs_no_rays(town, flight):
    """Over the roofs: Friis, with 5 dB of the antenna."""
    (over,) = [Column(0, "n78", 3.5e9, (30.0, 0.0, 40.0), AntennaSpec(), 5.0)]
    found = link_table(Air(town, FreeSpaceSpec()), flight, [over])
    way = np.linalg.norm(flight.position[:, 1] + [0.0, 0.0, -0.1] - over.place, axis=1)
    friis = 20 * np.log10(299_792_458.0 / 3.5e9 / (4 * np.pi * way)) + 5.0
    np.testing.assert_allclose(found[0, :, 1], friis, atol=1e-4)
