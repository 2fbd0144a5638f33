"""World folders: built at first use, kept in the cache, refused when they are wrong; and the built-in ones."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from twin.clock import NS
from twin.errors import TwinError, WorldError
from twin.specs import FormationSpec, RouteSpec
from twin.specs.scenario import load_scenario
from twin.tasks.make import make_task
from twin.tasks.site import TaskContext
from twin.world.bvh import occluded_pairs
from twin.world.geometry import load_geometry, save_geometry
from twin.world.opening import open_world
from twin.world.world import save_world

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = """
from twin.world.builder import GeometryBuilder

def make(side=10.0):
    builder = GeometryBuilder()
    builder.add_box((0, 0, 0), (side, side, 5.0), "concrete", builder.add_object("box"))
    return builder.build()

def broken():
    return 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "generate.py").write_text(GENERATOR)

    def write(**changes):
        fields = {"schema": "1", "name": '"site"', "source": '"generate.py:make"'} | changes
        tables = fields.pop("tables", "")
        lines = [f"{key} = {value}" for key, value in fields.items()]
        (site / "world.toml").write_text("\n".join(lines) + "\n" + tables)
        return site

    return write


def test_a_generated_world_is_built_once(folder, tmp_path):
    site = folder()
    first = open_world(site)
    files = sorted((tmp_path / "cache" / "worlds").rglob("geometry.npz"))
    before = files[0].stat().st_mtime_ns
    assert open_world(site).digest == first.digest
    assert files[0].stat().st_mtime_ns == before
    assert first.collision_obj().is_file()


def test_parameters_and_rules_change_the_world(folder):
    plain = open_world(folder())
    large = open_world(folder(tables="[parameters]\nside = 20.0\n"))
    assert large.geometry.vertices.max() == 20.0
    glazed = open_world(folder(tables='[[materials]]\nmaterial = "glass"\nsurface = "wall"\n'))
    assert len({plain.digest, large.digest, glazed.digest}) == 3


def test_whatever_a_source_refers_to_rebuilds_the_world_when_it_changes(folder):
    site = folder(source='"hall.urdf"')
    shape = '<collision><geometry><mesh filename="parts/hall.obj"/></geometry></collision>'
    (site / "hall.urdf").write_text(f'<robot name="r"><link name="hall">{shape}</link></robot>')
    (site / "parts").mkdir()
    tops = []
    for height in (3, 7):
        corners = f"v 0 0 0\nv 9 0 0\nv 0 9 0\nv 0 0 {height}\n"
        (site / "parts/hall.obj").write_text(corners + "f 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
        tops.append(open_world(site).geometry.vertices[:, 2].max())
    assert tops == [3.0, 7.0]


def test_terrain_lies_in_the_worlds_folder_and_rebuilds_it_when_it_changes(folder):
    ring = [[4.5051, 52.5051], [4.5053, 52.5051], [4.5053, 52.5052], [4.5051, 52.5051]]
    origin = "[origin]\nlongitude = 4.5\nlatitude = 52.5\n"
    text = '[parameters]\nterrain = "{}"\ngeoid_height = 43.0\n' + origin
    site = folder(source='"site.geojson"', tables=text.format("N52E004.hgt"))
    (site / "site.geojson").write_text(json.dumps([{"polygon": ring, "height": 12}]))
    for height in (100, 140):
        (site / "N52E004.hgt").write_bytes(np.full(1201 * 1201, height, ">i2").tobytes())
        world = open_world(site)
        top = world.georeference.to_geodetic(world.geometry.vertices)[:, 2].max()
        assert top == pytest.approx(height + 43.0 + 12.0, abs=1e-3)
    with pytest.raises(TwinError, match="leads out"):
        open_world(folder(source='"site.geojson"', tables=text.format("../N52E004.hgt")))


def test_a_scenario_does_not_rebuild_its_world(folder, tmp_path):
    site = folder()
    open_world(site)
    (site / "scenarios").mkdir()
    (site / "scenarios/new.toml").write_text("schema = 1\n")
    open_world(site)
    assert len(list((tmp_path / "cache/worlds").iterdir())) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tables": "[parameters]\nsize = 2.0\n"}, "parameters: .*unexpected keyword argument 'size'"),
        ({"source": '"generate.py"', "tables": "[parameters]\nterrian = 'a'\n"}, "did you mean 'terrain'"),
        ({"source": '"generate.py:broken"'}, "returned no Geometry"),
        ({"source": '"generate.py:missing"'}, "no 'missing' in it"),
        ({"source": '"../../etc/passwd"'}, "leads out of the world's folder"),
        ({"source": '"nothing.geojson"'}, "can't be read"),
        ({"schema": "2"}, "schema"),
        ({"colour": '"red"'}, "unknown key"),
        ({"tables": "[origin]\nlongitude = 200\nlatitude = 0\n"}, "longitude"),
    ],
)
def test_a_wrong_world_says_what_is_wrong(folder, changes, message):
    with pytest.raises(TwinError, match=message):
        open_world(folder(**changes))


