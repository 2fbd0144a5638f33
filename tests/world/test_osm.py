"""OpenStreetMap as people write it: heights in words, files in any order, roofs without walls, what isn't there."""

import pytest

from twin.errors import WorldError
from twin.world.importers import import_world

pytest.importorskip("osmium", reason="the extra twin[osm] is not installed")
SIDE = 0.0002  # degrees


def extract(*tags, sign=1):
    """Return the lines of square ways with these tags, side by side, and those of their nodes."""
    nodes, ways = [], []
    for i, pairs in enumerate(tags):
        first = 4 * i + 1
        for k, (dx, dy) in enumerate(((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE))):
            lon, lat = 11.0 + 2 * SIDE * i + dx, 48.0 + dy
            nodes.append(f'<node id="{sign * (first + k)}" version="1" lon="{lon:.7f}" lat="{lat:.7f}"/>')
        refs = "".join(f'<nd ref="{sign * (first + k % 4)}"/>' for k in range(5))
        said = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in {"building": "yes", **pairs}.items())
        ways.append(f'<way id="{sign * (1000 + i)}" version="1">{refs}{said}</way>')
    return nodes, ways


@pytest.fixture
def imported(tmp_path):
    """Import an extract; return base and top of each way by its id, and the report."""

    def run(*lines):
        path = tmp_path / "town.osm"
        path.write_text("\n".join(['<?xml version="1.0"?>', '<osm version="0.6">', *lines, "</osm>"]))
        world, report = import_world(path)
        geometry = world.geometry
        owner, z = geometry.face_object[geometry.triangle_face], geometry.vertices[geometry.triangles][..., 2]
        return {
            int(name.removeprefix("way/")): (z[owner == i].min(), z[owner == i].max())
            for i, name in enumerate(geometry.objects)
        }, report

    return run


@pytest.mark.parametrize(("text", "metres"), [
    ("12", 12), ("12 m", 12), ("12m", 12), ("12 M", 12), ("12 metres", 12), ("12 meter", 12), ("12,5", 12.5),
    ("40 ft", 12.192), ("40ft", 12.192), ("40 feet", 12.192), ("40'", 12.192), ("40'6&quot;", 12.3444),
    ("40' 6&quot;", 12.3444), ("6.5'", 1.9812),
])  # fmt: skip
def test_heights_that_can_be_read(imported, text, metres):
    found, report = imported(*sum(extract({"height": text}), []))
    assert found[1000] == pytest.approx((0.0, metres), abs=0.01)
    assert report.repaired == {}


@pytest.mark.parametrize("text", ["~12", "12;15", "10-12", "1,200.5 cm", "ca. 12", "yes", "0", "-1", "nan", "5000"])
@pytest.mark.parametrize(("levels", "top"), [("4", 12.0), ("2;3", 9.0)])
def test_a_height_that_is_not_known_falls_back_and_is_counted(imported, text, levels, top):
    found, report = imported(*sum(extract({"height": text, "building:levels": levels}), []))
    assert found[1000] == pytest.approx((0.0, top), abs=0.01)
    assert (report.found, report.used, sum(report.repaired.values())) == (1, 1, 1 if levels == "4" else 2)


def test_one_bad_tag_leaves_the_others_as_they_are(imported):
    found, report = imported(*sum(extract(
        {"height": "12", "roof:height": "~3", "building:levels": "3"},
        {"building:levels": "3", "roof:levels": "attic"},
        {"height": "20 m", "building:min_level": "x"},
    ), []))  # fmt: skip
    assert {key: top for key, (_, top) in found.items()} == pytest.approx({1000: 12, 1001: 9, 1002: 20}, abs=0.01)
    assert sum(report.repaired.values()) == 3


def orders():
    nodes, ways = extract({"height": "12"}, {"height": "20"})
    negative = extract({"height": "12"}, {"height": "20"}, sign=-1)
    return {
        "as osmium wants it": (*nodes, *ways),
        "nodes falling": (*nodes[::-1], *ways),
        "ways first": (*ways, *nodes),
        "ways falling": (*nodes, *ways[::-1]),
        "everything twice": (*nodes, *nodes, *ways, *ways),
        "negative": sum(negative, []),
        "negative, ways first": (*negative[1], *negative[0]),
        "negative, rising": (*negative[0][::-1], *negative[1][::-1]),
        "one new building among old ones": (*nodes[:4], *negative[0][4:], ways[0], negative[1][1]),
    }


@pytest.mark.parametrize("order", orders())
def test_files_in_the_order_of_query_tools_and_editors(imported, order):
    found, report = imported(*orders()[order])
    tops = {abs(key): top for key, (_, top) in found.items()}
    assert tops == pytest.approx({1000: 12.0, 1001: 20.0}, abs=0.01)
    assert (report.found, report.used, report.skipped) == (2, 2, {})


def test_an_outline_cut_off_at_the_edge_is_still_counted(imported):
    nodes, ways = extract({"height": "12"}, {"height": "20"})
    _, report = imported(*nodes[:-1], *ways)
    assert (report.found, report.used) == (2, 1)
    assert sum(report.skipped.values()) == 1


def test_a_roof_without_walls_is_a_slab(imported):
    found, report = imported(*sum(extract(
        {"building": "roof", "height": "6", "layer": "1"}, {"building": "carport"},
        {"wall": "no", "height": "8", "min_height": "7"},
    ), []))  # fmt: skip
    assert found[1000] == pytest.approx((5.7, 6.0), abs=0.01)
    assert found[1001] == pytest.approx((4.7, 5.0), abs=0.01)
    assert found[1002] == pytest.approx((7.7, 8.0), abs=0.01)
    assert report.assumed["roof without walls, 0.3 m thick"] == 3


def test_what_is_not_there_is_not_built(imported):
    found, report = imported(*sum(extract(
        {"location": "underground", "building:levels": "2"}, {"layer": "-1"},
        {"building:levels": "0", "building:levels:underground": "2"}, {"building": "demolished", "height": "30"},
        {"razed": "yes"}, {"building": "proposed"}, {"building": "ruins", "height": "3"},
        {"building": "construction", "height": "30"}, {"building:levels": "8", "building:min_level": "2"},
    ), []))  # fmt: skip
    assert {key: pytest.approx(value, abs=0.01) for key, value in found.items()} == {
        1006: (0.0, 3.0), 1007: (0.0, 30.0), 1008: (6.0, 24.0)
    }  # fmt: skip
    assert report.skipped == {"underground": 3, "demolished": 2, "only planned": 1}
    assert report.found == 9
    assert report.assumed["ruin taken as a solid"] == 1
    assert report.assumed["building under construction taken as finished"] == 1


def test_parts_that_cover_most_of_an_outline_stand_for_it(imported):
    nodes = []
    for i, x in enumerate((0, 10, 20, 30)):
        for k, y in enumerate((0, 10)):
            place = f'lon="{11 + x / 74622:.7f}" lat="{48 + y / 111194:.7f}"'
            nodes.append(f'<node id="{1 + 2 * i + k}" version="1" {place}/>')

    def way(number, corners, **tags):
        refs = "".join(f'<nd ref="{c}"/>' for c in (*corners, corners[0]))
        said = "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
        return f'<way id="{number}" version="1">{refs}{said}</way>'

    found, report = imported(
        *nodes,
        way(1, (1, 7, 8, 2), building="yes", building__levels=6),
        way(2, (1, 3, 4, 2), building__part="yes", building__levels=5),
        way(3, (5, 7, 8, 6), building__part="yes", building__levels=5),
    )
    assert found.keys() == {2, 3}
    assert report.skipped == {"building replaced by its parts": 1}


def test_a_file_without_an_end_is_refused(tmp_path):
    path = tmp_path / "town.osm"
    nodes, ways = extract({"height": "12"}, sign=-1)
    path.write_text('<osm version="0.6">' + "".join([*ways, *nodes])[:-20])
    with pytest.raises(WorldError, match="can't be read as OpenStreetMap"):
        import_world(path)