def test_inside_and_below(folder):
    world = open_world(folder())
    points = np.array([[5.0, 5.0, 2.0], [5.0, 5.0, 7.0], [50.0, 5.0, 2.0]])
    assert world.inside(points) == ["box", None, None]
    np.testing.assert_array_equal(world.height_below(points), [0.0, 5.0, np.nan])


def test_a_geometry_file_comes_back_and_is_the_same_bytes(folder, tmp_path):
    geometry = open_world(folder()).geometry
    save_geometry(geometry, tmp_path / "a.npz")
    save_geometry(geometry, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert load_geometry(tmp_path / "a.npz").digest() == geometry.digest()


def damaged_files(geometry, path):
    """A truncated file, one with a missing array, claimed sizes, indices that lead nowhere, pickles."""
    from dataclasses import fields

    save_geometry(geometry, path)
    whole = path.read_bytes()
    arrays = {field.name: np.asarray(getattr(geometry, field.name)) for field in fields(geometry)}
    yield whole[: len(whole) // 2], None
    yield b"", None
    yield None, {name: array for name, array in arrays.items() if name != "face_object"}
    yield None, arrays | {"triangles": arrays["triangles"] + 1000}
    yield None, arrays | {"vertices": arrays["vertices"] * np.nan}
    yield None, arrays | {"face_normal": arrays["face_normal"][:2]}
    yield None, arrays | {"objects": np.array([{"a": 1}], dtype=object)}


def test_a_damaged_geometry_file_is_refused(folder, tmp_path):
    geometry = open_world(folder()).geometry
    path = tmp_path / "bad.npz"
    for content, arrays in damaged_files(geometry, path):
        if content is not None:
            path.write_bytes(content)
        else:
            np.savez(path, **arrays)
        with pytest.raises(WorldError, match="bad.npz"):
            load_geometry(path)


def test_a_claimed_size_is_not_believed(folder, tmp_path):
    import io
    import zipfile

    path = tmp_path / "huge.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 3)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vertices.npy", header.getvalue() + b"\0" * 24)
    with pytest.raises(WorldError, match="claims"):
        load_geometry(path)


@pytest.fixture(scope="module")
def city():
    return open_world(ROOT / "worlds" / "city")


class TestCity:
    def test_is_a_district_of_about_150_buildings(self, city):
        buildings = [name for name in city.geometry.objects if name.startswith("building_")]
        assert 140 <= len(buildings) <= 160
        assert {"concrete", "glass", "brick", "metal", "fresh_water", "wet_ground"} <= set(city.geometry.materials)
        assert city.georeference is not None

    def test_its_buildings_do_not_overlap(self, city):
        import shapely

        geometry = city.geometry
        up = geometry.face_normal[geometry.triangle_face, 2] > 0.5
        owner = geometry.face_object[geometry.triangle_face]
        roofs = {}
        for triangle, who in zip(geometry.triangles[up & (owner >= 0)], owner[up & (owner >= 0)], strict=True):
            roofs.setdefault(int(who), []).append(shapely.Polygon(geometry.vertices[triangle, :2]))
        plans = [shapely.union_all(parts) for parts in roofs.values()]
        assert shapely.union_all(plans).area == pytest.approx(sum(plan.area for plan in plans), rel=1e-9)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "worlds").glob("*/scenarios/*.toml")), ids=lambda file: f"{file.parts[-3]}/{file.stem}"
)
def test_routes_and_places_of_built_in_scenarios_are_in_the_open(file):
    world = open_world(file.parents[1])
    scenario, _ = load_scenario(file)
    for entry in scenario.robots.values():
        if entry.positions:
            assert set(world.inside(np.array(entry.positions))) == {None}
        if isinstance(entry.task, RouteSpec | FormationSpec):
            task = make_task(entry.task, entry.count)
            times = np.linspace(0.0, scenario.duration / NS, 2000)
            flown = np.array([task.reference(0, time).position for time in times])
            assert set(world.inside(flown)) == {None}
            assert (flown[:, 2] - world.height_below(flown)).min() > 1.5
            assert not occluded_pairs(world.bvh, flown[:-1], flown[1:]).any()


@pytest.mark.parametrize("name", ["inspection", "parcels"])
def test_plans_of_built_in_scenarios_are_flown_in_the_open(name):
    """From the ground they stand on to it again: nothing in between, and half a metre at least straight below."""
    world = open_world(ROOT / "worlds/city")
    scenario, _ = load_scenario(ROOT / f"worlds/city/scenarios/{name}.toml")
    (entry,) = [entry for entry in scenario.robots.values() if entry.task]
    task = make_task(entry.task, entry.count, None, TaskContext(world, lambda path: ROOT / path))
    assert task.unused[0].keys() <= {"command 206", "geofence circle"}
    for row in range(entry.count):
        references = [task.reference(row, time) for time in np.linspace(0.0, scenario.duration / NS, 1500)]
        flown = np.array([r.position for r in references])
        assert references[-1].parked, "it is back in time"
        air = flown[flown[:, 2] > 1.0]
        assert set(world.inside(air)) == {None} and (air[:, 2] - world.height_below(air)).min() > 0.5
        assert not occluded_pairs(world.bvh, air[:-1], air[1:]).any()


@pytest.fixture(scope="module")
def factory():
    return open_world(ROOT / "worlds" / "factory")


class TestFactory:
    def test_clutter_is_dense_and_aisles_are_free(self, factory):
        x, y = np.meshgrid(np.arange(-39.5, 40, 0.5), np.arange(-19.5, 20, 0.5), indexing="ij")
        eye = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 7.5)])
        covered = factory.height_below(eye) > 0.01
        assert 0.3 < covered.mean() < 0.6
        main = np.abs(eye[:, 1]) < 2.5
        across = ((eye[:, 0] > -13) & (eye[:, 0] < -10)) | ((eye[:, 0] > 14) & (eye[:, 0] < 17))
        assert not covered[main].any()
        assert not covered[across & (np.abs(np.abs(eye[:, 1]) - 3.2) > 0.3)].any()

    def test_things_do_not_overlap(self, factory):
        geometry = factory.geometry
        owner = geometry.face_object[geometry.triangle_face]
        plans = []
        for i, name in enumerate(geometry.objects):
            if name.split("_")[0] in ("rack", "machine", "cell", "conveyor", "press", "stock", "office", "column"):
                points = geometry.vertices[geometry.triangles[owner == i]].reshape(-1, 3)
                plans.append((name, points.min(axis=0)[:2], points.max(axis=0)[:2]))
        for i, (name, low, high) in enumerate(plans):
            for other, other_low, other_high in plans[:i]:
                apart = (high <= other_low + 1e-9) | (other_high <= low + 1e-9)
                assert apart.any(), f"{name} and {other}"

    def test_gates_are_open_and_walls_are_not(self, factory):
        inside = np.array([[-11.5, -15.0, 2.0], [15.5, -15.0, 2.0], [-30.0, -18.0, 2.0], [0.0, 0.0, 9.0]])
        outside = np.array([[-11.5, -30.0, 2.0], [15.5, -30.0, 2.0], [-30.0, -30.0, 2.0], [0.0, 0.0, 30.0]])
        assert occluded_pairs(factory.bvh, inside, outside).tolist() == [False, False, True, True]

    def test_robot_places_are_in_the_open(self, factory):
        cells = [[x, y, 0.5] for x in (22.0,) for y in (8.0, 15.0, -8.0, -15.0)]
        assert factory.inside(np.array([*cells, [0.0, 0.0, 0.3]])) == [None] * 5


@pytest.fixture(scope="module")
def harbour():
    return open_world(ROOT / "worlds" / "harbour")


class TestHarbour:
    def test_the_sea_reflects_but_does_not_carry(self, harbour):
        buoy = np.array([[400.0, 0.0, 0.5], [400.0, 0.0, -1.0]])
        assert harbour.height_below(buoy[:1])[0] == 0.0
        assert harbour.inside(buoy) == [None, None]
        water = harbour.geometry.materials.index("sea_water")
        assert not (harbour.solid.face_material == water).any()
        assert len(harbour.solid.triangles) == len(harbour.geometry.triangles) - 2

    def test_the_sea_floor_is_where_it_should_be(self, harbour):
        from twin.world.bvh import build_bvh, closest_hits

        solid = build_bvh(harbour.solid.vertices, harbour.solid.triangles)
        start, down = np.array([[100.0, 0.0, 0.0], [700.0 - 1e-6, 0.0, 0.0]]), np.array([[0.0, 0.0, -1.0]] * 2)
        _, depth = closest_hits(solid, start, down, 0.0, np.inf)
        np.testing.assert_allclose(depth, [12.0, 20.0], atol=1e-6)

    def test_the_entrance_is_open(self, harbour):
        a = np.array([[100.0, 110.0, 1.0], [100.0, -100.0, 1.0]])
        b = np.array([[300.0, 110.0, 1.0], [300.0, -100.0, 1.0]])
        assert occluded_pairs(harbour.bvh, a, b).tolist() == [False, True]

    def test_its_weather_is_read(self, harbour):
        environment = harbour.environment(seed=1)
        assert environment.sea(0).peak_period == 6.0
        assert environment.wind.velocity(0, np.array([[0.0, 0.0, 10.0]])).shape == (1, 3)


@pytest.mark.parametrize("there_before", [False, True])
def test_a_world_that_can_not_be_written_whole_leaves_nothing(folder, tmp_path, monkeypatch, there_before):
    def full(geometry, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    world = open_world(folder())
    copy = tmp_path / "worlds/copy"
    if there_before:
        copy.mkdir(parents=True)
        (copy / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr("twin.world.world.write_obj", full)
        with pytest.raises(WorldError, match="can't be written: No space left"):
            save_world(world, copy, texts={"lanes.csv": "x0\n"})
    assert sorted(tmp_path.rglob("*")) == before
    save_world(world, copy, texts={"lanes.csv": "x0\n"})
    assert open_world(copy).digest == world.digest and (copy / "lanes.csv").read_text() == "x0\n"
